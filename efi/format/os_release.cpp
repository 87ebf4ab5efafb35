// SPDX-License-Identifier: MIT
//
// Reading of os-release texts.
#include "efi/format/os_release.h"

#include <utility>

#include "efi/format/key_value.h"

namespace keelson {
namespace {

// The first of `candidates` that is set.
template <std::size_t N>
std::string_view first_set(const std::string_view (&candidates)[N]) {
  for (const auto candidate : candidates)
    if (!candidate.empty()) return candidate;
  return {};
}

template <class Fields, std::size_t N>
Fields read_fields(Bytes text,
                   const std::pair<std::string_view, std::string_view Fields::*> (&known)[N]) {
  Fields fields;
  KeyValueLines lines(text, KeySeparator::equals);
  while (const auto line = lines.next())
    for (const auto& [key, field] : known)
      if (line->key == key) fields.*field = line->value;
  return fields;
}

}  // namespace

std::string_view OsRelease::title() const { return first_set({pretty_name, image_id, name, id}); }
std::string_view OsRelease::version_text() const {
  return first_set({image_version, version, version_id, build_id});
}
std::string_view OsRelease::sort_key() const { return first_set({image_id, id}); }

OsRelease parse_os_release(Bytes text) {
  return read_fields<OsRelease, 8>(text, {{"PRETTY_NAME", &OsRelease::pretty_name},
                                          {"IMAGE_ID", &OsRelease::image_id},
                                          {"NAME", &OsRelease::name},
                                          {"ID", &OsRelease::id},
                                          {"IMAGE_VERSION", &OsRelease::image_version},
                                          {"VERSION", &OsRelease::version},
                                          {"VERSION_ID", &OsRelease::version_id},
                                          {"BUILD_ID", &OsRelease::build_id}});
}

ProfileText parse_profile(Bytes text) {
  return read_fields<ProfileText, 2>(text,
                                     {{"ID", &ProfileText::id}, {"TITLE", &ProfileText::title}});
}

}  // namespace keelson
