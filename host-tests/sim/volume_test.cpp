// SPDX-License-Identifier: MIT
//
// The simulated file system keeps to UEFI 2.10, 13.5, and to FAT (volume.h): what a program is told
// here it would be told by firmware.
#include "host-tests/sim/volume.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace keelson::sim {
namespace {

namespace status = efi::status;
using efi::Status;
using Operation = Volume::Operation;

constexpr Guid file_info_id = "09576e92-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr Guid file_system_info_id = "09576e93-6d3f-11d2-8e39-00a0c969723b"_guid;
constexpr std::uint64_t read_write = EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE;
constexpr std::size_t name_offset = offsetof(EFI_FILE_INFO, FileName);

class VolumeTest : public testing::Test {
 protected:
  ~VolumeTest() override {
    for (const EFI_FILE_HANDLE file : opened_) file->Close(file);
    EXPECT_TRUE(volume.open_paths().empty());
  }

  EFI_FILE_HANDLE root() {
    EFI_FILE_HANDLE file = nullptr;
    EXPECT_EQ(volume.protocol()->OpenVolume(volume.protocol(), &file), status::success);
    opened_.push_back(file);
    return file;
  }
  Status open(EFI_FILE_HANDLE from, const char16_t* path, EFI_FILE_HANDLE& file,
              std::uint64_t mode = EFI_FILE_MODE_READ) {
    file = nullptr;
    const Status result = from->Open(from, &file, efi::as_efi(path), mode, 0);
    if (file != nullptr) opened_.push_back(file);
    return result;
  }
  EFI_FILE_HANDLE opened(const char16_t* path, std::uint64_t mode = EFI_FILE_MODE_READ) {
    EFI_FILE_HANDLE file = nullptr;
    EXPECT_EQ(open(root(), path, file, mode), status::success);
    return file;
  }
  static Status read(EFI_FILE_HANDLE file, std::size_t size, std::string& text) {
    text.assign(size, '#');
    UINTN got = size;
    const Status result = file->Read(file, &got, text.data());
    text.resize(got);
    return result;
  }
  static std::u16string name_in(const std::byte* info) {
    return reinterpret_cast<const char16_t*>(info + name_offset);
  }
  std::vector<std::u16string> list(const char16_t* path) {
    std::vector<std::u16string> names;
    const EFI_FILE_HANDLE directory = opened(path);
    alignas(8) std::byte buffer[1024];
    UINTN size = sizeof(buffer);
    while (directory->Read(directory, &size, buffer) == status::success && size != 0) {
      names.push_back(name_in(buffer));
      EXPECT_EQ(size, name_offset + 2 * (names.back().size() + 1));
      size = sizeof(buffer);
    }
    return names;
  }
  // Asks to rename as a program does: the information it read, with another name.
  Status rename(EFI_FILE_HANDLE file, std::u16string_view name) {
    alignas(8) std::byte buffer[2048] = {};
    UINTN size = sizeof(buffer);
    EXPECT_EQ(file->GetInfo(file, efi::as_efi(file_info_id), &size, buffer), status::success);
    const std::uint64_t new_size = name_offset + 2 * (name.size() + 1);
    __builtin_memcpy(buffer, &new_size, sizeof(new_size));
    __builtin_memcpy(buffer + name_offset, name.data(), 2 * name.size());
    __builtin_memset(buffer + name_offset + 2 * name.size(), 0, 2);
    return file->SetInfo(file, efi::as_efi(file_info_id), new_size, buffer);
  }

  Calls calls;
  Volume volume{calls};

 private:
  std::vector<EFI_FILE_HANDLE> opened_;
};

TEST_F(VolumeTest, FindsFilesAsFatDoes) {
  volume.add(u"\\EFI\\Linux\\Debian.efi", "image");
  struct Row {
    const char16_t* from;
    const char16_t* path;
    Status expected;
    const char* reason;
  };
  const Row rows[] = {
      {u"\\", u"\\EFI\\Linux\\Debian.efi", status::success, "an absolute path"},
      {u"\\", u"EFI\\Linux\\Debian.efi", status::success, "relative to the root"},
      {u"\\EFI", u"Linux\\Debian.efi", status::success, "relative to a directory"},
      {u"\\EFI", u"\\EFI\\Linux\\Debian.efi", status::success, "absolute from a directory"},
      {u"\\", u"\\efi\\LINUX\\dEBIAN.EFI", status::success, "case does not count"},
      {u"\\EFI\\Linux", u"..\\.\\Linux\\Debian.efi", status::success, "dots are followed"},
      {u"\\", u"\\EFI\\\\Linux\\Debian.efi", status::success, "doubled separators are one"},
      {u"\\", u"..\\EFI", status::not_found, "above the root is nothing"},
      {u"\\", u"\\EFI\\Linux\\Debian", status::not_found, "no such file"},
      {u"\\", u"\\EFI\\Linux\\Debian.efi\\x", status::not_found, "a file has nothing below it"},
      {u"\\", u"/EFI/Linux/Debian.efi", status::not_found, "slashes are no separators"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    EFI_FILE_HANDLE file = nullptr;
    EXPECT_EQ(open(opened(row.from), row.path, file), row.expected);
    EXPECT_EQ(file != nullptr, row.expected == status::success);
  }
}

TEST_F(VolumeTest, RefusesModesThatTheSpecificationDoesNotKnow) {
  volume.add(u"\\a", "x");
  EFI_FILE_HANDLE file = nullptr;
  for (const std::uint64_t mode : {std::uint64_t{0}, std::uint64_t{EFI_FILE_MODE_WRITE},
                                   std::uint64_t{EFI_FILE_MODE_CREATE}, std::uint64_t{7}})
    EXPECT_EQ(open(root(), u"\\a", file, mode), status::invalid_parameter) << mode;
  EXPECT_EQ(open(root(), u"\\a", file, read_write), status::success);
}

TEST_F(VolumeTest, ReadsFromWhereItStands) {
  volume.add(u"\\a", "0123456789");
  const EFI_FILE_HANDLE file = opened(u"\\a");
  std::string text;
  EXPECT_EQ(read(file, 4, text), status::success);
  EXPECT_EQ(text, "0123");
  EXPECT_EQ(read(file, 100, text), status::success);
  EXPECT_EQ(text, "456789") << "only the end shortens a read";
  EXPECT_EQ(read(file, 1, text), status::success);
  EXPECT_EQ(text, "") << "at the end: nothing, without an error";
  EXPECT_EQ(file->SetPosition(file, 8), status::success);
  EXPECT_EQ(read(file, 4, text), status::success);
  EXPECT_EQ(text, "89");
  EXPECT_EQ(file->SetPosition(file, 11), status::success);
  EXPECT_EQ(read(file, 1, text), status::device_error) << "behind the end";
  EXPECT_EQ(file->SetPosition(file, ~0ull), status::success);
  UINT64 position = 0;
  EXPECT_EQ(file->GetPosition(file, &position), status::success);
  EXPECT_EQ(position, 10u) << "all ones mean the end";
  EXPECT_EQ(volume.usage(u"\\A").bytes_read, 12u);
  EXPECT_EQ(volume.usage(u"\\a").opens, 1u);
}

TEST_F(VolumeTest, FailsReadsThatAreTooLarge) {
  volume.add(u"\\a", std::string(2'000'000, 'x'));
  std::string text;
  EXPECT_EQ(read(opened(u"\\a"), 1'048'577, text), status::device_error);
  EXPECT_EQ(read(opened(u"\\a"), 1'048'576, text), status::success);
  volume.set_shortened_read(1000);
  EXPECT_EQ(read(opened(u"\\a"), 4096, text), status::success);
  EXPECT_EQ(text.size(), 1000u);
}

TEST_F(VolumeTest, ListsEveryItemOnceInAnOrderOfItsOwn) {
  std::set<std::u16string> expected = {u".", u".."};
  for (char16_t c = u'a'; c <= u'z'; ++c) {
    volume.add(std::u16string(u"\\d\\") + c, "x");
    expected.insert(std::u16string(1, c));
  }
  const auto first = list(u"\\d");
  EXPECT_EQ(std::set(first.begin(), first.end()), expected);
  EXPECT_EQ(first.size(), expected.size());
  EXPECT_FALSE(std::ranges::is_sorted(first));
  EXPECT_EQ(list(u"\\d"), first) << "the same each time";
  volume.set_seed(2);
  EXPECT_NE(list(u"\\d"), first);
  EXPECT_EQ(list(u"\\"), std::vector<std::u16string>{u"d"}) << "the root has no dots";
}

TEST_F(VolumeTest, GivesAnItemAgainThatDidNotFit) {
  volume.add(u"\\a-long-name", "x");
  for (const bool loses : {false, true}) {
    volume.set_loses_items_that_do_not_fit(loses);
    const EFI_FILE_HANDLE directory = root();
    alignas(8) std::byte buffer[256];
    UINTN size = name_offset;
    EXPECT_EQ(directory->Read(directory, &size, buffer), status::buffer_too_small);
    EXPECT_EQ(size, name_offset + 2 * 12);
    EXPECT_EQ(directory->Read(directory, &size, buffer), status::success);
    if (loses)
      EXPECT_EQ(size, 0u);
    else
      EXPECT_EQ(name_in(buffer), u"a-long-name");
    EXPECT_EQ(directory->SetPosition(directory, 1), status::unsupported);
    EXPECT_EQ(directory->SetPosition(directory, 0), status::success) << "from the start again";
    size = sizeof(buffer);
    EXPECT_EQ(directory->Read(directory, &size, buffer), status::success);
    EXPECT_EQ(name_in(buffer), u"a-long-name");
  }
}

TEST_F(VolumeTest, TellsTheSizeOfInformationThatDoesNotFit) {
  volume.add(u"\\some-name", "12345").set_label(u"LABEL");
  const EFI_FILE_HANDLE file = opened(u"\\SOME-NAME");
  alignas(8) std::byte buffer[256];
  UINTN size = 10;
  EXPECT_EQ(file->GetInfo(file, efi::as_efi(file_info_id), &size, nullptr),
            status::buffer_too_small);
  EXPECT_EQ(size, name_offset + 2 * 10);
  EXPECT_EQ(file->GetInfo(file, efi::as_efi(file_info_id), &size, buffer), status::success);
  EXPECT_EQ(name_in(buffer), u"some-name") << "spelled as on the volume";
  EFI_FILE_INFO info;
  __builtin_memcpy(&info, buffer, name_offset);
  EXPECT_EQ(info.Size, size);
  EXPECT_EQ(info.FileSize, 5u);
  EXPECT_EQ(info.Attribute, std::uint64_t{EFI_FILE_ARCHIVE});

  size = sizeof(buffer);
  volume.set_free_space(4242);
  EXPECT_EQ(file->GetInfo(file, efi::as_efi(file_system_info_id), &size, buffer), status::success);
  EFI_FILE_SYSTEM_INFO system;
  __builtin_memcpy(&system, buffer, offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel));
  EXPECT_EQ(system.FreeSpace, 4242u);
  EXPECT_EQ(size, offsetof(EFI_FILE_SYSTEM_INFO, VolumeLabel) + 2 * 6);
  size = sizeof(buffer);
  EXPECT_EQ(file->GetInfo(file, efi::as_efi(efi::protocol_guid::block_io), &size, buffer),
            status::unsupported);
}

TEST_F(VolumeTest, RenamesByTheRulesOfFat) {
  struct Row {
    const char16_t* name;
    Status expected;
    const char16_t* path;
    const char* reason;
  };
  const std::u16string longest(255, u'n');
  const std::u16string too_long(256, u'n');
  const std::u16string longest_path = u"\\d\\" + longest;
  const Row rows[] = {
      {u"b+2-1.efi", status::success, u"\\d\\b+2-1.efi", "another name"},
      {u"A.EFI", status::success, u"\\d\\A.EFI", "only the case"},
      {longest.c_str(), status::success, longest_path.c_str(), "255 units are allowed"},
      {too_long.c_str(), status::invalid_parameter, u"\\d\\a.efi", "256 are not"},
      {u"other.efi", status::access_denied, u"\\d\\a.efi", "the name is taken"},
      {u"OTHER.efi", status::access_denied, u"\\d\\a.efi", "the name is taken in another case"},
      {u"a:b", status::invalid_parameter, u"\\d\\a.efi", "a character that FAT does not have"},
      {u"", status::invalid_parameter, u"\\d\\a.efi", "no name"},
      {u"\\moved.efi", status::success, u"\\moved.efi", "an absolute path moves it"},
      {u"\\none\\a.efi", status::not_found, u"\\d\\a.efi", "into a directory that is not there"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    Calls no_calls;
    Volume fresh(no_calls);
    fresh.add(u"\\d\\a.efi", "x").add(u"\\d\\other.efi", "y");
    EFI_FILE_HANDLE root = nullptr;
    fresh.protocol()->OpenVolume(fresh.protocol(), &root);
    EFI_FILE_HANDLE file = nullptr;
    ASSERT_EQ(root->Open(root, &file, efi::as_efi(u"\\d\\a.efi"), read_write, 0), status::success);
    EXPECT_EQ(rename(file, row.name), row.expected);
    EXPECT_EQ(text_of(fresh.content(row.path)), "x");
    EXPECT_EQ(fresh.files().size(), 2u);
    EXPECT_EQ(fresh.writes().empty(), row.expected != status::success);
    file->Close(file);
    root->Close(root);
  }
}

TEST_F(VolumeTest, RefusesWritesWhereNothingMayBeWritten) {
  volume.add(u"\\a", "x").add(u"\\read-only", "x");
  volume.set_attributes(u"\\read-only", EFI_FILE_READ_ONLY);
  EFI_FILE_HANDLE file = nullptr;
  EXPECT_EQ(open(root(), u"\\read-only", file, read_write), status::access_denied);
  EXPECT_EQ(rename(opened(u"\\a"), u"b"), status::access_denied) << "opened for reading";
  const EFI_FILE_HANDLE writable = opened(u"\\a", read_write);
  volume.set_read_only(true);
  EXPECT_EQ(open(root(), u"\\a", file, read_write), status::write_protected);
  EXPECT_EQ(rename(writable, u"b"), status::write_protected);
  volume.set_read_only(false);
  volume.set_free_space(100);
  EXPECT_EQ(rename(writable, u"b"), status::volume_full);
  EXPECT_EQ(open(root(), u"\\new", file, read_write | EFI_FILE_MODE_CREATE), status::volume_full);
  EXPECT_TRUE(volume.writes().empty());
  volume.set_free_space(1_MiB);
  EXPECT_EQ(rename(writable, u"b"), status::success);
  EXPECT_EQ(writable->Flush(writable), status::success);
  EXPECT_EQ(volume.writes(), (std::vector<std::u16string>{u"rename \\a -> \\b", u"flush \\b"}));
}

TEST_F(VolumeTest, NotesEveryOtherWrite) {
  const EFI_FILE_HANDLE file = opened(u"\\new", read_write | EFI_FILE_MODE_CREATE);
  UINTN size = 3;
  char text[] = "abc";
  EXPECT_EQ(file->Write(file, &size, text), status::success);
  EFI_FILE_HANDLE doomed = nullptr;
  const EFI_FILE_HANDLE from = root();
  ASSERT_EQ(from->Open(from, &doomed, efi::as_efi(u"new"), read_write, 0), status::success);
  EXPECT_EQ(doomed->Delete(doomed), status::success);
  EXPECT_EQ(volume.writes(),
            (std::vector<std::u16string>{u"create \\new", u"write \\new", u"delete \\new"}));
  EXPECT_FALSE(volume.exists(u"\\new"));
}

TEST_F(VolumeTest, ForgetsHandlesWhenTheMediumChanges) {
  volume.add(u"\\a", "x");
  const EFI_FILE_HANDLE old_root = root();
  const EFI_FILE_HANDLE file = opened(u"\\a");
  volume.change_medium();
  std::string text;
  EXPECT_EQ(read(file, 1, text), status::media_changed);
  EXPECT_EQ(file->SetPosition(file, 0), status::media_changed);
  EFI_FILE_HANDLE other = nullptr;
  EXPECT_EQ(open(old_root, u"\\a", other), status::media_changed);
  EXPECT_EQ(read(opened(u"\\a"), 1, text), status::success) << "opened anew";
}

TEST_F(VolumeTest, LetsTestsInterfere) {
  volume.add(u"\\a", "12345").add(u"\\b", "12345");
  volume.fail(Operation::open, u"\\A", status::device_error, 2, 1);
  EFI_FILE_HANDLE file = nullptr;
  EXPECT_EQ(open(root(), u"\\a", file), status::success) << "the first one passes";
  EXPECT_EQ(open(root(), u"\\b", file), status::success) << "another path";
  EXPECT_EQ(open(root(), u"\\a", file), status::device_error);
  EXPECT_EQ(open(root(), u"\\a", file), status::success) << "only once";

  volume.interfere(Volume::When::before, Operation::read, u"\\a", [](Volume& changed) {
    changed.add(u"\\a", "abc");
    return std::nullopt;
  });
  std::string text;
  EXPECT_EQ(read(opened(u"\\a"), 5, text), status::success);
  EXPECT_EQ(text, "abc") << "it changed behind the reader's back";

  volume.interfere(Volume::When::after, Operation::open, u"\\b",
                   [](Volume&) { return std::optional(status::device_error); });
  const std::size_t open_before = volume.open_paths().size();
  const EFI_FILE_HANDLE from = root();
  EXPECT_EQ(open(from, u"\\b", file), status::device_error);
  EXPECT_EQ(file, nullptr);
  EXPECT_EQ(volume.open_paths().size(), open_before + 1) << "only the root that it started from";
}

TEST_F(VolumeTest, KeepsOpenFilesThatAreTakenAway) {
  volume.add(u"\\a", "12345");
  const EFI_FILE_HANDLE file = opened(u"\\a");
  volume.remove(u"\\a");
  std::string text;
  EXPECT_EQ(read(file, 5, text), status::success);
  EXPECT_EQ(text, "12345");
}

TEST_F(VolumeTest, IsCountedAndFailedByItsCalls) {
  volume.add(u"\\a", "x");
  const EFI_FILE_HANDLE from = root();
  calls.arm();
  calls.fail_call(2);
  EFI_FILE_HANDLE file = nullptr;
  EXPECT_EQ(open(from, u"\\a", file), status::success);
  EXPECT_EQ(open(from, u"\\a", file), status::device_error);
  EXPECT_EQ(file, nullptr);
  ASSERT_EQ(calls.failed().size(), 1u);
  EXPECT_EQ(calls.failed()[0].name, "File.Open");
  EXPECT_EQ(calls.failed()[0].detail, "\\a");
}

}  // namespace
}  // namespace keelson::sim
