// SPDX-License-Identifier: MIT
//
// Puts the command line together; see plan_line.h.
#include "stub/plan_line.h"

namespace keelson::stub {
namespace {

Result<BaseLine> base_line(const Facts& facts, const ImagePlan& image, TextArena& texts) {
  LineFacts lines{.secure_boot = facts.secure_boot,
                  .confidential_vm = facts.confidential_vm,
                  .embedded = std::nullopt,
                  .passed = facts.request.line};
  const Bytes embedded = TRY(content(image.contents, UkiSection::cmdline));
  if (!embedded.empty()) lines.embedded = TRY(normalise_utf8(embedded, texts));
  return choose_base_line(lines);
}

// Two lines with a space between them, if both say something; followed by a NUL.
Result<std::u16string_view> joined(std::u16string_view first, std::u16string_view second,
                                   TextArena& texts) {
  const std::u16string_view gap = first.empty() || second.empty() ? u"" : u" ";
  return concatenate({first, gap, second}, texts);
}

Result<std::u16string_view> joined_lines(std::span<const Addon> addons, TextArena& texts) {
  std::u16string_view line;
  for (const Addon& addon : addons)
    if (!addon.command_line.empty()) line = TRY(joined(line, addon.command_line, texts));
  return line;
}

Result<std::u16string_view> smbios_words(const smbios::Table& table, TextArena& texts) {
  const auto words = table.oem_string("io.systemd.stub.kernel-cmdline-extra=");
  return normalise_utf8(bytes_of(words.value_or("")), texts);
}

}  // namespace

Result<LinePlan> plan_line(const Facts& facts, const ImagePlan& image,
                           std::span<const Addon> addons, TextArena& texts) {
  LinePlan line;
  line.base = TRY(base_line(facts, image, texts));
  line.addons = TRY(joined_lines(addons, texts));
  line.smbios = TRY(smbios_words(facts.smbios, texts));
  line.text = TRY(joined(TRY(joined(line.base.text, line.addons, texts)), line.smbios, texts));
  return line;
}

Result<std::u16string_view> with_consoles(std::u16string_view line, const ConsoleFacts& consoles,
                                          TextArena& texts) {
  return joined(line, TRY(console_words(consoles, texts)), texts);
}

}  // namespace keelson::stub
