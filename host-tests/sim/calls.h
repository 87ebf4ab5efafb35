// SPDX-License-Identifier: MIT
//
// Owns the list of firmware calls that a program has made, and the fault that is injected into one
// of them. Every function of a table or protocol begins with
//   if (const auto failure = calls.enter("HandleProtocol")) return *failure;
// or, where the specification knows no failure that a program could meet (FreePool, CloseEvent),
// with calls.note(...).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "efi/firmware/handle.h"

namespace keelson::sim {

struct Call {
  std::string_view name;  // a literal: "File.Open"
  std::string detail;     // what it was about: a path, a variable, a GUID
  std::uint64_t number;   // from 1 on; 0 for calls that cannot fail
};

class Calls {
 public:
  // The status to answer with at once, if a fault is injected here; else nullopt.
  std::optional<efi::Status> enter(std::string_view name, std::string detail = {});
  std::optional<efi::Status> enter(std::string_view name, std::u16string_view detail);
  void note(std::string_view name);

  // The n-th call that can fail (from 1 on) does, with `status`; without one, with what fits it.
  void fail_call(std::uint64_t number, std::optional<efi::Status> status = std::nullopt);
  // That one and all later ones.
  void fail_from(std::uint64_t number, std::optional<efi::Status> status = std::nullopt);
  // Every call of that name, from now on. `detail`: only those whose detail contains it.
  void fail_every(std::string_view name, efi::Status status, std::string_view detail = {});
  void fail_none();

  // Every call of that name takes so long from now on. `detail`: only those whose detail contains
  // it. Between calls no time passes: what a program computes itself counts as part of the next.
  void set_duration(std::string_view name, std::uint64_t seconds, std::string_view detail = {});
  // How time passes; may end the run.
  void set_clock(std::function<void(std::uint64_t seconds)> pass) { pass_ = std::move(pass); }

  // Calls are listed, counted and failed only while armed: between the start of a program and its
  // end. Firmware::run does it. A payload disarms them while it looks around.
  void arm() { armed_ = true; }
  void disarm() { armed_ = false; }
  bool is_armed() const { return armed_; }
  // A new run: nothing was called, the faults stay.
  void clear();
  // More calls than any run needs: `too_many` is called, and ends the run.
  void set_limit(std::uint64_t limit, std::function<void()> too_many) {
    limit_ = limit;
    too_many_ = std::move(too_many);
  }

  std::uint64_t count() const { return count_; }
  const std::vector<Call>& list() const { return list_; }
  // Calls that were failed.
  const std::vector<Call>& failed() const { return failed_; }
  // The last `most` calls as lines, for the message of a failing test.
  std::string text(std::size_t most = 40) const;

  // What a firmware answers when `name` fails for a reason of its own.
  static efi::Status fitting_status(std::string_view name);

 private:
  struct Every {
    std::string_view name;
    std::string detail;
    efi::Status status;
  };
  struct Duration {
    std::string_view name;
    std::string detail;
    std::uint64_t seconds;
  };
  std::optional<efi::Status> fault_of(const Call& call) const;
  void let_time_pass(const Call& call) const;

  bool armed_ = false;
  std::uint64_t limit_ = ~std::uint64_t{0};
  std::function<void()> too_many_;
  std::uint64_t count_ = 0;
  std::uint64_t first_failed_ = 0;  // 0: none
  std::uint64_t last_failed_ = 0;
  std::optional<efi::Status> status_;
  std::vector<Every> every_;
  std::vector<Duration> durations_;
  std::function<void(std::uint64_t)> pass_;
  std::vector<Call> list_;
  std::vector<Call> failed_;
};

// Holds the calls disarmed while it lives.
class Unwatched {
 public:
  explicit Unwatched(Calls& calls) : calls_(calls), was_armed_(calls.is_armed()) { calls.disarm(); }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
  ~Unwatched() {
    if (was_armed_) calls_.arm();
  }

 private:
  Calls& calls_;
  bool was_armed_;
};

}  // namespace keelson::sim
