// SPDX-License-Identifier: MIT
//
// What the stub decides about everything from outside the image: which events, in which order,
// which words on the command line, which parts of the initrd, and what is left out when an event
// failed.
#include <gtest/gtest.h>

#include "host-tests/stub/plans.h"

namespace keelson::stub {
namespace {

Pages pages(std::string_view text) {
  auto made = Pages::allocate(text.size());
  if (!made.has_value()) return {};
  std::ranges::copy(bytes_of(text), made->data());
  return std::move(*made);
}

void add_addon(Gathered& gathered, std::u16string_view name, std::u16string_view line,
               std::string_view tree = {}, std::string_view ucode = {},
               std::string_view initrd = {}) {
  ASSERT_TRUE(gathered.addons
                  .push({.name = name,
                         .command_line = line,
                         .device_tree = pages(tree),
                         .initrd = pages(initrd),
                         .ucode = pages(ucode)})
                  .has_value());
}

void fill(Gathered& gathered) {
  add_addon(gathered, u"g", u"global", "tree g", "ucode g", "rd g");
  add_addon(gathered, u"o", u"own", "tree o", "ucode o", "rd o");
  constexpr std::string_view archives[] = {"cred", "gcred", "sys", "gsys", "conf", "gconf"};
  for (std::size_t i = 0; i < archive_kinds; ++i) gathered.archives[i] = pages(archives[i]);
  gathered.registered_initrd = pages("earlier");
}

// SMBIOS structures: type, formatted area behind the header, strings.
std::string structure(unsigned char type, std::string area,
                      const std::vector<std::string>& strings) {
  std::string text;
  text += static_cast<char>(type);
  text += static_cast<char>(area.size() + 4);
  text += std::string(2, '\1') + area;
  for (const std::string& string : strings) text += string + '\0';
  return text + (strings.empty() ? std::string(2, '\0') : std::string(1, '\0'));
}

TEST(PlanBoot, EventsComeInTheOrderThatOthersPredict) {
  Case c({{.name = ".linux", .content = kernel_file}});
  const std::string smbios = structure(1, std::string(23, 'x'), {"maker"}) +
                             structure(11, "\1", {"io.systemd.stub.kernel-cmdline-extra=smbios"});
  c.facts.smbios = smbios::Table(bytes_of(std::string_view(smbios)));
  c.facts.request = {.profile = 0, .line = u"passed"};
  Gathered gathered;
  fill(gathered);
  const auto made = plan(c.facts, gathered);
  ASSERT_TRUE(made.has_value());
  const Texts expected = {"11 .linux",
                          "11 .linux",
                          "12 passed",
                          "12 global own",
                          "12 smbios",
                          "12 g",
                          "12 o",
                          "12 Credentials initrd",
                          "12 Global credentials initrd",
                          "13 System extension initrd",
                          "13 Global system extension initrd",
                          "12 Configuration extension initrd",
                          "12 Global configuration extension initrd",
                          "12 o",
                          "12 g",
                          "12 g",
                          "12 o",
                          "1 smbios:type1",
                          "1 smbios:type11"};
  EXPECT_EQ(events(*made), expected);
  EXPECT_EQ(utf8(made->boot.line.text), "passed global own smbios");
  Texts contents;
  for (const Measurement& m : made->boot.events.list.items())
    if (m.kind == EventKind::event_tag && m.pcr == 12) contents.emplace_back(text_of(m.data));
  const Texts tagged = {"tree g", "tree o", "ucode o", "ucode g", "rd g", "rd o"};
  EXPECT_EQ(contents, tagged);
}

TEST(PlanBoot, PartsOfTheInitrdInTheirOrder) {
  Case c(full_uki());
  Gathered gathered;
  fill(gathered);
  const auto made = plan(c.facts, gathered);
  ASSERT_TRUE(made.has_value());
  const Texts expected = {"ucode o",
                          "ucode g",
                          "ucode",
                          "earlier",
                          "initrd",
                          "cred",
                          "gcred",
                          "sys",
                          "gsys",
                          "conf",
                          "gconf",
                          ".extra/tpm2-pcr-signature.json",
                          ".extra/tpm2-pcr-public-key.pem",
                          ".extra/os-release",
                          "rd g",
                          "rd o"};
  EXPECT_EQ(parts(made->initrd), expected);
}

TEST(PlanBoot, WhatCouldNotBeMeasuredIsLeftOutAndNothingElse) {
  Case c(full_uki());
  Gathered gathered;
  fill(gathered);
  const auto all = plan(c.facts, gathered);
  ASSERT_TRUE(all.has_value());
  for (const EventSubject& failing : all->boot.events.subjects) {
    if (failing.subject == Subject::parameters || failing.subject == Subject::device_tree) continue;
    const auto made = plan(c.facts, gathered, [&](EventSubject subject) {
      return subject == failing ? Measured::failed : Measured::yes;
    });
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(made->initrd.size() + 1, all->initrd.size());
    std::size_t missing = 0;
    while (missing < made->initrd.size() &&
           text_of(made->initrd[missing]) == text_of(all->initrd[missing]))
      ++missing;
    const std::string_view left_out = text_of(all->initrd[missing]);
    switch (failing.subject) {
      case Subject::archive:
        EXPECT_EQ(left_out, text_of(gathered.archives[failing.index].bytes()));
        break;
      case Subject::ucode:
        EXPECT_EQ(left_out, failing.index == 0 ? "ucode g" : "ucode o");
        break;
      case Subject::initrd:
        EXPECT_EQ(left_out, failing.index == 0 ? "rd g" : "rd o");
        break;
      case Subject::image:
      case Subject::parameters:
      case Subject::device_tree:
      case Subject::smbios:
        ADD_FAILURE() << "not among these events";
    }
  }
}

TEST(PlanBoot, WordsThatTheOwnerOfTheMachineAdds) {
  struct Row {
    std::vector<std::string> strings;
    const char* line;
    bool measured;
    const char* why;
  };
  const Row rows[] = {
      {{}, "base", false, "none"},
      {{"other=x"}, "base", false, "not for us"},
      {{"io.systemd.stub.kernel-cmdline-extra=a b"}, "base a b", true, ""},
      {{"x", "io.systemd.stub.kernel-cmdline-extra=  a\tb\n"}, "base a b", true, "normalised"},
      {{"io.systemd.stub.kernel-cmdline-extra="}, "base", false, "nothing to add"},
      {{"io.systemd.stub.kernel-cmdline-extra= "}, "base", false, "nothing but white space"},
      {{"io.systemd.stub.kernel-cmdline-extra=a", "io.systemd.stub.kernel-cmdline-extra=b"},
       "base a",
       true,
       "the first counts"},
      {{" io.systemd.stub.kernel-cmdline-extra=a"}, "base", false, "not at its beginning"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.why);
    Case c({{.name = ".linux", .content = kernel_file}, {.name = ".cmdline", .content = "base"}});
    const std::string table = structure(11, "\1", row.strings);
    c.facts.smbios = smbios::Table(bytes_of(std::string_view(table)));
    const auto made = plan(c.facts);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(utf8(made->boot.line.text), row.line);
    EXPECT_EQ(events(*made, 12).size(), row.measured ? 1u : 0u);
  }
}

TEST(PlanBoot, TablesOfTheMachineAreMeasuredUnlessSomebodyHas) {
  for (const bool measured_before : {false, true}) {
    Case c({{.name = ".linux", .content = kernel_file}});
    const std::string table = structure(2, "\1\2", {"board"});
    c.facts.smbios = smbios::Table(bytes_of(std::string_view(table)));
    c.facts.loader_reports.pcr_smbios = measured_before;
    const auto made = plan(c.facts);
    ASSERT_TRUE(made.has_value());
    EXPECT_EQ(events(*made, 1).size(), measured_before ? 0u : 1u);
    EXPECT_EQ(variables(made->reports).contains("LoaderPcrSMBIOS"), !measured_before);
  }
}

TEST(PlanBoot, ConsolesAreAddedBehindTheLineAndNotMeasured) {
  TextArena texts;
  const auto line = with_consoles(u"quiet", {.pc_serial_port = 0, .virtio_consoles = 0}, texts);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(utf8(*line), "quiet console=uart,io,0x3f8");
  EXPECT_EQ(line->data()[line->size()], u'\0');
  const auto alone = with_consoles(u"", {.pc_serial_port = {}, .virtio_consoles = 1}, texts);
  ASSERT_TRUE(alone.has_value());
  EXPECT_EQ(utf8(*alone), "console=hvc0");
}

TEST(PlanBoot, APinnedKernelIsNotShownToShim) {
  Case c(full_uki());
  c.facts.secure_boot = c.facts.shim_verifies = true;
  const auto sections = choose_sections(c.facts);
  ASSERT_TRUE(sections.has_value());
  uki::Contents contents(c.facts.uki, *sections);
  const auto made = plan_image(c.facts, contents, KernelOrigin::pinned_file);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->kernel.how, Start::in_memory) << "it has no signature that shim could accept";
}

}  // namespace
}  // namespace keelson::stub
