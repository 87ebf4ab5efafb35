// SPDX-License-Identifier: MIT
//
// Owns scoped protocol use: guid_of (a protocol without GUID does not compile), Protocol, which
// remembers the handle it was opened on and closes there, and locate for services that exist once.
// For .cpp files of this folder; it includes gnu-efi.
#pragma once

#include <utility>

#include "efi/firmware/uefi.h"

namespace keelson::efi {

template <class Interface>
struct guid_of;  // undefined: unknown protocol, no build

template <const Guid& value_>
struct GuidConstant {
  static constexpr const Guid& value = value_;
};
template <>
struct guid_of<EFI_DEVICE_PATH> : GuidConstant<protocol_guid::device_path> {};
template <>
struct guid_of<EFI_BLOCK_IO_PROTOCOL> : GuidConstant<protocol_guid::block_io> {};
template <>
struct guid_of<EFI_SIMPLE_FILE_SYSTEM_PROTOCOL> : GuidConstant<protocol_guid::simple_file_system> {
};
template <>
struct guid_of<EFI_LOADED_IMAGE_PROTOCOL> : GuidConstant<protocol_guid::loaded_image> {};
template <>
struct guid_of<LoadFile2Protocol> : GuidConstant<protocol_guid::load_file2> {};
template <>
struct guid_of<Tcg2Protocol> : GuidConstant<protocol_guid::tcg2> {};
template <>
struct guid_of<CcProtocol> : GuidConstant<protocol_guid::cc_measurement> {};
template <>
struct guid_of<MemoryAttributeProtocol> : GuidConstant<protocol_guid::memory_attribute> {};
template <>
struct guid_of<SecurityArchProtocol> : GuidConstant<protocol_guid::security_arch> {};
template <>
struct guid_of<Security2ArchProtocol> : GuidConstant<protocol_guid::security2_arch> {};
template <>
struct guid_of<ShimLockProtocol> : GuidConstant<protocol_guid::shim_lock> {};
template <>
struct guid_of<TimestampProtocol> : GuidConstant<protocol_guid::timestamp> {};
template <>
struct guid_of<ShellParametersProtocol> : GuidConstant<protocol_guid::shell_parameters> {};
template <>
struct guid_of<HiiDatabaseProtocol> : GuidConstant<protocol_guid::hii_database> {};
template <>
struct guid_of<EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL> : GuidConstant<protocol_guid::text_input_ex> {};

template <>
struct guid_of<EFI_GRAPHICS_OUTPUT_PROTOCOL> : GuidConstant<protocol_guid::graphics_output> {};
template <>
struct guid_of<ConsoleControlProtocol> : GuidConstant<protocol_guid::console_control> {};
template <>
struct guid_of<EFI_RNG_PROTOCOL> : GuidConstant<protocol_guid::rng> {};

template <>
struct guid_of<EFI_PCI_IO_PROTOCOL> : GuidConstant<protocol_guid::pci_io> {};
template <>
struct guid_of<EFI_EDID_DISCOVERED_PROTOCOL> : GuidConstant<protocol_guid::edid_discovered> {};
template <>
struct guid_of<DeviceTreeFixupProtocol> : GuidConstant<protocol_guid::device_tree_fixup> {};

// The two calls under Protocol.
Result<void*> open_protocol(Handle on, const Guid& protocol);
void close_protocol(Handle on, const Guid& protocol);

template <class Interface>
class Protocol {
 public:
  Protocol() = default;
  // Errors: unsupported (not on this handle), firmware.
  static Result<Protocol> open(Handle on) {
    Protocol opened;
    opened.interface_ = static_cast<Interface*>(TRY(open_protocol(on, guid_of<Interface>::value)));
    opened.on_ = on;
    return opened;
  }
  Protocol(Protocol&& other) noexcept
      : on_(other.on_), interface_(std::exchange(other.interface_, nullptr)) {}
  Protocol& operator=(Protocol&& other) noexcept {
    std::swap(on_, other.on_);
    std::swap(interface_, other.interface_);
    return *this;
  }
  ~Protocol() {
    if (interface_ != nullptr) close_protocol(on_, guid_of<Interface>::value);
  }
  Interface* operator->() const { return interface_; }
  Interface* get() const { return interface_; }
  Handle on() const { return on_; }

 private:
  Handle on_ = nullptr;
  Interface* interface_ = nullptr;
};

// The interface without opening it: for what lives as long as its handle. nullptr if it is not
// there.
void* protocol_on(Handle handle, const Guid& protocol);
template <class Interface>
Interface* interface_on(Handle handle) {
  return static_cast<Interface*>(protocol_on(handle, guid_of<Interface>::value));
}

Result<void*> locate_protocol(const Guid& protocol);
// The first instance of a protocol that a platform has once; nullptr if there is none.
template <class Interface>
Interface* locate() {
  const auto found = locate_protocol(guid_of<Interface>::value);
  return found.has_value() ? static_cast<Interface*>(*found) : nullptr;
}

// A text with a NUL behind it, as firmware wants names and paths. Longer ones do not exist for us.
class FirmwareText {
 public:
  static constexpr std::size_t capacity = 511;
  // Errors: malformed, for a NUL inside; unsupported, if longer than `capacity`.
  static Result<FirmwareText> from(std::u16string_view text);
  const char16_t* c_str() const { return text_; }
  CHAR16* efi() { return text_; }

 private:
  char16_t text_[capacity + 1];
};

}  // namespace keelson::efi
