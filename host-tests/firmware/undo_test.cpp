// SPDX-License-Identifier: MIT
//
// The list of what has to be put back (efi/firmware/undo.h).
#include "efi/firmware/undo.h"

#include <string>

#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

std::string* trace = nullptr;
template <char letter>
void act(void*) {
  *trace += letter;
}

class UndoTest : public testing::Test {
 protected:
  UndoTest() { trace = &done; }
  ~UndoTest() override { trace = nullptr; }
  std::string done;
};

TEST_F(UndoTest, RunsNewestFirstAndNeverTwice) {
  UndoList list;
  ASSERT_TRUE(list.add(act<'a'>, nullptr).has_value());
  const auto second = list.add(act<'b'>, nullptr);
  ASSERT_TRUE(list.add(act<'c'>, nullptr).has_value());
  list.remove(*second);
  list.remove(*second);
  list.remove(999);
  list.run_all();
  EXPECT_EQ(done, "ca");
  list.run_all();
  EXPECT_EQ(done, "ca");
}

TEST_F(UndoTest, TakesAnActionOffBeforeItRuns) {
  UndoList list;
  const UndoAction again = [](void* context) {
    *trace += 'x';
    static_cast<UndoList*>(context)->run_all();
  };
  ASSERT_TRUE(list.add(act<'a'>, nullptr).has_value());
  ASSERT_TRUE(list.add(again, &list).has_value());
  list.run_all();
  EXPECT_EQ(done, "xa");
}

TEST_F(UndoTest, RefusesMoreThanItHolds) {
  UndoList list;
  for (std::size_t i = 0; i < UndoList::capacity; ++i)
    EXPECT_TRUE(list.add(act<'a'>, nullptr).has_value());
  EXPECT_EQ(code_of(list.add(act<'b'>, nullptr)), "out of memory");
  list.run_all();
  EXPECT_EQ(done, std::string(UndoList::capacity, 'a'));
  EXPECT_TRUE(list.add(act<'b'>, nullptr).has_value()) << "there is room again";
}

TEST_F(UndoTest, RegistrationsEndWithTheirScope) {
  sim::Firmware firmware;
  run_in(firmware, [&](Image&) {
    {
      UndoRegistration registration;
      ASSERT_TRUE(registration.set(act<'a'>, nullptr).has_value());
      ASSERT_TRUE(registration.set(act<'b'>, nullptr).has_value()) << "replaces the first";
    }
    running_undo_list().run_all();
    EXPECT_EQ(done, "");
    UndoRegistration kept;
    ASSERT_TRUE(kept.set(act<'k'>, nullptr).has_value());
    running_undo_list().run_all();
    EXPECT_EQ(done, "k");
    kept.forget();
  });
  EXPECT_EQ(done, "k");
}

TEST_F(UndoTest, WhatIsLeftIsUndoneAtTheEnd) {
  sim::Firmware firmware;
  run_in(firmware,
         [&](Image&) { ASSERT_TRUE(running_undo_list().add(act<'l'>, nullptr).has_value()); });
  EXPECT_EQ(done, "l");
}

}  // namespace
}  // namespace keelson::efi
