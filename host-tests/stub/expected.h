// SPDX-License-Identifier: MIT
//
// Owns what tests of the stub expect, computed without the code under test: archives written field
// by field, PCRs extended event by event.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "efi/base/digest.h"
#include "efi/format/measurement.h"

namespace keelson::expected {

// UTF-16 with its NUL, as command lines are hashed.
inline std::string ucs2z(std::string_view ascii) {
  std::string text;
  for (const char c : ascii) text += {c, '\0'};
  return text + std::string(2, '\0');
}

inline std::string padded(std::string text) {
  text.resize((text.size() + 3) / 4 * 4);
  return text;
}

inline std::string record(unsigned inode, unsigned mode, const std::string& name,
                          const std::string& content) {
  char header[111];
  std::snprintf(header, sizeof(header),
                "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode, 0u, 0u,
                1u, 0u, static_cast<unsigned>(content.size()), 0u, 0u, 0u, 0u,
                static_cast<unsigned>(name.size() + 1), 0u);
  return padded(padded(std::string(header) + name + '\0') + content);
}

using Files = std::vector<std::pair<std::string, std::string>>;

// `.extra/DIRECTORY` with those files; an empty directory name: `.extra` itself.
inline std::string archive(const std::string& directory, unsigned directory_mode,
                           unsigned file_mode, const Files& files) {
  std::string text;
  unsigned inode = 0;
  if (!directory.empty()) text += record(++inode, 0040555, ".extra", "");
  const std::string path = directory.empty() ? ".extra" : ".extra/" + directory;
  text += record(++inode, 0040000 | directory_mode, path, "");
  for (const auto& [name, content] : files)
    text += record(++inode, 0100000 | file_mode, path + "/" + name, content);
  std::string trailer = "070701";
  for (int i = 0; i < 13; ++i) trailer += i == 4 ? "00000001" : i == 11 ? "0000000B" : "00000000";
  return text + padded(trailer + "TRAILER!!!" + '\0');
}
inline std::string secrets(const std::string& directory, const Files& files) {
  return archive(directory, 0500, 0400, files);
}
inline std::string extensions(const std::string& directory, const Files& files) {
  return archive(directory, 0555, 0444, files);
}

// A PCR after those events, from zero, in hex.
inline std::string pcr(HashAlgorithm bank, const std::vector<std::string>& events) {
  Digest value(bank);
  for (const std::string& event : events) {
    const auto digest = hash(bank, bytes_of(std::string_view(event)));
    if (!digest.has_value()) return "no such bank";
    const auto next = extend(value, *digest);
    if (!next.has_value()) return "no such bank";
    value = *next;
  }
  return std::string(std::string_view(value.hex()));
}

}  // namespace keelson::expected
