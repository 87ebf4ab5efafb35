// SPDX-License-Identifier: MIT
//
// Files and directories as the programs use them (efi/firmware/volume.h), on volumes that behave,
// that fail, and that change behind the reader's back (R2, R15, R16 of the security rules).
#include "efi/firmware/volume.h"

#include <set>

#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

using Operation = sim::Volume::Operation;
using When = sim::Volume::When;

// A content whose every byte tells where it is.
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761u) >> 13);
  return text;
}

class FileTest : public testing::Test {
 protected:
  // The volume of the program, opened.
  template <class Body>
  void with_volume(Body body) {
    run_in(firmware, [&](Image& self) {
      auto volume = self.volume();
      ASSERT_TRUE(volume.has_value());
      body(*volume);
    });
  }
  sim::Firmware firmware;
  sim::Volume& esp = firmware.esp();
};

// ---- Whole files ----

TEST_F(FileTest, ReadsWholeFilesOnce) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, 1_MiB - 1,
                                 1_MiB, 1_MiB + 1, 3_MiB - 7}) {
    SCOPED_TRACE(size);
    const std::string content = pattern(size);
    esp.add(u"\\dir\\file.bin", content);
    esp.forget_usage();
    with_volume([&](Volume& volume) {
      const auto file = volume.read_file(u"\\dir\\file.bin", 4_MiB);
      ASSERT_TRUE(file.has_value()) << file.error().what;
      EXPECT_EQ(file->size(), size);
      EXPECT_TRUE(text_of(file->bytes()) == content);
      TextArena arena;
      const auto small = volume.read_small_file(u"\\DIR\\FILE.BIN", 4_MiB, arena);
      ASSERT_TRUE(small.has_value());
      EXPECT_TRUE(text_of(*small) == content);
    });
    EXPECT_EQ(esp.usage(u"\\dir\\file.bin").bytes_read, 2 * size) << "once by each";
    EXPECT_EQ(esp.usage(u"\\dir\\file.bin").reads, 2 * ((size + 1_MiB - 1) / 1_MiB));
    EXPECT_EQ(calls_of(firmware, "File.SetPosition"), 0u) << "files are read from the start on";
  }
}

TEST_F(FileTest, RefusesWhatIsNoFileOrTooLarge) {
  esp.add(u"\\dir\\file", "12345");
  struct Row {
    std::u16string path;
    std::uint64_t max_size;
    std::string_view expected;
    const char* reason;
  };
  const Row rows[] = {
      {u"\\dir\\file", 5, "", "exactly the limit"},
      {u"\\dir\\file", 4, "unsupported", "one byte more than the limit"},
      {u"\\dir", 1_MiB, "unsupported", "a directory"},
      {u"\\dir\\none", 1_MiB, "not found", "not there"},
      {u"\\none\\file", 1_MiB, "not found", "no such directory"},
      {u"\\" + std::u16string(260, u'x'), 1_MiB, "unsupported", "a path of 261 units"},
      {std::u16string(u"\\dir\0\\file", 10), 1_MiB, "malformed", "a NUL in the path"},
  };
  with_volume([&](Volume& volume) {
    TextArena arena;
    for (const Row& row : rows) {
      EXPECT_EQ(code_of(volume.read_file(row.path, row.max_size)), row.expected) << row.reason;
      EXPECT_EQ(code_of(volume.read_small_file(row.path, row.max_size, arena)), row.expected)
          << row.reason;
    }
  });
}

TEST_F(FileTest, GoesOnAfterShortReads) {
  const std::string content = pattern(100'000);
  esp.add(u"\\file", content);
  esp.set_shortened_read(4097);
  with_volume([&](Volume& volume) {
    const auto file = volume.read_file(u"\\file", 1_MiB);
    ASSERT_TRUE(file.has_value());
    EXPECT_TRUE(text_of(file->bytes()) == content);
  });
}

// What may happen to a file between two calls about it.
struct ChangeRow {
  const char* name;
  std::function<void(sim::Volume&)> prepare;
  std::string_view expected;
};

std::optional<Status> grow(sim::Volume& volume) {
  volume.add(u"\\file", pattern(2_MiB + 1));
  return std::nullopt;
}
std::optional<Status> shrink(sim::Volume& volume) {
  volume.add(u"\\file", pattern(2_MiB - 1));
  return std::nullopt;
}
std::optional<Status> vanish(sim::Volume& volume) {
  volume.add(u"\\file", "");
  return std::nullopt;
}

const ChangeRow changes[] = {
    {"UnchangedIsRead", [](sim::Volume&) {}, ""},
    {"GrowsAfterItsSizeWasTaken",
     [](sim::Volume& v) { v.interfere(When::after, Operation::get_info, u"\\file", grow); },
     "malformed"},
    {"GrowsAfterTheFirstChunk",
     [](sim::Volume& v) { v.interfere(When::after, Operation::read, u"\\file", grow); },
     "malformed"},
    {"ShrinksAfterItsSizeWasTaken",
     [](sim::Volume& v) { v.interfere(When::after, Operation::get_info, u"\\file", shrink); },
     "truncated"},
    {"ShrinksBeforeTheLastChunk",
     [](sim::Volume& v) { v.interfere(When::before, Operation::read, u"\\file", shrink, 2); },
     "truncated"},
    {"IsEmptiedBeforeTheFirstChunk",
     [](sim::Volume& v) { v.interfere(When::before, Operation::read, u"\\file", vanish); },
     "truncated"},
    {"IsEmptiedBehindTheReader",
     [](sim::Volume& v) { v.interfere(When::before, Operation::read, u"\\file", vanish, 2); },
     "firmware error"},
    {"ChangesBeforeItIsOpened",
     [](sim::Volume& v) {
       v.interfere(When::before, Operation::open, u"\\file", [](sim::Volume& changed) {
         changed.add(u"\\file", pattern(2_MiB));
         return std::optional<Status>();
       });
     },
     ""},
    {"CannotBeOpened",
     [](sim::Volume& v) { v.fail(Operation::open, u"\\file", status::access_denied); }, "denied"},
    {"HasNoInformation",
     [](sim::Volume& v) { v.fail(Operation::get_info, u"\\file", status::device_error); },
     "firmware error"},
    {"FailsInTheSecondChunk",
     [](sim::Volume& v) { v.fail(Operation::read, u"\\file", status::device_error, 2); },
     "firmware error"},
    {"FailsAtItsEnd",
     [](sim::Volume& v) { v.fail(Operation::read, u"\\file", status::device_error, 3); },
     "firmware error"},
    {"MediumChangesBetweenChunks",
     [](sim::Volume& v) {
       v.interfere(
           When::before, Operation::read, u"\\file",
           [](sim::Volume& changed) {
             changed.change_medium();
             return std::optional<Status>();
           },
           2);
     },
     "firmware error"},
    {"ReadsClaimMoreThanWasAsked", [](sim::Volume& v) { v.set_read_lie(2_MiB); }, "malformed"},
    {"ReadsClaimALot", [](sim::Volume& v) { v.set_read_lie(~std::uint64_t{0}); }, "malformed"},
    {"ReadsGiveNothing", [](sim::Volume& v) { v.set_read_lie(0); }, "truncated"},
    {"InformationIsTooShort", [](sim::Volume& v) { v.set_info_lie(79); }, "malformed"},
    {"InformationIsTooLong", [](sim::Volume& v) { v.set_info_lie(1025); }, "malformed"},
};

class ChangingFileTest : public FileTest, public testing::WithParamInterface<ChangeRow> {};

TEST_P(ChangingFileTest, IsReadWholeOrNotAtAll) {
  const std::string content = pattern(2_MiB);
  esp.add(u"\\file", content);
  GetParam().prepare(esp);
  with_volume([&](Volume& volume) {
    const auto file = volume.read_file(u"\\file", 8_MiB);
    EXPECT_EQ(code_of(file), GetParam().expected);
    if (file.has_value()) EXPECT_TRUE(text_of(file->bytes()) == content);
  });
}

TEST_P(ChangingFileTest, IsReadIntoAnArenaWholeOrNotAtAll) {
  const std::string content = pattern(2_MiB);
  esp.add(u"\\file", content);
  GetParam().prepare(esp);
  with_volume([&](Volume& volume) {
    TextArena arena;
    const auto file = volume.read_small_file(u"\\file", 8_MiB, arena);
    EXPECT_EQ(code_of(file), GetParam().expected);
    if (file.has_value()) EXPECT_TRUE(text_of(*file) == content);
  });
}

INSTANTIATE_TEST_SUITE_P(Changes, ChangingFileTest, testing::ValuesIn(changes),
                         [](const auto& info) { return std::string(info.param.name); });

// ---- Parts of files, and who watches ----

TEST_F(FileTest, ReadsPartsAndMovesOnlyWhereItMust) {
  const std::string content = pattern(10'000);
  esp.add(u"\\file", content);
  with_volume([&](Volume& volume) {
    auto file = volume.open_file(u"\\file");
    ASSERT_TRUE(file.has_value());
    std::vector<std::byte> room(1000);
    struct Row {
      std::uint64_t at;
      std::size_t size;
      std::string_view expected;
      std::size_t moves;  // SetPosition calls so far
      const char* reason;
    };
    const Row rows[] = {
        {0, 1000, "", 0, "the beginning"},
        {1000, 1000, "", 0, "what follows"},
        {5000, 100, "", 1, "somewhere else"},
        {5100, 0, "", 1, "nothing"},
        {9500, 500, "", 2, "the end"},
        {9500, 501, "truncated", 3, "one byte too much"},
        {9500, 1, "", 4, "a position is not known after an error"},
        {20'000, 1, "firmware error", 5, "behind the end"},
    };
    for (const Row& row : rows) {
      SCOPED_TRACE(row.reason);
      const auto part = std::span(room).first(row.size);
      EXPECT_EQ(code_of(file->read_at(row.at, part)), row.expected);
      if (row.expected.empty())
        EXPECT_EQ(text_of(part), std::string_view(content).substr(row.at, row.size));
      EXPECT_EQ(calls_of(firmware, "File.SetPosition"), row.moves);
    }
  });
}

TEST_F(FileTest, TellsItsObserverAfterEveryChunk) {
  struct Observer final : ReadObserver {
    void chunk_read(std::uint64_t done, std::uint64_t total) override {
      seen.emplace_back(done, total);
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  };
  esp.add(u"\\file", pattern(2_MiB + 5));
  Observer observer;
  with_volume([&](Volume& volume) {
    EXPECT_TRUE(volume.read_file(u"\\file", 4_MiB, &observer).has_value());
  });
  const std::uint64_t total = 2_MiB + 5;
  EXPECT_EQ(observer.seen, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{
                               {1_MiB, total}, {2_MiB, total}, {total, total}}));
  EXPECT_EQ(calls_of(firmware, "SetWatchdogTimer"), 3u) << "re-armed before each";
}

TEST_F(FileTest, KeepsToTheMemoryLimit) {
  esp.add(u"\\file", "12345");
  with_volume([&](Volume& volume) {
    const auto low = volume.read_file(u"\\file", 1_MiB, MemoryLimit::below_4g, nullptr);
    ASSERT_TRUE(low.has_value());
    EXPECT_LT(reinterpret_cast<std::uintptr_t>(low->data()), 4_GiB);
    EXPECT_EQ(text_of(low->bytes()), "12345");
  });
  firmware.memory().set_low_memory(false);
  with_volume([&](Volume& volume) {
    EXPECT_EQ(code_of(volume.read_file(u"\\file", 1_MiB, MemoryLimit::below_4g, nullptr)),
              "out of memory");
    EXPECT_EQ(code_of(volume.read_file(u"\\file", 1_MiB, MemoryLimit::below_4g_preferred, nullptr)),
              "");
  });
}

TEST_F(FileTest, SaysWhatFilesAndVolumesAre) {
  esp.add(u"\\dir\\file", "12345").set_label(u"A LABEL");
  esp.set_attributes(u"\\dir\\file", EFI_FILE_READ_ONLY);
  esp.set_free_space(77);
  with_volume([&](Volume& volume) {
    const auto file = volume.info(u"\\dir\\file");
    ASSERT_TRUE(file.has_value());
    EXPECT_EQ(file->size, 5u);
    EXPECT_TRUE(file->is_read_only());
    EXPECT_FALSE(file->is_directory());
    const auto directory = volume.info(u"\\dir");
    ASSERT_TRUE(directory.has_value());
    EXPECT_TRUE(directory->is_directory());
    EXPECT_TRUE(volume.exists(u"\\DIR\\file"));
    EXPECT_FALSE(volume.exists(u"\\dir\\other"));
    const auto state = volume.state();
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->free_space, 77u);
    EXPECT_FALSE(state->read_only);
    esp.set_label(std::u16string(600, u'x'));
    EXPECT_FALSE(volume.state().has_value()) << "a label that nobody expects";
  });
}

TEST_F(FileTest, HasNoVolumeWhereThereIsNone) {
  run_in(firmware, [&](Image&) {
    EXPECT_EQ(code_of(Volume::open(firmware.disk_handle())), "unsupported");
    EXPECT_EQ(code_of(Volume::open(nullptr)), "not found");
    esp.fail(Operation::open_volume, u"\\", status::device_error);
    EXPECT_EQ(code_of(Volume::open(firmware.esp_handle())), "firmware error");
  });
}

// ---- Directories ----

TEST_F(FileTest, ListsTwoThousandFilesInAnyOrder) {
  std::set<std::u16string> expected;
  for (int i = 0; i < 2000; ++i) {
    const std::string number = std::to_string(i);
    const std::u16string name = u"entry-" + std::u16string(number.begin(), number.end());
    esp.add(u"\\loader\\entries\\" + name, number);
    expected.insert(name);
  }
  const std::u16string longest(255, u'n');
  esp.add(u"\\loader\\entries\\" + longest, "x").add_directory(u"\\loader\\entries\\sub");
  expected.insert(longest);
  expected.insert(u"sub");
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    esp.set_seed(seed);
    esp.set_loses_items_that_do_not_fit(seed == 3);  // what does not fit at once would be missed
    with_volume([&](Volume& volume) {
      auto directory = volume.open_directory(u"\\loader\\entries");
      ASSERT_TRUE(directory.has_value());
      std::set<std::u16string> seen;
      auto item = directory->next();
      while (item.has_value() && item->has_value()) {
        EXPECT_TRUE(seen.emplace((*item)->name).second) << "twice";
        EXPECT_EQ((*item)->info.is_directory(), (*item)->name == u"sub");
        item = directory->next();
      }
      EXPECT_TRUE(item.has_value());
      EXPECT_TRUE(seen == expected) << seen.size() << " of " << expected.size();
      item = directory->next();
      EXPECT_TRUE(item.has_value() && !item->has_value()) << "the end stays the end";
    });
  }
}

TEST_F(FileTest, StopsListingAtTheFirstError) {
  for (int i = 0; i < 5; ++i) esp.add(u"\\d\\" + std::u16string(1, char16_t(u'a' + i)), "x");
  struct Row {
    std::function<void()> prepare;
    std::string_view expected;
    const char* reason;
  };
  const Row rows[] = {
      {[&] { esp.fail(Operation::read, u"\\d", status::device_error, 3); }, "firmware error",
       "the medium fails"},
      {[&] { esp.set_read_lie(10); }, "malformed", "items without a name"},
      {[&] { esp.set_read_lie(5000); }, "malformed", "items larger than the buffer"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    esp.stop_interfering();
    esp.set_read_lie(std::nullopt);
    row.prepare();
    with_volume([&](Volume& volume) {
      auto directory = volume.open_directory(u"\\d");
      ASSERT_TRUE(directory.has_value());
      int items = 0;
      auto item = directory->next();
      for (; item.has_value() && item->has_value() && items < 100; ++items)
        item = directory->next();
      EXPECT_EQ(code_of(item), row.expected);
      item = directory->next();
      EXPECT_TRUE(item.has_value() && !item->has_value()) << "after an error nothing more comes";
    });
  }
  esp.stop_interfering();
  esp.set_read_lie(std::nullopt);
  with_volume(
      [&](Volume& volume) { EXPECT_EQ(code_of(volume.open_directory(u"\\none")), "not found"); });
}

TEST_F(FileTest, DoesNotListAFile) {
  esp.add(u"\\file", pattern(300));
  with_volume(
      [&](Volume& volume) { EXPECT_EQ(code_of(volume.open_directory(u"\\file")), "unsupported"); });
}

// ---- Renaming ----

struct RenameRow {
  const char* name;
  std::function<void(sim::Volume&)> prepare;
  std::u16string_view new_name;
  std::string_view expected;
  bool open_afterwards;  // the gate
  bool renamed;
};

constexpr std::u16string_view old_path = u"\\EFI\\Linux\\a+3.efi";
constexpr std::u16string_view new_path = u"\\EFI\\Linux\\a+2-1.efi";

const RenameRow renames[] = {
    {"Works", [](sim::Volume&) {}, u"a+2-1.efi", "", true, true},
    {"WorksWithJustEnoughRoom", [](sim::Volume& v) { v.set_free_space(64_KiB); }, u"a+2-1.efi", "",
     true, true},
    {"TooLittleRoom", [](sim::Volume& v) { v.set_free_space(64_KiB - 1); }, u"a+2-1.efi", "denied",
     true, false},
    {"VolumeIsReadOnly", [](sim::Volume& v) { v.set_read_only(true); }, u"a+2-1.efi", "denied",
     true, false},
    {"FileIsReadOnly", [](sim::Volume& v) { v.set_attributes(old_path, EFI_FILE_READ_ONLY); },
     u"a+2-1.efi", "denied", true, false},
    {"SpaceIsUnknown",
     [](sim::Volume& v) { v.fail(Operation::get_info, u"\\", status::unsupported); }, u"a+2-1.efi",
     "unsupported", true, false},
    {"FileIsNotThere", [](sim::Volume& v) { v.remove(old_path); }, u"a+2-1.efi", "not found", true,
     false},
    {"NoName", [](sim::Volume&) {}, u"", "denied", true, false},
    {"NameIsTaken", [](sim::Volume& v) { v.add(new_path, "another"); }, u"a+2-1.efi", "denied",
     false, false},
    {"CannotBeOpenedForWriting",
     [](sim::Volume& v) { v.fail(Operation::open, old_path, status::device_error, 2); },
     u"a+2-1.efi", "firmware error", false, false},
    {"DriverFails", [](sim::Volume& v) { v.fail(Operation::set_info, u"", status::device_error); },
     u"a+2-1.efi", "firmware error", false, false},
    {"DriverFailsAfterItsWork",
     [](sim::Volume& v) {
       v.interfere(When::after, Operation::set_info, u"",
                   [](sim::Volume&) { return std::optional(status::device_error); });
     },
     u"a+2-1.efi", "", false, true},
    {"CannotBeFlushed", [](sim::Volume& v) { v.fail(Operation::flush, u"", status::device_error); },
     u"a+2-1.efi", "", false, true},
    {"MediumChanges",
     [](sim::Volume& v) {
       v.interfere(When::before, Operation::set_info, u"", [](sim::Volume& changed) {
         changed.change_medium();
         return std::optional<Status>();
       });
     },
     u"a+2-1.efi", "firmware error", false, false},
};

class RenameTest : public FileTest, public testing::WithParamInterface<RenameRow> {};

TEST_P(RenameTest, EitherHappensOrLeavesEverythingAsItWas) {
  esp.add(old_path, "image");
  GetParam().prepare(esp);
  const auto files_before = esp.files();
  with_volume([&](Volume& volume) {
    WriteGate gate;
    EXPECT_EQ(code_of(volume.rename(gate, old_path, GetParam().new_name)), GetParam().expected);
    EXPECT_EQ(gate.is_open(), GetParam().open_afterwards);
    if (gate.is_open()) return;
    esp.stop_interfering();
    esp.forget_writes();
    EXPECT_EQ(code_of(volume.rename(gate, old_path, u"a+1-2.efi")), "denied")
        << "one failed write ends all writing";
    EXPECT_TRUE(esp.writes().empty());
  });
  EXPECT_EQ(esp.exists(old_path), !GetParam().renamed && files_before.size() != 0);
  if (GetParam().renamed)
    EXPECT_EQ(text_of(esp.content(new_path)), "image");
  else
    EXPECT_EQ(esp.files(), files_before);
}

INSTANTIATE_TEST_SUITE_P(Renames, RenameTest, testing::ValuesIn(renames),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(FileTest, RenamesAndFlushesAndWritesNothingElse) {
  esp.add(old_path, "image");
  with_volume([&](Volume& volume) {
    WriteGate gate;
    EXPECT_TRUE(volume.rename(gate, old_path, u"a+2-1.efi").has_value());
  });
  EXPECT_EQ(esp.writes(), (std::vector<std::u16string>{u"rename " + std::u16string(old_path) +
                                                           u" -> " + std::u16string(new_path),
                                                       u"flush " + std::u16string(new_path)}));
}

TEST_F(FileTest, RefusesNamesThatWouldBeTooLong) {
  esp.add(u"\\EFI\\Linux\\a.efi", "image");
  struct Row {
    std::size_t size;
    std::string_view expected;
    const char* reason;
  };
  const Row rows[] = {{256, "denied", "a name of more than 255 units"},
                      {250, "denied", "a path of 261 units"},
                      {249, "", "a path of 260 units"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    with_volume([&](Volume& volume) {
      WriteGate gate;
      EXPECT_EQ(
          code_of(volume.rename(gate, u"\\EFI\\Linux\\a.efi", std::u16string(row.size, u'n'))),
          row.expected);
      EXPECT_TRUE(gate.is_open());
    });
  }
}

TEST_F(FileTest, KnowsAllVolumes) {
  sim::Firmware two({.xbootldr = true});
  run_in(two, [&](Image&) {
    const auto volumes = all_volumes();
    ASSERT_TRUE(volumes.has_value());
    const std::set<Handle> seen(volumes->begin(), volumes->end());
    EXPECT_EQ(seen, (std::set<Handle>{two.esp_handle(), two.xbootldr_handle()}));
  });
}

}  // namespace
}  // namespace keelson::efi
