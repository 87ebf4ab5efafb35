// SPDX-License-Identifier: MIT
//
// Owns what tests of the stub's decisions share: UKIs as the firmware has loaded them, all plans of
// a boot made in one go, and plans as lists of texts.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "host-tests/format/sample_pe.h"
#include "host-tests/utf16.h"
#include "stub/initrd.h"
#include "stub/plan_boot.h"
#include "stub/reports.h"

namespace keelson::stub {

using Texts = std::vector<std::string>;

inline const std::string kernel_file = sample::text(sample::make(sample::kernel_pe()));

// A UKI as the firmware has loaded it; sections in the order given, like a builder writes them.
inline sample::Buffer loaded(const std::vector<sample::Section>& sections) {
  sample::Pe pe;
  pe.size_of_headers = 0x1000;
  pe.sections = {{.name = ".text", .content = "stub"}};
  pe.sections.insert(pe.sections.end(), sections.begin(), sections.end());
  return sample::load(sample::make(pe));
}

inline std::vector<sample::Section> full_uki() {
  return {{.name = ".osrel", .content = "ID=test\n"}, {.name = ".cmdline", .content = "quiet"},
          {.name = ".pcrpkey", .content = "key"},     {.name = ".linux", .content = kernel_file},
          {.name = ".initrd", .content = "initrd"},   {.name = ".ucode", .content = "ucode"},
          {.name = ".sbat", .content = "sbat,1\n"},   {.name = ".uname", .content = "6.1"},
          {.name = ".pcrsig", .content = "{}"}};
}

inline std::vector<sample::Section> with_profiles() {
  auto sections = full_uki();
  sections.push_back({.name = ".profile", .content = "ID=main\n"});
  sections.push_back({.name = ".profile", .content = "ID=rescue\n"});
  sections.push_back({.name = ".cmdline", .content = "rescue"});
  sections.push_back({.name = ".ucode", .content = ""});  // masks the base's
  return sections;
}

// Owns what Facts only refers to.
struct Case {
  explicit Case(const std::vector<sample::Section>& sections) : image(loaded(sections)) {
    auto parsed = uki::Uki::parse(image, pe::Layout::loaded);
    EXPECT_TRUE(parsed.has_value());
    if (parsed.has_value()) facts.uki = *parsed;
    facts.secure_boot = false;
  }
  sample::Buffer image;
  Facts facts;
};

// All plans of a boot, from what was gathered, as if every event became what `outcome` says.
struct Plans {
  explicit Plans(const uki::Contents& contents) : image(contents) {}
  ImagePlan image;
  BootPlan boot;
  MeasuredEvents image_results, results;
  ExtraArchives extra;
  PageList<Bytes> initrd;
  PageList<Variable> reports;
  TextArena texts;
};

inline Result<Plans> plan(
    const Facts& facts, const Gathered& gathered = {},
    const std::function<Measured(EventSubject)>& outcome = [](EventSubject) {
      return Measured::yes;
    }) {
  const uki::Contents contents(facts.uki, TRY(choose_sections(facts)));
  Plans plans(contents);
  plans.image = TRY(plan_image(facts, contents, KernelOrigin::section));
  plans.boot = TRY(plan_boot(facts, plans.image, gathered));
  for (const EventSubject& subject : plans.image.events.subjects)
    TRY(plans.image_results.push(outcome(subject)));
  for (const EventSubject& subject : plans.boot.events.subjects)
    TRY(plans.results.push(outcome(subject)));
  plans.extra = TRY(make_extra_archives(plans.image));
  plans.initrd = TRY(plan_initrd({.image = plans.image,
                                  .gathered = gathered,
                                  .extra = plans.extra,
                                  .boot_secret = {},
                                  .events = plans.boot.events,
                                  .results = plans.results}));
  TRY(plan_reports(facts, plans.texts, plans.reports));
  const MeasuredPlan measured[] = {{plans.image.events, plans.image_results},
                                   {plans.boot.events, plans.results}};
  TRY(plan_pcr_reports(measured, plans.texts, plans.reports));
  return plans;
}

inline std::string described(const Measurement& m) {
  return std::to_string(m.pcr) + " " + utf8(m.description);
}

inline Texts events(const Plans& plans, std::uint32_t pcr = 0) {
  Texts texts;
  for (const PlannedEvents* planned : {&plans.image.events, &plans.boot.events}) {
    EXPECT_EQ(planned->list.items().size(), planned->subjects.size());
    for (const Measurement& m : planned->list.items())
      if (pcr == 0 || m.pcr == pcr) texts.push_back(described(m));
  }
  return texts;
}

inline std::map<std::string, std::string> variables(const PageList<Variable>& list) {
  std::map<std::string, std::string> values;
  for (const Variable& v : list) {
    std::u16string text = units_of(v.value);
    while (text.ends_with(u'\0')) text.pop_back();
    values[utf8(v.name.text)] = utf8(text);
    EXPECT_EQ(v.name.attributes, loader_interface::volatile_attributes) << utf8(v.name.text);
    EXPECT_EQ(v.name.vendor, loader_interface::loader_vendor);
  }
  return values;
}

// The parts of the initrd; archives as the files in them.
inline Texts parts(const PageList<Bytes>& initrd) {
  Texts texts;
  for (const Bytes part : initrd) {
    std::string text(text_of(part));
    if (text.starts_with("070701")) {
      const std::string directory = ".extra/";
      const auto at = text.find(directory);
      text = at == text.npos ? "archive" : text.substr(at, text.find('\0', at) - at);
    }
    texts.push_back(text);
  }
  return texts;
}

}  // namespace keelson::stub
