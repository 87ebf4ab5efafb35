// SPDX-License-Identifier: MIT
//
// Status translation, handle lists, device paths of handles, opening protocols (handle.h,
// protocol.h).
#include "efi/firmware/handle.h"

#include "efi/firmware/entry.h"
#include "efi/firmware/protocol.h"

namespace keelson::efi {

Result<> check(Status value, std::string_view what) {
  if (!failed(value)) return {};
  switch (value) {
    case status::not_found:
      return fail(Errc::not_found, what);
    case status::unsupported:
      return fail(Errc::unsupported, what);
    case status::out_of_resources:
      return fail(Errc::out_of_memory, what);
    case status::access_denied:
      return fail(Errc::denied, what);
    case status::write_protected:
    case status::security_violation:
      return fail(Errc::denied, what, value);
    default:
      return fail(Errc::firmware, what, value);
  }
}

Status to_status(const Error& error) {
  if (error.has_status()) return error.where;
  switch (error.code) {
    case Errc::truncated:
    case Errc::malformed:
      return status::load_error;
    case Errc::unsupported:
      return status::unsupported;
    case Errc::not_found:
      return status::not_found;
    case Errc::denied:
      return status::access_denied;
    case Errc::out_of_memory:
      return status::out_of_resources;
    case Errc::firmware:
      break;
  }
  return status::aborted;
}

Result<HandleList> HandleList::with_protocol(const Guid& protocol) {
  HandleList list;
  UINTN count = 0;
  const Status result = boot_services().LocateHandleBuffer(ByProtocol, as_efi(protocol), nullptr,
                                                           &count, &list.handles_);
  if (result == status::not_found) return list;
  TRY(check(result, "handles cannot be listed"));
  list.count_ = count;
  return list;
}

HandleList::~HandleList() {
  if (handles_ != nullptr) boot_services().FreePool(handles_);
}

bool is_protocol_present(const Guid& protocol) { return locate_protocol(protocol).has_value(); }

Result<Bytes> device_path_at(const void* path) {
  constexpr std::size_t limit = 64_KiB;
  constexpr std::byte end_type{0x7f};
  constexpr std::byte end_of_all{0xff};
  if (path == nullptr) return fail(Errc::not_found, "no device path");
  const auto* const start = static_cast<const std::byte*>(path);
  std::size_t at = 0;
  while (at + 4 <= limit) {
    const std::byte* const node = start + at;
    const std::size_t size =
        std::to_integer<std::size_t>(node[2]) | std::to_integer<std::size_t>(node[3]) << 8;
    if (size < 4 || size > limit - at) return fail(Errc::malformed, "bad device path node", at);
    at += size;
    if (node[0] == end_type && node[1] == end_of_all) return Bytes(start, at);
  }
  return fail(Errc::malformed, "device path without end", at);
}

Result<Bytes> device_path_of(Handle handle) {
  return device_path_at(protocol_on(handle, protocol_guid::device_path));
}

Result<Located> locate_device_path(const Guid& protocol, Bytes path) {
  EFI_DEVICE_PATH* rest = as_device_path(path);
  Located located;
  TRY(check(boot_services().LocateDevicePath(as_efi(protocol), &rest, &located.handle),
            "no device on this path"));
  located.rest = TRY(device_path_at(rest));
  return located;
}

Result<> connect(Handle controller, Depth depth) {
  return check(boot_services().ConnectController(controller, nullptr, nullptr,
                                                 depth == Depth::with_children ? TRUE : FALSE),
               "controller cannot be connected");
}

Result<void*> open_protocol(Handle on, const Guid& protocol) {
  if (on == nullptr) return fail(Errc::not_found, "no handle");
  void* opened = nullptr;
  TRY(check(boot_services().OpenProtocol(on, as_efi(protocol), &opened, own_handle(), nullptr,
                                         EFI_OPEN_PROTOCOL_GET_PROTOCOL),
            "protocol cannot be opened"));
  if (opened == nullptr) return fail(Errc::unsupported, "protocol without interface");
  return opened;
}

void close_protocol(Handle on, const Guid& protocol) {
  boot_services().CloseProtocol(on, as_efi(protocol), own_handle(), nullptr);
}

void* protocol_on(Handle handle, const Guid& protocol) {
  void* found = nullptr;
  if (handle == nullptr || failed(boot_services().HandleProtocol(handle, as_efi(protocol), &found)))
    return nullptr;
  return found;
}

Result<void*> locate_protocol(const Guid& protocol) {
  void* found = nullptr;
  TRY(check(boot_services().LocateProtocol(as_efi(protocol), nullptr, &found), "no such protocol"));
  if (found == nullptr) return fail(Errc::unsupported, "protocol without interface");
  return found;
}

Result<FirmwareText> FirmwareText::from(std::u16string_view text) {
  if (text.size() > capacity) return fail(Errc::unsupported, "name or path too long", text.size());
  if (text.find(u'\0') != text.npos) return fail(Errc::malformed, "NUL in a name or path");
  FirmwareText result;
  for (std::size_t i = 0; i < text.size(); ++i) result.text_[i] = text[i];
  result.text_[text.size()] = 0;
  return result;
}

}  // namespace keelson::efi
