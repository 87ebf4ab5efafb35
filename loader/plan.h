// SPDX-License-Identifier: MIT
//
// Owns what happens after a failure: one pure function over everything that can go wrong between
// the first firmware call and the return of a started image (design: "When something fails").
// Nothing else in the loader decides between menu, reset, rescue and leaving.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "efi/format/loader_conf.h"

namespace keelson::loader {

// What went wrong. An entry passes read, count, verify, measure and start in this order.
enum class Failure : std::uint8_t {
  own_volume,      // not openable, or no memory for the list of entries
  configuration,   // loader.conf, a directory or XBOOTLDR unreadable
  no_entries,      // nothing that would start by itself
  console,         // timer, key input or screen
  read,            // the image, or a file that the entry names
  count,           // volume, file or rename
  verify,          // LoadImage
  measure,         // options or a companion
  start,           // StartImage answered with an error
  start_returned,  // it returned success: not a failure, but nothing has been booted
  action,          // the firmware does not reset, power off, or offer its setup
};

// What may be chosen after a failure: one element per entry, in menu order.
struct Candidate {
  bool automatic = true;  // may be started without being asked for
  bool bad = false;       // counted, and no tries left
  bool failed = false;    // in this boot
  bool returned = false;  // in this boot, with success: by hand it may run again
};

// What is known of the attempt that failed.
struct Attempt {
  bool counter_written = false;
  // Of the file name as it was read, before it was renamed; nullopt: not counted.
  std::optional<std::uint32_t> tries_left = std::nullopt;
  // PCR 11, 12 or 13 (or a register they map to) extended since the read. A log that cannot be
  // read or is truncated counts as extended; no TPM and no CC protocol as not.
  bool registers_extended = false;
};

// What is known of this boot.
struct Circumstances {
  RebootOnError reboot_on_error = RebootOnError::automatic;
  bool menu_disabled = false;
  // LoaderEntryOneShot existed when this boot began, whatever it named: a second rescue in a row
  // would send two broken entries to and fro.
  bool began_with_one_shot = false;
  // Writing LoaderEntryOneShot was tried and did not succeed.
  bool one_shot_unwritable = false;
  std::span<const Candidate> entries = {};
};

enum class Action : std::uint8_t {
  proceed,        // with what there is; one line in the log
  end_countdown,  // go on as if the countdown had ended
  menu,           // show it, with `countdown`
  reset,          // cold, after `countdown_s`; a key makes it come at once
  rescue,         // write LoaderEntryOneShot = `highlighted`, then reset; a key opens the menu
  leave,          // to whoever started the loader, with the first error
};

enum class AtZero : std::uint8_t { boot_highlighted, leave };

struct Next {
  Action action = Action::proceed;
  std::optional<std::size_t> highlighted = std::nullopt;    // index of an entry
  std::optional<std::uint32_t> countdown_s = std::nullopt;  // menu: nullopt shows it without countdown
  AtZero at_zero = AtZero::boot_highlighted;              // menu: what the end of the countdown means
  bool keys = true;                                       // menu, rescue: whether keys may change what happens
  bool message = false;                                   // on the screen, naming file and reason
  bool unlock_hint = false;                               // unlocking by TPM will not work in this boot
  friend bool operator==(const Next&, const Next&) = default;
};

inline constexpr std::uint32_t menu_after_failure_s = 30;
inline constexpr std::uint32_t reset_delay_s = 5;
inline constexpr std::uint32_t rescue_delay_s = 30;

// The first entry from the top that may be started automatically and has not failed in this boot;
// bad ones only if there is no other.
std::optional<std::size_t> find_candidate(std::span<const Candidate> entries);

// How the boot begins.
enum class Opening : std::uint8_t {
  straight,      // the default starts; keys are not looked at
  look_for_key,  // it starts unless a key is there already
  menu,
};
Opening plan_opening(const MenuTimeout& timeout);

Next plan_after(Failure failure, const Attempt& attempt, const Circumstances& circumstances);

}  // namespace keelson::loader
