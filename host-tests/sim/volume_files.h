// SPDX-License-Identifier: MIT
//
// What volume.cpp, the tree, and volume_files.cpp, the protocols over it, share. Nobody else
// includes it.
#pragma once

#include "host-tests/sim/volume.h"

namespace keelson::sim {

inline constexpr std::uint64_t cluster_size = 4096;

// As names are compared.
std::u16string folded(std::u16string_view text);
// The names on the way, without "." and with ".." carried out; nullopt: above the root.
std::optional<std::vector<std::u16string>> components(std::u16string_view path);

struct Volume::Node {
  std::u16string name;
  std::uint64_t attributes = 0;
  std::vector<std::byte> content;
  std::optional<std::uint64_t> claimed_size;  // what it says instead of its size
  std::map<std::u16string, NodePointer> children;  // by folded name

  bool is_directory() const { return (attributes & EFI_FILE_DIRECTORY) != 0; }
  EFI_FILE_INFO info() const {
    EFI_FILE_INFO info{};
    info.FileSize = claimed_size.value_or(content.size());
    info.PhysicalSize = (content.size() + cluster_size - 1) / cluster_size * cluster_size;
    for (EFI_TIME* time : {&info.CreateTime, &info.LastAccessTime, &info.ModificationTime}) {
      time->Year = 2026;
      time->Month = time->Day = 1;
    }
    info.Attribute = attributes;
    return info;
  }
};

struct Volume::FileSystem : EFI_SIMPLE_FILE_SYSTEM_PROTOCOL {
  Volume* volume;
};

struct Volume::OpenFile : EFI_FILE_PROTOCOL {
  Volume* volume;
  NodePointer node;
  std::u16string path;  // as opened, or as renamed since
  std::uint64_t mode = 0;
  std::uint64_t medium = 0;
  std::uint64_t position = 0;
  std::vector<NodePointer> items;  // of a directory that is being read

  static OpenFile& from(EFI_FILE_HANDLE handle) { return *static_cast<OpenFile*>(handle); }
  Status check_medium() const {
    return medium == volume->medium_ ? efi::status::success : efi::status::media_changed;
  }

  OpenFile(Volume& owner, NodePointer opened, std::u16string full_path, std::uint64_t open_mode);
};

}  // namespace keelson::sim
