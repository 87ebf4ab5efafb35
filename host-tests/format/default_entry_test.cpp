// SPDX-License-Identifier: MIT
//
// Which entry starts by itself (efi/format/default_entry.h).
#include "efi/format/default_entry.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace keelson {
namespace {

Entry entry(std::u16string_view id, std::optional<std::uint32_t> tries_left = std::nullopt) {
  Entry made;
  made.id = made.base_id = id;
  if (tries_left) made.count = BootCount{.tries_left = *tries_left};
  return made;
}

Entry action() {
  Entry made = entry(u"auto-reboot");
  made.kind = EntryKind::reboot;
  return made;
}

// 0 good, 1 good, 2 profile, 3 bad, 4 action.
struct Menu {
  Entry entries[5] = {entry(u"new.conf"), entry(u"old.efi"), entry(u"old.efi@reset"),
                      entry(u"worn.conf", 0), action()};
  Menu() {
    entries[1].alias = u"old.efi@main";
    entries[2].profile = 1;
  }
};

TEST(FindEntry, IdThenGlob) {
  const Menu menu;
  struct Row {
    std::u16string_view value;
    std::optional<std::size_t> found;
    std::string_view reason;
  };
  const Row rows[] = {
      {u"old.efi", 1, "id"},
      {u"OLD.EFI", 1, "case is ignored"},
      {u"old.efi@main", 1, "bootctl's name for a first profile"},
      {u"old.*", 1, "glob: the first match in the list"},
      {u"OLD.*@R*", 2, "globs too ignore case"},
      {u"*", 0, "everything"},
      {u"worn.conf", 3, "bad ones are found"},
      {u"auto-reboot", 4, "actions are found"},
      {u"gone.conf", std::nullopt, "unknown"},
      {u"", std::nullopt, "empty"},
      {u"[", std::nullopt, "unclosed set"},
      {u"old", std::nullopt, "the suffix belongs to the id"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(find_entry(menu.entries, row.value), row.found) << row.reason;
  EXPECT_EQ(find_entry(menu.entries, u"w*", true), std::nullopt);
  EXPECT_EQ(find_entry(menu.entries, u"worn.conf", true), std::nullopt);

  EXPECT_EQ(find_entry(menu.entries, std::u16string(max_pattern, u'*')), 0u);
  EXPECT_EQ(find_entry(menu.entries, std::u16string(max_pattern + 1, u'*')), std::nullopt);

  const Entry odd[] = {entry(u"x1.conf"), entry(u"x[1].conf")};
  EXPECT_EQ(find_entry(odd, u"x[1].conf"), 1u) << "an equal id beats an earlier glob match";
}

TEST(DefaultEntry, Order) {
  const Menu menu;
  struct Row {
    DefaultSources sources;
    std::size_t index;
    DefaultReason reason;
    std::string_view why;
  };
  using enum DefaultReason;
  const Row rows[] = {
      {{}, 0, first_entry, "nothing set"},
      {{.default_setting = u"old.efi"}, 1, default_setting, "setting"},
      {{.default_variable = u"worn.conf", .default_setting = u"old.efi"},
       3,
       default_variable,
       "variable first, bad ones allowed"},
      {{.preferred_setting = u"old.efi", .default_variable = u"new.conf"},
       1,
       preferred_setting,
       "preferred setting before default variable"},
      {{.preferred_variable = u"new.conf", .preferred_setting = u"old.efi"},
       0,
       preferred_variable,
       "preferred variable before its setting"},
      {{.preferred_variable = u"worn.conf", .default_setting = u"old.efi"},
       1,
       default_setting,
       "preferred skips bad ones"},
      {{.one_shot = u"worn.conf", .preferred_variable = u"new.conf"},
       3,
       one_shot,
       "one-shot first"},
      {{.one_shot = u"auto-reboot"}, 4, one_shot, "an action once"},
      {{.one_shot = u"gone", .default_setting = u"gone"}, 0, first_entry, "no match goes on"},
      {{.default_variable = u"@saved", .last_booted = u"old.efi"}, 1, default_variable, "@saved"},
      {{.default_setting = u"@Saved", .last_booted = u"old.efi"}, 1, default_setting, "any case"},
      {{.default_variable = u"@saved", .default_setting = u"old.efi"},
       1,
       default_setting,
       "nothing saved"},
      {{.preferred_setting = u"@saved", .last_booted = u"worn.conf"},
       0,
       first_entry,
       "saved, preferred, bad"},
      {{.one_shot = u"@saved", .last_booted = u"old.efi"},
       0,
       first_entry,
       "a one-shot is never @saved"},
      {{.default_setting = u"old.efi@reset"}, 2, default_setting, "a profile when asked for"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.why);
    const auto choice = choose_default(menu.entries, row.sources);
    EXPECT_EQ(choice.index, row.index);
    EXPECT_EQ(choice.reason, row.reason);
  }
}

TEST(DefaultEntry, FirstThatMayStartByItself) {
  Entry profile = entry(u"a.efi@1");
  profile.profile = 1;
  const Entry skipped[] = {profile, entry(u"b.efi", 0), action()};
  EXPECT_EQ(choose_default(skipped, {}).index, 1u) << "a bad entry takes part, a profile does not";

  const Entry none[] = {profile, action()};
  const auto choice = choose_default(none, {});
  EXPECT_EQ(choice.index, 0u);
  EXPECT_EQ(choice.reason, DefaultReason::none);
  EXPECT_EQ(choose_default({}, {.default_setting = u"*"}).index, std::nullopt);
}

TEST(DefaultEntry, SavedMode) {
  struct Row {
    DefaultSources sources;
    bool needs, remembers;
    std::string_view reason;
  };
  const Row rows[] = {
      {{}, false, false, "not asked for"},
      {{.default_setting = u"@saved"}, true, true, "setting"},
      {{.default_variable = u"@SAVED"}, true, true, "variable"},
      {{.default_variable = u"x", .default_setting = u"@saved"},
       true,
       false,
       "the variable overrides"},
      {{.preferred_setting = u"@saved"}, true, true, "preferred counts too"},
      {{.preferred_variable = u"x", .preferred_setting = u"@saved"}, true, false, "overridden"},
      {{.one_shot = u"@saved"}, false, false, "a one-shot does not"},
      {{.default_setting = u"saved"}, false, false, "an id"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(needs_last_booted(row.sources), row.needs) << row.reason;
    EXPECT_EQ(remembers_last_booted(row.sources), row.remembers) << row.reason;
  }
}

}  // namespace
}  // namespace keelson
