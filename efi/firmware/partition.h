// SPDX-License-Identifier: MIT
//
// Owns which partition a volume is: its GPT unique GUID, and the ESP and the XBOOTLDR partition on
// the same disk (loader.md 1), found by reading the disk's GPT. The format is efi/format/gpt.h,
// paths are efi/format/device_path.h. Other disks are never looked at.
#pragma once

#include "efi/firmware/handle.h"
#include "efi/firmware/volume.h"

namespace keelson::efi {

// The unique GUID of the partition that `device_path` leads through (its first GPT hard drive
// node). Error: not_found.
Result<Guid> partition_guid(Bytes device_path);
// The same of a device; if it is the boot partition of a disc (El Torito, no GUID in its path), of
// the ESP in the disc's GPT that begins at the same byte (stub.md 8.1). Errors also: firmware.
Result<Guid> partition_guid(Handle device);

// The volume with the XBOOTLDR partition of the disk that `own_device` lies on; the disk and the
// partition are connected if the firmware has not done it. `own_device` itself is never answered.
// Errors: not_found (no such disk, no GPT, no such partition), firmware.
Result<Volume> open_xbootldr(Handle own_device);

// The same for the ESP, which may be `own_device` itself: with several ESPs on the disk it is that
// one if it is one of them, else the first.
Result<Volume> open_esp(Handle own_device);

}  // namespace keelson::efi
