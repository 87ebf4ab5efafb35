// SPDX-License-Identifier: MIT
//
// Owns how long our phases take (design decisions 16, 17): marks kept in memory and written once
// into the variable KeelsonTimes as lines "PHASE MICROSECONDS", behind those of an earlier program.
#pragma once

#include <string_view>

#include "efi/base/static_vector.h"
#include "efi/firmware/clock.h"
#include "efi/firmware/variables.h"

namespace keelson::efi {

class Times {
 public:
  static constexpr std::size_t most_phases = 24;
  explicit Times(const Clock& clock) : clock_(clock), last_(clock.now_us()) {}
  // The phase that ends now: the time since the last mark. Phases past the limit are dropped.
  void mark(std::string_view phase);  // a literal, no blanks: "stub-measure"
  // Error: firmware. Without a clock nothing is written.
  Result<> publish(const Variables& variables);

 private:
  struct Phase {
    std::string_view name;
    std::uint64_t microseconds = 0;
  };
  const Clock& clock_;
  std::optional<std::uint64_t> last_;
  StaticVector<Phase, most_phases> phases_;
};

}  // namespace keelson::efi
