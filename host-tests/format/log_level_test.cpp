// SPDX-License-Identifier: MIT
//
// How much of what is reported appears on the screen (efi/format/log_level.h).
#include "efi/format/log_level.h"

#include <gtest/gtest.h>

namespace keelson {
namespace {

TEST(LogLevel, Names) {
  struct Row {
    std::string_view name, shown;  // of error, warning, info, debug: the first letters
  };
  constexpr Row rows[] = {
      {"emerg", ""},     {"alert", ""},    {"crit", ""},    {"err", "e"},
      {"warning", "ew"}, {"notice", "ew"}, {"info", "ewi"}, {"debug", "ewid"},
  };
  for (const Row& row : rows) {
    const auto level = parse_log_level(row.name);
    ASSERT_TRUE(level.has_value()) << row.name;
    std::string shown;
    if (is_shown(*level, Severity::error)) shown += 'e';
    if (is_shown(*level, Severity::warning)) shown += 'w';
    if (is_shown(*level, Severity::info)) shown += 'i';
    if (is_shown(*level, Severity::debug)) shown += 'd';
    EXPECT_EQ(shown, row.shown) << row.name;
  }
  for (const std::string_view name : {"", "ERR", "error", "7", "debug ", "warn"})
    EXPECT_FALSE(parse_log_level(name).has_value()) << name;
}

}  // namespace
}  // namespace keelson
