// SPDX-License-Identifier: MIT
//
// Owns the inputs of a UKI that are about certain machines: `.hwids` made of JSON descriptions,
// `.efifw` made of a directory (tools.md 2.3, stub.md 1.4).
#pragma once

#include <optional>
#include <string>

#include "efi/base/error.h"
#include "tools/keelson/host_file.h"

namespace keelson::tool {

// A `.hwids` section of all *.json files below `directory`, in the order of their paths. Each is an
// object with `name`, `hwids` (a list of UUIDs) and either `compatible` (a device tree) or `fwid`
// (firmware); `type` (`devicetree`, `uefi-fw`) may say which. Failure names the file.
Buffer hwids_of(const fs::path& directory);

// Whether the stub finds every device of a finished table. Errors: those of
// hardware_ids::find_device; not_found (no record), truncated (no empty record behind the last).
Result<> check_hwids(Bytes table);

// An `.efifw` section: the only file in `directory`, whose name is the firmware's id. Failure names
// it.
Buffer efifw_of(const fs::path& directory);

}  // namespace keelson::tool
