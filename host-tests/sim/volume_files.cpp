// SPDX-License-Identifier: MIT
//
// The protocols over the tree of volume.h: open files and directories, reading, writing, renaming.
#include "host-tests/sim/volume_files.h"

#include <algorithm>
#include <random>

namespace keelson::sim {
namespace {

using efi::failed;
using efi::Status;
namespace status = efi::status;

constexpr Guid file_info_id = "09576e92-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr Guid file_system_info_id = "09576e93-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr Guid label_id = "db47d7d3-fe81-11d3-9a35-0090273fc14d"_guid;
constexpr Status bad_buffer_size = status::error_bit | 4;
static_assert(bad_buffer_size == EFI_BAD_BUFFER_SIZE);

constexpr std::size_t longest_fat_name = 255;
constexpr std::uint64_t longest_read = 1_MiB;  // more fails on some real firmware
constexpr std::uint64_t end_of_file = ~std::uint64_t{0};

bool is_legal_name(std::u16string_view name) {
  if (name.empty() || name == u"." || name == u".." || name.size() > longest_fat_name) return false;
  return std::ranges::none_of(name, [](char16_t c) {
    return c < 0x20 || std::u16string_view(u"\"*/:<>?\\|").find(c) != std::u16string_view::npos;
  });
}

std::u16string joined(const std::vector<std::u16string>& names) {
  std::u16string path;
  for (const std::u16string& name : names) path += u"\\" + name;
  return path.empty() ? u"\\" : path;
}

std::u16string_view text_at(const void* at, std::size_t most_units) {
  const auto* const text = static_cast<const char16_t*>(at);
  return {text, std::find(text, text + most_units, u'\0')};
}

// Answers one of the structures that end with a text, by the rules of a buffer that may be too
// small.
template <class Info>
Status answer(Info info, std::size_t text_offset, std::u16string_view text, UINTN* size,
              void* buffer) {
  const std::size_t needed = text_offset + (text.size() + 1) * sizeof(char16_t);
  const std::size_t given = *size;
  *size = needed;
  if (given < needed) return status::buffer_too_small;
  if (buffer == nullptr) return status::invalid_parameter;
  if constexpr (requires { info.Size; }) info.Size = needed;
  auto* const to = static_cast<std::byte*>(buffer);
  __builtin_memcpy(to, &info, text_offset);
  if (!text.empty())
    __builtin_memcpy(to + text_offset, text.data(), text.size() * sizeof(char16_t));
  __builtin_memset(to + needed - sizeof(char16_t), 0, sizeof(char16_t));
  return status::success;
}

}  // namespace

Volume::OpenFile::OpenFile(Volume& owner, NodePointer opened, std::u16string full_path,
                           std::uint64_t open_mode)
    : EFI_FILE_PROTOCOL{},
      volume(&owner),
      node(std::move(opened)),
      path(std::move(full_path)),
      mode(open_mode),
      medium(owner.medium_) {
  Revision = EFI_FILE_PROTOCOL_REVISION;
  Open = [](EFI_FILE_HANDLE self, EFI_FILE_HANDLE* file, CHAR16* name, UINT64 open_mode,
            UINT64 attributes) EFIAPI -> EFI_STATUS {
    if (self == nullptr || file == nullptr || name == nullptr) return EFI_INVALID_PARAMETER;
    return from(self).volume->open_file(from(self), file, name, open_mode, attributes);
  };
  Close = [](EFI_FILE_HANDLE self) EFIAPI -> EFI_STATUS {
    from(self).volume->calls_.note("File.Close");
    std::erase(from(self).volume->open_, &from(self));
    delete &from(self);  // whoever still uses it is caught by the sanitizer
    return EFI_SUCCESS;
  };
  Delete = [](EFI_FILE_HANDLE self)
               EFIAPI -> EFI_STATUS { return from(self).volume->delete_file(from(self)); };
  Read = [](EFI_FILE_HANDLE self, UINTN* size, void* buffer) EFIAPI -> EFI_STATUS {
    if (self == nullptr || size == nullptr) return EFI_INVALID_PARAMETER;
    return from(self).volume->read(from(self), size, buffer);
  };
  Write = [](EFI_FILE_HANDLE self, UINTN* size, void* buffer) EFIAPI -> EFI_STATUS {
    if (self == nullptr || size == nullptr) return EFI_INVALID_PARAMETER;
    return from(self).volume->write(from(self), size, buffer);
  };
  GetPosition = [](EFI_FILE_HANDLE self, UINT64* position) EFIAPI -> EFI_STATUS {
    if (const auto failure = from(self).volume->calls_.enter("File.GetPosition", from(self).path))
      return *failure;
    if (from(self).node->is_directory()) return EFI_UNSUPPORTED;
    *position = from(self).position;
    return from(self).check_medium();
  };
  SetPosition = [](EFI_FILE_HANDLE self, UINT64 position) EFIAPI -> EFI_STATUS {
    return from(self).volume->set_position(from(self), position);
  };
  GetInfo = [](EFI_FILE_HANDLE self, EFI_GUID* type, UINTN* size, void* buffer)
                EFIAPI -> EFI_STATUS {
    if (self == nullptr || type == nullptr || size == nullptr) return EFI_INVALID_PARAMETER;
    Guid id;
    __builtin_memcpy(&id, type, sizeof(id));
    return from(self).volume->get_info(from(self), id, size, buffer);
  };
  SetInfo = [](EFI_FILE_HANDLE self, EFI_GUID* type, UINTN size, void* buffer)
                EFIAPI -> EFI_STATUS {
    if (self == nullptr || type == nullptr || buffer == nullptr) return EFI_INVALID_PARAMETER;
    Guid id;
    __builtin_memcpy(&id, type, sizeof(id));
    return from(self).volume->set_info(from(self), id, size, buffer);
  };
  Flush = [](EFI_FILE_HANDLE self) EFIAPI -> EFI_STATUS {
    OpenFile& file = from(self);
    return file.volume->operate(Operation::flush, "File.Flush", file.path, [&file] {
      if (failed(file.check_medium())) return file.check_medium();
      if ((file.mode & EFI_FILE_MODE_WRITE) == 0) return status::access_denied;
      file.volume->writes_.push_back(u"flush " + file.path);
      return status::success;
    });
  };
}

template <class Act>
Status Volume::operate(Operation operation, const char* call, const std::u16string& path, Act act) {
  if (const auto failure = calls_.enter(call, path)) return *failure;
  if (const auto failure = interference(When::before, operation, path)) return *failure;
  const Status result = act();
  return interference(When::after, operation, path).value_or(result);
}

// ---- Opening ----

// `act` puts what it opens at the end of open_. What an interference lets fail afterwards is
// closed.
template <class Act>
Status Volume::open_unless_refused(Operation operation, const char* call,
                                   const std::u16string& path, EFI_FILE_HANDLE* opened, Act act) {
  const std::size_t before = open_.size();
  const Status result = operate(operation, call, path, act);
  if (!failed(result)) {
    *opened = open_.back();
  } else if (open_.size() > before) {
    delete open_.back();
    open_.pop_back();
  }
  return result;
}

Status Volume::open_root(EFI_FILE_HANDLE* root) {
  return open_unless_refused(Operation::open_volume, "OpenVolume", u"\\", root, [&] {
    open_.push_back(new OpenFile(*this, root_, u"\\", EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE));
    return status::success;
  });
}

Status Volume::may_write(const OpenFile& file) const {
  if (failed(file.check_medium())) return file.check_medium();
  if (read_only_) return status::write_protected;
  return (file.mode & EFI_FILE_MODE_WRITE) != 0 ? status::success : status::access_denied;
}

Status Volume::open_file(OpenFile& from, EFI_FILE_HANDLE* opened, const char16_t* name,
                         std::uint64_t mode, std::uint64_t attributes) {
  constexpr std::uint64_t read_write = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE;
  if (mode != EFI_FILE_MODE_READ && mode != read_write &&
      mode != (read_write | EFI_FILE_MODE_CREATE))
    return status::invalid_parameter;
  const std::u16string_view wanted(name);
  const auto names =
      components(wanted.starts_with(u'\\') ? std::u16string(wanted)
                                           : from.path + u"\\" + std::u16string(wanted));
  const std::u16string path = names ? joined(*names) : std::u16string(wanted);
  return open_unless_refused(Operation::open, "File.Open", path, opened, [&] {
    if (failed(from.check_medium())) return from.check_medium();
    NodePointer node = names ? find(path) : nullptr;
    if (node == nullptr && (mode & EFI_FILE_MODE_CREATE) != 0 && names && !names->empty() &&
        is_legal_name(names->back())) {
      if (read_only_) return status::write_protected;
      if (free_space_ < cluster_size) return status::volume_full;
      if ((attributes & EFI_FILE_DIRECTORY) != 0)
        add_directory(path);
      else
        add(path, Bytes());
      node = find(path);
      writes_.push_back(u"create " + path);
    }
    if (node == nullptr) return status::not_found;
    if ((mode & EFI_FILE_MODE_WRITE) != 0) {
      if (read_only_) return status::write_protected;
      if ((node->attributes & EFI_FILE_READ_ONLY) != 0) return status::access_denied;
    }
    ++usage_[folded(path)].opens;
    open_.push_back(new OpenFile(*this, node, path, mode));
    return status::success;
  });
}

// ---- Reading ----

std::vector<Volume::NodePointer> Volume::listing(const Node& directory) const {
  std::vector<NodePointer> items;
  for (const auto& [key, child] : directory.children) items.push_back(child);
  if (&directory != root_.get()) {
    for (const std::u16string_view name : {u".", u".."}) {
      items.push_back(std::make_shared<Node>());
      items.back()->name = name;
      items.back()->attributes = EFI_FILE_DIRECTORY;
    }
  }
  std::mt19937_64 random(seed_ + items.size());
  std::ranges::shuffle(items, random);
  return items;
}

Status Volume::read_item(OpenFile& directory, UINTN* size, void* buffer) {
  if (directory.position == 0) directory.items = listing(*directory.node);
  if (directory.position >= directory.items.size()) {
    *size = 0;
    return status::success;
  }
  const Node& item = *directory.items[directory.position];
  const Status result =
      answer(item.info(), offsetof(EFI_FILE_INFO, FileName), item.name, size, buffer);
  if (!failed(result) || loses_items_) ++directory.position;
  return result;
}

Status Volume::read(OpenFile& file, UINTN* size, void* buffer) {
  const Status result = operate(Operation::read, "File.Read", file.path, [&] {
    if (failed(file.check_medium())) return file.check_medium();
    if (file.node->is_directory()) return read_item(file, size, buffer);
    const std::vector<std::byte>& content = file.node->content;
    if (file.position > content.size()) return status::device_error;
    if (buffer == nullptr && *size != 0) return status::invalid_parameter;
    if (*size > longest_read) return status::device_error;
    const std::uint64_t count =
        std::min({std::uint64_t{*size}, content.size() - file.position, shortened_read_});
    if (count != 0) {
      __builtin_memcpy(buffer, content.data() + file.position, count);
      Usage& usage = usage_[folded(file.path)];
      ++usage.reads;
      usage.bytes_read += count;
    }
    file.position += count;
    *size = count;
    return status::success;
  });
  if (!failed(result) && read_lie_) *size = *read_lie_;
  return result;
}

Status Volume::set_position(OpenFile& file, std::uint64_t position) {
  return operate(Operation::set_position, "File.SetPosition", file.path, [&] {
    if (failed(file.check_medium())) return file.check_medium();
    if (file.node->is_directory() && position != 0) return status::unsupported;
    file.position = position == end_of_file ? file.node->content.size() : position;
    return status::success;
  });
}

Status Volume::get_info(OpenFile& file, const Guid& type, UINTN* size, void* buffer) {
  const Status result = operate(Operation::get_info, "File.GetInfo", file.path, [&] {
    if (failed(file.check_medium())) return file.check_medium();
    if (type == file_info_id)
      return answer(file.node->info(), offsetof(EFI_FILE_INFO, FileName), file.node->name, size,
                    buffer);
    if (type == file_system_info_id) {
      EFI_FILE_SYSTEM_INFO info{};
      info.ReadOnly = read_only_ ? TRUE : FALSE;
      info.VolumeSize = 512_MiB;
      info.FreeSpace = free_space_;
      info.BlockSize = cluster_size;
      return answer(info, offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel), label_, size, buffer);
    }
    if (type == label_id)
      return answer(EFI_FILE_SYSTEM_VOLUME_LABEL_INFO{}, 0, label_, size, buffer);
    return status::unsupported;
  });
  if (!failed(result) && info_lie_) *size = *info_lie_;
  return result;
}

// ---- Writing ----

Status Volume::write(OpenFile& file, UINTN* size, const void* buffer) {
  return operate(Operation::write, "File.Write", file.path, [&] {
    if (file.node->is_directory()) return status::unsupported;
    if (const Status refused = may_write(file); failed(refused)) return refused;
    std::vector<std::byte>& content = file.node->content;
    const std::uint64_t end = file.position + *size;
    if (end > content.size()) {
      if (end - content.size() > free_space_) return status::volume_full;
      free_space_ -= end - content.size();
      content.resize(end);
    }
    if (*size != 0) __builtin_memcpy(content.data() + file.position, buffer, *size);
    file.position = end;
    writes_.push_back(u"write " + file.path);
    return status::success;
  });
}

Status Volume::set_info(OpenFile& file, const Guid& type, UINTN size, const void* buffer) {
  return operate(Operation::set_info, "File.SetInfo", file.path, [&] {
    if (type != file_info_id) return status::unsupported;
    if (const Status refused = may_write(file); failed(refused)) return refused;
    constexpr std::size_t name_offset = offsetof(EFI_FILE_INFO, FileName);
    EFI_FILE_INFO wanted;
    if (size < name_offset + sizeof(char16_t)) return bad_buffer_size;
    __builtin_memcpy(&wanted, buffer, name_offset);
    if (wanted.Size > size || wanted.Size < name_offset + sizeof(char16_t)) return bad_buffer_size;
    if ((wanted.Attribute & ~std::uint64_t{EFI_FILE_VALID_ATTR}) != 0)
      return status::invalid_parameter;
    if ((wanted.Attribute & EFI_FILE_DIRECTORY) != (file.node->attributes & EFI_FILE_DIRECTORY))
      return status::access_denied;

    const auto* const name_at = static_cast<const std::byte*>(buffer) + name_offset;
    const std::size_t room = (wanted.Size - name_offset) / sizeof(char16_t);
    const std::u16string name(text_at(name_at, room));
    if (name.size() == room) return status::invalid_parameter;  // without its NUL
    if (name != file.node->name)
      if (const Status refused = rename(file, name); failed(refused)) return refused;
    if (wanted.FileSize != file.node->content.size() && !file.node->is_directory()) {
      file.node->content.resize(wanted.FileSize);
      writes_.push_back(u"resize " + file.path);
    }
    file.node->attributes = wanted.Attribute;
    return status::success;
  });
}

// Within its directory, or to another one if the name is an absolute path.
Status Volume::rename(OpenFile& file, std::u16string_view name) {
  if (file.node == root_) return status::access_denied;
  if (name.empty()) return status::invalid_parameter;
  const auto separator = file.path.rfind(u'\\');
  const std::u16string old_directory = file.path.substr(0, separator);
  const auto names =
      components(name.starts_with(u'\\') ? std::u16string(name)
                                         : old_directory + u"\\" + std::u16string(name));
  if (!names || names->empty() || !is_legal_name(names->back())) return status::invalid_parameter;
  if (free_space_ < cluster_size) return status::volume_full;  // the directory may have to grow
  const std::u16string new_path = joined(*names);
  const NodePointer there = find(new_path);
  if (there != nullptr && there != file.node) return status::access_denied;
  const NodePointer to = find(new_path.substr(0, new_path.rfind(u'\\')));
  if (to == nullptr || !to->is_directory()) return status::not_found;

  find(old_directory)->children.erase(folded(file.node->name));
  file.node->name = names->back();
  to->children[folded(names->back())] = file.node;
  writes_.push_back(u"rename " + file.path + u" -> " + new_path);
  file.path = new_path;
  return status::success;
}

Status Volume::delete_file(OpenFile& file) {
  // Closes the handle whatever becomes of it (UEFI 2.10, 13.5.3).
  const Status result = operate(Operation::remove, "File.Delete", file.path, [&] {
    const bool refused =
        failed(may_write(file)) || file.node == root_ || !file.node->children.empty();
    if (refused) return Status{EFI_WARN_DELETE_FAILURE};
    remove(file.path);
    writes_.push_back(u"delete " + file.path);
    return status::success;
  });
  std::erase(open_, &file);
  delete &file;
  return result;
}

}  // namespace keelson::sim
