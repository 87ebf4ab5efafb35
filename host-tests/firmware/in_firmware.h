// SPDX-License-Identifier: MIT
//
// Owns how code of a test runs as a program of the simulated firmware: with a system table, pages
// and an image of its own, and with nothing left behind.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "efi/firmware/image.h"
#include "host-tests/sim/firmware.h"

namespace keelson::efi {

// `body(self)` runs as a program from the ESP of `firmware`. ASSERT_ ends the body only.
template <class Body>
sim::Run run_in(sim::Firmware& firmware, Body body) {
  sim::Run run = firmware.run([&](Image& self) -> Result<> {
    body(self);
    return {};
  });
  EXPECT_EQ(name(run.end), "returned") << firmware.calls().text();
  for (const std::string& problem : run.problems) ADD_FAILURE() << problem;
  return run;
}

// How often a call was made in the run that is under way, or in the last one.
inline std::size_t calls_of(sim::Firmware& firmware, std::string_view name) {
  return static_cast<std::size_t>(
      std::ranges::count(firmware.calls().list(), name, &sim::Call::name));
}

// "truncated" and the like, or "" for success: what a row of a table compares.
template <class T>
std::string_view code_of(const Result<T>& result) {
  return result.has_value() ? std::string_view() : name(result.error().code);
}

}  // namespace keelson::efi
