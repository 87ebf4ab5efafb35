// SPDX-License-Identifier: MIT
//
// Owns how Linux gets its initrd (stub.md 7.4): a handle with the LINUX_EFI_INITRD_MEDIA device
// path and LoadFile2, which answers from a list of parts and copies each once into the caller's
// buffer. Who made the parts, and in which order, is not known here.
#pragma once

#include <optional>
#include <span>

#include "efi/base/page_list.h"
#include "efi/firmware/handle.h"
#include "efi/firmware/undo.h"
#include "efi/format/initrd_parts.h"

namespace keelson::efi {

class InitrdMedia {
 public:
  InitrdMedia() = default;
  InitrdMedia(const InitrdMedia&) = delete;
  InitrdMedia& operator=(const InitrdMedia&) = delete;
  ~InitrdMedia() { remove(); }

  using LastPart = initrd_parts::LastPart;
  // Serves the parts joined. The bytes must live until remove();
  // empty parts are skipped; nothing to serve means that nothing is registered. Other holders of
  // the path lose it until remove() (their LoadFile2 stays). Errors: out_of_memory, firmware.
  Result<> serve(std::span<const Bytes> parts, LastPart last_part);
  // Takes it away again; holders that lost their path have it back (R11).
  void remove();

 private:
  Pages state_;  // the protocol and the parts: must not move while the firmware knows it
  UndoRegistration undo_;
};

// The initrd that somebody has registered before us: firmware (direct boot) or a loader. nullopt if
// none, or if it is empty. Errors: out_of_memory, unsupported (over `max_size`), firmware.
Result<std::optional<Pages>> fetch_registered_initrd(std::uint64_t max_size);

}  // namespace keelson::efi
