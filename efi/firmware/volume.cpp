// SPDX-License-Identifier: MIT
//
// Reading, listing, renaming, overwriting (volume.h).
#include "efi/firmware/volume.h"

#include <algorithm>

#include "efi/base/esp_path.h"
#include "efi/firmware/protocol.h"
#include "efi/firmware/system.h"

namespace keelson::efi {
namespace {

constexpr Guid file_info_id = "09576e92-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr Guid file_system_info_id = "09576e93-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr std::size_t name_offset = offsetof(EFI_FILE_INFO, FileName);
constexpr std::uint64_t least_free_space = 64_KiB;  // R16

// Room for file information with a name of up to 471 units, or a volume label of any sane length.
struct InfoBuffer {
  alignas(8) std::byte bytes[1024];
};

FileInfo to_file_info(const std::byte* raw) {
  EFI_FILE_INFO info;
  __builtin_memcpy(&info, raw, name_offset);
  return {.size = info.FileSize, .attributes = info.Attribute};
}

Result<EFI_FILE_HANDLE> open_root(Handle device) {
  const auto opened = Protocol<EFI_SIMPLE_FILE_SYSTEM_PROTOCOL>::open(device);
  if (!opened.has_value()) {
    const Error& error = opened.error();
    return fail(error.code, "the device has no file system that can be read", error.where);
  }
  const auto& file_system = *opened;
  EFI_FILE_HANDLE root = nullptr;
  TRY(check(file_system->OpenVolume(file_system.get(), &root), "volume cannot be opened"));
  if (root == nullptr) return fail(Errc::unsupported, "volume without a root directory");
  return root;
}

std::size_t name_start(std::u16string_view path) {
  const auto separator = path.rfind(u'\\');
  return separator == path.npos ? 0 : separator + 1;
}

// The size to read, taken once. Errors: unsupported.
Result<std::uint64_t> size_to_read(File& file, std::uint64_t max_size) {
  const FileInfo info = TRY(file.info());
  if (info.is_directory()) return fail(Errc::unsupported, "is a directory");
  if (info.size > max_size) return fail(Errc::unsupported, "file too large", info.size);
  return info.size;
}

}  // namespace

File::~File() {
  if (file_ != nullptr) file_->Close(file_);
}

Result<FileInfo> File::info() {
  InfoBuffer buffer;
  UINTN size = sizeof(buffer);
  TRY(check(file_->GetInfo(file_, as_efi(file_info_id), &size, buffer.bytes),
            "file information cannot be read"));
  if (size < name_offset || size > sizeof(buffer))
    return fail(Errc::malformed, "file information of a wrong size", size);
  return to_file_info(buffer.bytes);
}

Result<> File::read_at(std::uint64_t at, MutableBytes out, ReadObserver* observer) {
  if (position_ != at) TRY(check(file_->SetPosition(file_, at), "position in file cannot be set"));
  position_ = unknown_position;  // until everything went well
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t wanted = std::min<std::size_t>(out.size() - done, read_chunk);
    UINTN got = wanted;
    TRY(check(file_->Read(file_, &got, out.data() + done), "file cannot be read"));
    if (got == 0) return fail(Errc::truncated, "file ends before its size", at + done);
    if (got > wanted) return fail(Errc::malformed, "firmware read more than asked", at + done);
    done += got;
    if (observer != nullptr) {
      rearm_watchdog();
      observer->chunk_read(done, out.size());
    }
  }
  position_ = at + done;
  return {};
}

Result<> File::read_whole(MutableBytes out, ReadObserver* observer) {
  TRY(read_at(0, out, observer));
  std::byte excess;
  const Result<> more = read_at(out.size(), {&excess, 1});
  if (more.has_value()) return fail(Errc::malformed, "file is longer than its size", out.size());
  if (more.error().code != Errc::truncated) return fail(more.error());
  return {};
}

Result<std::optional<DirectoryItem>> Directory::next() {
  while (!ended_) {
    UINTN size = sizeof(buffer_);
    const Status result = file_.file_->Read(file_.file_, &size, buffer_);
    ended_ = failed(result) || size == 0;
    TRY(check(result, "directory cannot be read"));
    if (ended_) break;
    if (size < name_offset || size > sizeof(buffer_)) {
      ended_ = true;
      return fail(Errc::malformed, "directory item of a wrong size", size);
    }
    const auto* const text = reinterpret_cast<const char16_t*>(buffer_ + name_offset);
    const std::size_t room = (size - name_offset) / sizeof(char16_t);
    const std::u16string_view name(text, std::find(text, text + room, u'\0'));
    if (name == u"." || name == u".." || name.empty()) continue;
    return DirectoryItem{.name = name, .info = to_file_info(buffer_)};
  }
  return std::nullopt;
}

Result<Volume> Volume::open(Handle device) {
  Volume volume;
  volume.root_ = TRY(open_root(device));
  volume.device_ = device;
  return volume;
}

Volume::Volume(Volume&& other) noexcept
    : device_(other.device_), root_(std::exchange(other.root_, nullptr)) {}
Volume& Volume::operator=(Volume&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(root_, other.root_);
  return *this;
}
Volume::~Volume() {
  if (root_ != nullptr) root_->Close(root_);
}

Result<VolumeState> Volume::state() {
  InfoBuffer buffer;
  UINTN size = sizeof(buffer);
  TRY(check(root_->GetInfo(root_, as_efi(file_system_info_id), &size, buffer.bytes),
            "volume information cannot be read"));
  constexpr std::size_t label_offset = offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel);
  if (size < label_offset || size > sizeof(buffer))
    return fail(Errc::malformed, "volume information of a wrong size", size);
  EFI_FILE_SYSTEM_INFO info;
  __builtin_memcpy(&info, buffer.bytes, label_offset);
  return VolumeState{.read_only = info.ReadOnly != FALSE, .free_space = info.FreeSpace};
}

Result<_EFI_FILE_HANDLE*> Volume::open_raw(std::u16string_view path, std::uint64_t mode) {
  if (path.size() > longest_path) return fail(Errc::unsupported, "path too long", path.size());
  FirmwareText text = TRY(FirmwareText::from(path));
  EFI_FILE_HANDLE file = nullptr;
  Status result = root_->Open(root_, &file, text.efi(), mode, 0);
  if (result == status::media_changed) {  // seen on laptops: the handle of the root is stale
    const EFI_FILE_HANDLE fresh = TRY(open_root(device_));
    root_->Close(std::exchange(root_, fresh));
    result = root_->Open(root_, &file, text.efi(), mode, 0);
  }
  TRY(check(result, "file cannot be opened"));
  if (file == nullptr) return fail(Errc::firmware, "file opened without a handle");
  return file;
}

Result<File> Volume::open_file(std::u16string_view path) {
  return File(TRY(open_raw(path, EFI_FILE_MODE_READ)));
}

Result<Directory> Volume::open_directory(std::u16string_view path) {
  Directory directory(TRY(open_file(path)));
  if (!TRY(directory.file_.info()).is_directory())
    return fail(Errc::unsupported, "not a directory");
  return directory;
}

bool Volume::exists(std::u16string_view path) { return open_file(path).has_value(); }

Result<FileInfo> Volume::info(std::u16string_view path) {
  File file = TRY(open_file(path));
  return file.info();
}

Result<Pages> Volume::read_file(std::u16string_view path, std::uint64_t max_size,
                                ReadObserver* observer) {
  return read_file(path, max_size, MemoryLimit::anywhere, observer);
}

Result<Pages> Volume::read_file(std::u16string_view path, std::uint64_t max_size, MemoryLimit limit,
                                ReadObserver* observer) {
  File file = TRY(open_file(path));
  const std::uint64_t size = TRY(size_to_read(file, max_size));
  Pages pages = TRY(Pages::allocate({.size = size, .limit = limit, .fill = Fill::tail_zero}));
  TRY(file.read_whole(pages.mutable_bytes(), observer));
  return pages;
}

Result<Bytes> Volume::read_small_file(std::u16string_view path, std::uint64_t max_size,
                                      TextArena& arena) {
  File file = TRY(open_file(path));
  const std::uint64_t size = TRY(size_to_read(file, max_size));
  const MutableBytes room = TRY(arena.reserve(static_cast<std::size_t>(size), 8));
  TRY(file.read_whole(room));
  return Bytes(room);
}

Result<> Volume::rename(WriteGate& gate, std::u16string_view path, std::u16string_view new_name) {
  const std::size_t start = name_start(path);
  if (new_name.empty() || new_name.size() > EspPath::max_name ||
      start + new_name.size() > longest_path)
    return fail(Errc::denied, "new name or its path too long", new_name.size());
  if (!gate.is_open()) return fail(Errc::denied, "a write failed before in this boot");
  const VolumeState before = TRY(state());
  if (before.read_only) return fail(Errc::denied, "volume is read-only");
  if (before.free_space < least_free_space)
    return fail(Errc::denied, "too little free space to rename safely");
  if (TRY(info(path)).is_read_only()) return fail(Errc::denied, "file is read-only");

  char16_t new_path[longest_path];
  std::copy_n(path.data(), start, new_path);
  std::copy_n(new_name.data(), new_name.size(), new_path + start);
  const std::u16string_view new_path_text(new_path, start + new_name.size());

  const Result<> attempt = [&]() -> Result<> {
    File file(TRY(open_raw(path, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)));
    InfoBuffer buffer;
    UINTN size = sizeof(buffer);
    TRY(check(file.file_->GetInfo(file.file_, as_efi(file_info_id), &size, buffer.bytes),
              "file information cannot be read"));
    const std::uint64_t info_size = name_offset + (new_name.size() + 1) * sizeof(char16_t);
    __builtin_memcpy(buffer.bytes, &info_size, sizeof(info_size));  // EFI_FILE_INFO.Size
    __builtin_memcpy(buffer.bytes + name_offset, new_name.data(),
                     new_name.size() * sizeof(char16_t));
    __builtin_memset(buffer.bytes + info_size - sizeof(char16_t), 0, sizeof(char16_t));
    TRY(check(file.file_->SetInfo(file.file_, as_efi(file_info_id), info_size, buffer.bytes),
              "file cannot be renamed"));
    return check(file.file_->Flush(file.file_), "renamed file cannot be flushed");
  }();
  if (attempt.has_value()) return {};
  gate.close();
  // The driver may have done it and failed afterwards.
  if (exists(new_path_text) && !exists(path)) return {};
  return attempt;
}

Result<> File::write_from_start(Bytes content) {
  TRY(check(file_->SetPosition(file_, 0), "position in file cannot be set"));
  position_ = unknown_position;
  std::size_t done = 0;
  while (done < content.size()) {
    const std::size_t wanted = std::min<std::size_t>(content.size() - done, read_chunk);
    UINTN written = wanted;
    TRY(check(file_->Write(file_, &written, const_cast<std::byte*>(content.data() + done)),
              "file cannot be written"));
    if (written == 0 || written > wanted)
      return fail(Errc::malformed, "firmware wrote another number of bytes", done);
    done += written;
  }
  return check(file_->Flush(file_), "written file cannot be flushed");
}

Result<> Volume::overwrite(WriteGate& gate, std::u16string_view path, Bytes content) {
  if (!gate.is_open()) return fail(Errc::denied, "a write failed before in this boot");
  if (TRY(state()).read_only) return fail(Errc::denied, "volume is read-only");
  const FileInfo before = TRY(info(path));
  if (before.is_read_only()) return fail(Errc::denied, "file is read-only");
  if (before.is_directory() || before.size != content.size())
    return fail(Errc::denied, "file is not of the size that is written", before.size);

  const Result<> attempt = [&]() -> Result<> {
    File file(TRY(open_raw(path, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)));
    return file.write_from_start(content);
  }();
  if (!attempt.has_value()) gate.close();
  return attempt;
}

Result<HandleList> all_volumes() {
  return HandleList::with_protocol(protocol_guid::simple_file_system);
}

}  // namespace keelson::efi
