// SPDX-License-Identifier: MIT
//
// Setup header and boot_params of x86 kernels (efi/format/linux_setup.h, stub.md 7.6).
#include "efi/format/linux_setup.h"

#include <gtest/gtest.h>

#include <functional>

#include "host-tests/format/sample_linux.h"

namespace keelson {
namespace {

using linux_setup::Handover;
using linux_setup::Placement;
using sample::Buffer;
using sample::LinuxSetup;

constexpr std::uint64_t four_gib = std::uint64_t{1} << 32;

template <class T>
std::uint64_t field(Bytes page, std::size_t at) {
  const auto value = load<Le<T>>(page, at, "field");
  return value.has_value() ? std::uint64_t{*value} : ~std::uint64_t{0};
}

TEST(LinuxSetup, WhichKernelsHaveAHandover) {
  struct Row {
    std::function<void(LinuxSetup&)> change;
    pe::Machine machine;
    std::optional<Errc> error;
    const char* why;
  };
  constexpr auto x64 = pe::Machine::x64;
  constexpr auto i386 = pe::Machine::i386;
  const Row rows[] = {
      {[](auto&) {}, x64, {}, "as it should be"},
      {[](auto&) {}, i386, Errc::unsupported, "no entry for 32 bits"},
      {[](auto& s) { s.xloadflags = 1 << 2; }, i386, {}, "only for 32 bits"},
      {[](auto& s) { s.xloadflags = 1 << 2; }, x64, Errc::unsupported, "only for 32 bits"},
      {[](auto&) {}, pe::Machine::aa64, Errc::not_found, "x86 only"},
      {[](auto& s) { s.magic = "HdrX"; }, x64, Errc::not_found, "another magic"},
      {[](auto& s) { s.boot_flag = 0; }, x64, Errc::not_found, "no boot flag"},
      {[](auto& s) { s.version = 0x20a; }, x64, Errc::unsupported, "before 2.11"},
      {[](auto& s) {
         s.version = 0x20b;
         s.xloadflags = 0;
       },
       x64,
       {},
       "2.11 has no such flags"},
      {[](auto& s) { s.relocatable = 0; }, x64, Errc::unsupported, "wants its own address"},
      {[](auto& s) { s.header_displacement = 0x65; }, x64, Errc::malformed, "header too short"},
      {[](auto& s) { s.header_displacement = 0x8e; }, x64, {}, "as long as it may be"},
      {[](auto& s) { s.header_displacement = 0x8f; }, x64, Errc::malformed, "over other fields"},
      {[](auto& s) { s.handover_offset = 0x7fff'ffff; }, x64, Errc::truncated, "entry outside"},
      {[](auto& s) { s.handover_offset = 0xffff'ffff; }, x64, Errc::truncated, "does not wrap"},
      {[](auto& s) { s.setup_sects = 255; }, x64, Errc::truncated, "entry outside"},
      {[](auto& s) { s.kernel_alignment = 0; }, x64, Errc::malformed, "alignment"},
      {[](auto& s) { s.kernel_alignment = 0x3000; }, x64, Errc::malformed, "alignment"},
      {[](auto& s) { s.init_size = 0xffff'ffff; }, x64, {}, "too large to be placed, but sound"},
  };
  for (const Row& row : rows) {
    LinuxSetup setup;
    row.change(setup);
    const Buffer file = sample::old_kernel(setup);
    const auto handover = Handover::parse(file, row.machine);
    EXPECT_EQ(handover.has_value(), !row.error) << row.why;
    if (!handover.has_value() && row.error) {
      EXPECT_EQ(handover.error().code, *row.error) << row.why << ": " << handover.error().what;
    }
  }
}

TEST(LinuxSetup, EveryPrefixIsRefusedOrSound) {
  const Buffer file = sample::old_kernel();
  for (std::size_t size = 0; size <= file.size(); ++size) {
    const auto handover = Handover::parse(Bytes(file).first(size), pe::Machine::x64);
    if (handover.has_value()) {
      EXPECT_LT(handover->entry_offset(), size);
    }
  }
}

TEST(LinuxSetup, WhereItBeginsAndWhatItNeeds) {
  LinuxSetup setup{.kernel_alignment = 0x20'0000, .xloadflags = 3 << 2, .init_size = 0x12'3456};
  const Buffer file = sample::old_kernel(setup);
  const auto wide = Handover::parse(file, pe::Machine::x64);
  const auto narrow = Handover::parse(file, pe::Machine::i386);
  ASSERT_TRUE(wide.has_value() && narrow.has_value());
  EXPECT_EQ(narrow->entry_offset(), 0x400u + 0x10u) << "one sector of setup, and the boot sector";
  EXPECT_EQ(wide->entry_offset(), 0x400u + 0x200u + 0x10u);
  EXPECT_EQ(wide->memory_size(), 0x400u + 0x20'0000u + 0x12'3456u);
  EXPECT_FALSE(wide->reaches_above_4g());
  EXPECT_EQ(wide->command_line_max(), 2047u);

  setup = {.setup_sects = 0, .xloadflags = 1 << 1 | 1 << 3, .init_size = 0, .handover_offset = 0};
  const Buffer other = sample::old_kernel(setup);
  const auto four = Handover::parse(other, pe::Machine::x64);
  ASSERT_TRUE(four.has_value());
  EXPECT_EQ(four->entry_offset(), 5 * 512u + 512u) << "0 sectors means 4";
  EXPECT_EQ(four->memory_size(), 0x6000u) << "SizeOfImage, which the file does not fill";
  EXPECT_TRUE(four->reaches_above_4g());
}

TEST(LinuxSetup, BootParams) {
  const Buffer file = sample::old_kernel(
      {.setup_sects = 0, .header_displacement = 0x6a, .xloadflags = 1 << 1 | 1 << 3});
  const auto handover = Handover::parse(file, pe::Machine::x64);
  ASSERT_TRUE(handover.has_value());
  Buffer page(linux_setup::boot_params_size, std::byte{0xaf});
  const Placement placement = {.kernel = 0x765'4000,
                               .command_line = 0x1'2345'6000,
                               .initrd = 0x2'3456'7000,
                               .initrd_size = 0x1'0000'0003};
  ASSERT_TRUE(handover->write_boot_params(file, placement, page).has_value());
  EXPECT_EQ(field<std::uint8_t>(page, 0x1f1), 4u) << "spelled out";
  EXPECT_EQ(field<std::uint8_t>(page, 0x210), 0xffu) << "type of loader";
  EXPECT_EQ(field<std::uint32_t>(page, 0x214), 0x765'4000u + 5 * 512u) << "code32_start";
  EXPECT_EQ(field<std::uint32_t>(page, 0x228) | field<std::uint32_t>(page, 0xc8) << 32,
            placement.command_line);
  EXPECT_EQ(field<std::uint32_t>(page, 0x218) | field<std::uint32_t>(page, 0xc0) << 32,
            placement.initrd);
  EXPECT_EQ(field<std::uint32_t>(page, 0x21c) | field<std::uint32_t>(page, 0xc4) << 32,
            placement.initrd_size);
  // All else of the header is the kernel's own, all else of the page is zero.
  const auto is_ours = [](std::size_t at) {
    return at == 0x1f1 || at == 0x210 || (at >= 0x214 && at < 0x220) || (at >= 0x228 && at < 0x22c);
  };
  for (std::size_t at = 0; at < page.size(); ++at) {
    if (is_ours(at) || (at >= 0xc0 && at < 0xcc)) continue;
    const bool header = at >= 0x1f1 && at < 0x26c;
    EXPECT_EQ(page[at], header ? file[at] : std::byte{0}) << at;
  }
}

TEST(LinuxSetup, PlacesThatTheKernelCannotReach) {
  struct Row {
    Placement placement;
    bool high, low;
    const char* why;
  };
  const Row rows[] = {
      {{.kernel = 0}, true, true, "anything below"},
      {{.kernel = four_gib - 0x1000}, false, false, "its end is above"},
      {{.kernel = four_gib}, false, false, "above"},
      {{.command_line = four_gib}, true, false, "command line above"},
      {{.initrd = four_gib - 4, .initrd_size = 4}, true, true, "up to the end"},
      {{.initrd = four_gib - 4, .initrd_size = 5}, true, false, "over the end"},
      {{.initrd = 8, .initrd_size = ~std::uint64_t{0} - 4}, false, false, "wraps"},
  };
  for (const Row& row : rows) {
    for (const bool high : {true, false}) {
      const Buffer file = sample::old_kernel(
          {.xloadflags = static_cast<std::uint16_t>(high ? 1 << 1 | 1 << 3 : 1 << 3)});
      const auto handover = Handover::parse(file, pe::Machine::x64);
      ASSERT_TRUE(handover.has_value());
      Buffer page(linux_setup::boot_params_size);
      EXPECT_EQ(handover->write_boot_params(file, row.placement, page).has_value(),
                high ? row.high : row.low)
          << row.why << (high ? ", a kernel that reaches above 4 GiB" : "");
    }
  }
  const Buffer file = sample::old_kernel({.init_size = 0xffff'ffff});
  const auto huge = Handover::parse(file, pe::Machine::x64);
  ASSERT_TRUE(huge.has_value());
  Buffer page(linux_setup::boot_params_size);
  EXPECT_FALSE(huge->write_boot_params(file, {}, page).has_value()) << "fits nowhere";
  page.resize(100);
  EXPECT_FALSE(Handover::parse(sample::old_kernel(), pe::Machine::x64)
                   ->write_boot_params(file, {}, page)
                   .has_value());
}

TEST(LinuxSetup, CommandLines) {
  struct Row {
    std::u16string_view line;
    std::uint32_t max;
    std::string_view text;
    const char* why;
  };
  const Row rows[] = {
      {u"", 255, "", "none"},
      {u"quiet root=/dev/vda", 255, "quiet root=/dev/vda", "as it is"},
      {u"a\u007fb\u00e9\u4e2d~", 255, "a b  ~", "what is no ASCII text"},
      {u"quiet splash", 5, "quiet", "cut"},
      {u"quiet", 0, "", "a kernel that takes none"},
  };
  for (const Row& row : rows) {
    Buffer to(linux_setup::command_line_size(row.line, row.max) + 1, std::byte{0xaf});
    linux_setup::write_command_line(row.line, to);
    EXPECT_EQ(text_of(to), std::string(row.text) + '\0') << row.why;
  }
}

}  // namespace
}  // namespace keelson
