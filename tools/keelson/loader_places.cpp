// SPDX-License-Identifier: MIT
//
// Paths of the loader on an ESP.
#include "tools/keelson/loader_places.h"

#include <algorithm>

#include "tools/keelson/programs.h"

namespace keelson::tool {
namespace {

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

}  // namespace

LoaderPlaces loader_places(const fs::path& esp, const std::string& arch) {
  const auto place = [&](const char* directory, const std::string& name) {
    return find_ignoring_case(esp, fs::path(directory) / name);
  };
  return {place(our_directory, program_file_name(Program::loader, arch)),
          place(our_directory, "keelson-boot-fallback" + arch + ".efi"),
          place(removable_directory, "BOOT" + upper(arch) + ".EFI")};
}

}  // namespace keelson::tool
