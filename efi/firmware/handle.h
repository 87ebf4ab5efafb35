// SPDX-License-Identifier: MIT
//
// Owns what every part of the firmware layer speaks of: handles, status codes and their translation
// to errors, handle lists, device paths of handles, targeted connecting. No gnu-efi in here.
#pragma once

#include <cstdint>
#include <span>

#include "efi/base/bytes.h"
#include "efi/base/guid.h"

namespace keelson::efi {

using Handle = void*;
using Status = std::uint64_t;  // EFI_STATUS

namespace status {
constexpr Status error_bit = Status{1} << 63;
constexpr Status success = 0;
constexpr Status load_error = error_bit | 1;
constexpr Status invalid_parameter = error_bit | 2;
constexpr Status unsupported = error_bit | 3;
constexpr Status buffer_too_small = error_bit | 5;
constexpr Status not_ready = error_bit | 6;
constexpr Status device_error = error_bit | 7;
constexpr Status write_protected = error_bit | 8;
constexpr Status out_of_resources = error_bit | 9;
constexpr Status volume_full = error_bit | 11;
constexpr Status media_changed = error_bit | 13;
constexpr Status not_found = error_bit | 14;
constexpr Status access_denied = error_bit | 15;
constexpr Status timeout = error_bit | 18;
constexpr Status aborted = error_bit | 21;
constexpr Status security_violation = error_bit | 26;
}  // namespace status

constexpr bool failed(Status value) { return (value & status::error_bit) != 0; }
// Success for success and warnings. The codes that policy distinguishes become their own Errc,
// all others Errc::firmware; a status that this does not tell is in `where`.
Result<> check(Status value, std::string_view what);
// The status a program ends with when it returns `error`: the one `error` was made of, if any.
Status to_status(const Error& error);

// Handles that carry a protocol, in the firmware's order. Owns the firmware's buffer.
class HandleList {
 public:
  // None at all is an empty list. Errors: out_of_memory, firmware.
  static Result<HandleList> with_protocol(const Guid& protocol);
  HandleList() = default;
  HandleList(HandleList&& other) noexcept
      : handles_(std::exchange(other.handles_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  HandleList& operator=(HandleList&& other) noexcept {
    std::swap(handles_, other.handles_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~HandleList();

  std::span<const Handle> items() const { return {handles_, count_}; }
  auto begin() const { return items().begin(); }
  auto end() const { return items().end(); }
  bool empty() const { return count_ == 0; }

 private:
  Handle* handles_ = nullptr;
  std::size_t count_ = 0;
};

bool is_protocol_present(const Guid& protocol);  // on any handle

// A device path as the firmware holds it, up to and with its end node. The bytes belong to the
// firmware. Errors: not_found (null, or no path), malformed (a node under 4 bytes, over 64 KiB in
// all).
Result<Bytes> device_path_at(const void* path);
Result<Bytes> device_path_of(Handle handle);
// The handle with `protocol` whose path is the longest beginning of `path`, and what remains of it.
struct Located {
  Handle handle = nullptr;
  Bytes rest;  // with the end node
};
Result<Located> locate_device_path(const Guid& protocol, Bytes path);

enum class Depth : bool { itself, with_children };
// Lets drivers bind to one controller. not_found means that nothing wanted to.
Result<> connect(Handle controller, Depth depth);

namespace protocol_guid {
constexpr Guid device_path = "09576e91-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr Guid block_io = "964e5b21-6459-11d2-8e39-00a0c969723b"_guid;
constexpr Guid simple_file_system = "964e5b22-6459-11d2-8e39-00a0c969723b"_guid;
constexpr Guid loaded_image = "5b1b31a1-9562-11d2-8e3f-00a0c969723b"_guid;
constexpr Guid load_file2 = "4006c0c1-fcb3-403e-996d-4a6c8724e06d"_guid;
constexpr Guid tcg2 = "607f766c-7455-42be-930b-e4d76db2720f"_guid;
constexpr Guid cc_measurement = "96751a3d-72f4-41a6-a794-ed5d0e67ae6b"_guid;
constexpr Guid memory_attribute = "f4560cf6-40ec-4b4a-a192-bf1d57d0b189"_guid;
constexpr Guid security_arch = "a46423e3-4617-49f1-b9ff-d1bfa9115839"_guid;
constexpr Guid security2_arch = "94ab2f58-1438-4ef1-9152-18941a3a0e68"_guid;
constexpr Guid shim_lock = "605dab50-e046-4300-abb6-3dd810dd8b23"_guid;
constexpr Guid shim_image_loader = "1f492041-fadb-4e59-9e57-7cafe73a55ab"_guid;
constexpr Guid timestamp = "afbfde41-2e6e-4262-ba65-62b9236e5495"_guid;
constexpr Guid rng = "3152bca5-eade-433d-862e-c01cdc291f44"_guid;
constexpr Guid shell_parameters = "752f3136-4e16-4fdc-a22a-e5f46812f4ca"_guid;
constexpr Guid text_input_ex = "dd9e7534-7762-4698-8c14-f58517a625aa"_guid;
constexpr Guid hii_database = "ef9fc172-a1b2-4693-b327-6d32fc416042"_guid;
constexpr Guid console_control = "f42f7782-012e-4c12-9956-49f94304f721"_guid;
constexpr Guid graphics_output = "9042a9de-23dc-4a38-96fb-7aded080516a"_guid;
constexpr Guid text_output = "387477c2-69c7-11d2-8e39-00a0c969723b"_guid;
constexpr Guid pci_io = "4cf5b200-68b8-4ca5-9eec-b23e3f50029a"_guid;
constexpr Guid edid_discovered = "1c0c34f6-d380-41fa-a049-8ad06c1a66aa"_guid;
constexpr Guid device_tree_fixup = "e617d64c-fe08-46da-f4dc-bbd5870c7300"_guid;
}  // namespace protocol_guid

namespace table_guid {
constexpr Guid smbios = "eb9d2d31-2d88-11d3-9a16-0090273fc14d"_guid;
constexpr Guid smbios3 = "f2fd1544-9794-4a2c-992e-e5bbcf20e394"_guid;
constexpr Guid device_tree = "b1b621d5-f19c-41a5-830b-d9152c69aae0"_guid;
}  // namespace table_guid

}  // namespace keelson::efi
