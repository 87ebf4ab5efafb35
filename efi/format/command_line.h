// SPDX-License-Identifier: MIT
//
// Owns command lines of Linux on their way through UEFI: what the loader passes, how the stub reads
// load options (profile selector, binary junk), normalising, and which line counts under Secure
// Boot and in confidential VMs (stub rules of systemd 261). Shared by stub, loader and
// `keelson predict`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "efi/base/esp_path.h"

namespace keelson {

// What a stub was asked for through its load options.
struct BootRequest {
  std::uint32_t profile = 0;
  std::u16string_view line = {};  // empty: nothing passed
};

// LoadOptions as the firmware or a loader passes them: UTF-16, NUL optional, an odd last byte is
// ignored. With a control character in them they count as binary: profile 0, nothing passed. The
// line is normalised. Error: out_of_memory.
Result<BootRequest> parse_load_options(Bytes load_options, TextArena& arena);
// The arguments of a UEFI shell, the program's name first. Joined by spaces, not normalised.
Result<BootRequest> parse_shell_arguments(std::span<const std::u16string_view> arguments,
                                          TextArena& arena);

// `@N`, alone or followed by a space, at the start; nullopt for anything else. `rest` is what
// follows.
struct ProfileSelector {
  std::uint32_t profile = 0;
  std::u16string_view rest = {};
};
std::optional<ProfileSelector> parse_profile_selector(std::u16string_view line);

// White space (up to U+0020, and DEL) at both ends dropped, inside each replaced by a space.
std::u16string_view normalise(std::span<char16_t> line);
Result<std::u16string_view> normalise(std::u16string_view line, TextArena& arena);
// A .cmdline section: UTF-8 up to its NUL, what does not decode is dropped, then normalised.
Result<std::u16string_view> normalise_utf8(Bytes section, TextArena& arena);

struct LineFacts {
  bool secure_boot = false;
  bool confidential_vm = false;
  std::optional<std::u16string_view> embedded =
      {};                           // normalised .cmdline; nullopt: no such section
  std::u16string_view passed = {};  // of the request
};
struct BaseLine {
  std::u16string_view text = {};
  bool measured = false;        // came from outside the image: goes to PCR 12
  bool passed_ignored = false;  // a line was passed and policy dropped it
};
BaseLine choose_base_line(const LineFacts& facts);

// What the loader passes to the image it starts.
struct PassedOptions {
  std::span<const EspPath> initrds = {};  // each `initrd=PATH` in front; kind linux only
  std::u16string_view options = {};
  bool implied = false;  // the options are the UKI's own, so they are not passed
  std::uint32_t profile = 0;
};
// nullopt: LoadOptions stay untouched. The text is followed by a NUL, which LoadOptionsSize
// includes. Error: out_of_memory.
Result<std::optional<std::u16string_view>> compose_load_options(const PassedOptions& passed,
                                                                TextArena& arena);

}  // namespace keelson
