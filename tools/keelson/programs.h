// SPDX-License-Identifier: MIT
//
// Owns where our firmware programs are: installed in /usr/lib/keelson/efi, or in the build
// directory that this tool was built in. `X.efi.signed` beside `X.efi` is preferred.
#pragma once

#include <string>

#include "tools/keelson/host_file.h"

namespace keelson::tool {

enum class Program { loader, stub, addon };

// The file of `program` for `arch` ("x64"): "keelson-bootx64.efi", "keelson-stubx64.efi.stub".
std::string program_file_name(Program program, const std::string& arch);

// Where it is. `directory` empty: the usual places. Failure names what was looked for, where.
fs::path find_program(Program program, const std::string& arch, const fs::path& directory = {});

// The UEFI name of this machine's architecture: "x64".
std::string native_arch();
bool is_architecture(std::string_view name);

}  // namespace keelson::tool
