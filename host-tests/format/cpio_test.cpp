// SPDX-License-Identifier: MIT
//
// Archives against the two vectors (SHA-256 and sizes of archives that systemd-stub made), against
// an independent reader of the format, and at the limits of security.md 5, I-CPIO.
#include "efi/format/cpio.h"

#include <gtest/gtest.h>

#include <charconv>
#include <string>
#include <vector>

#include "efi/base/digest.h"

namespace keelson::cpio {
namespace {

constexpr Layout credentials{
    .directory = ".extra/credentials", .directory_mode = 0500, .file_mode = 0400};
constexpr Layout generated{.directory = ".extra"};

std::string hex(Bytes bytes) { return std::string(std::string_view(sha256(bytes).hex())); }
File file(std::string_view name, std::string_view content) { return {name, bytes_of(content)}; }

// The reader shares nothing with the writer: it follows buffer-format.rst.
struct Record {
  std::string name, content;
  unsigned long ino = 0, mode = 0, uid = 0, gid = 0, nlink = 0, mtime = 0, check = 0, devices = 0;
};
struct Archive {
  std::vector<Record> records;  // with the trailer
  std::string problem;
};
Archive read(Bytes archive) {
  Archive result;
  const std::string_view text = text_of(archive);
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.substr(at, 6) != "070701")
      return result.problem = "no magic at " + std::to_string(at), result;
    std::array<unsigned long, 13> fields{};
    for (std::size_t i = 0; i < 13; ++i) {
      if (at + 6 + 8 * i + 8 > text.size()) return result.problem = "short header", result;
      const char* first = text.data() + at + 6 + 8 * i;
      if (std::from_chars(first, first + 8, fields[i], 16).ptr != first + 8)
        return result.problem = "bad digit", result;
    }
    const std::size_t name_at = at + 110;
    if (name_at + fields[11] > text.size()) return result.problem = "short name", result;
    const std::string_view name = text.substr(name_at, fields[11]);
    if (name.empty() || name.find('\0') != name.size() - 1)
      return result.problem = "name and NUL", result;
    const std::size_t content_at = (name_at + fields[11] + 3) / 4 * 4;
    if (content_at + fields[6] > text.size()) return result.problem = "short content", result;
    const std::size_t end = (content_at + fields[6] + 3) / 4 * 4;
    if (end > text.size()) return result.problem = "no padding", result;
    for (const auto padding : {text.substr(name_at + fields[11], content_at - name_at - fields[11]),
                               text.substr(content_at + fields[6], end - content_at - fields[6])})
      if (padding.find_first_not_of('\0') != padding.npos)
        return result.problem = "padding is not zero", result;
    result.records.push_back({std::string(name.substr(0, name.size() - 1)),
                              std::string(text.substr(content_at, fields[6])), fields[0], fields[1],
                              fields[2], fields[3], fields[4], fields[5], fields[12],
                              fields[7] | fields[8] | fields[9] | fields[10]});
    at = end;
    if (name == std::string_view("TRAILER!!!", 11)) break;
  }
  if (at != text.size()) result.problem = "bytes after the trailer";
  if (result.records.empty() || result.records.back().name != "TRAILER!!!")
    result.problem = "no trailer";
  return result;
}

TEST(Cpio, VectorOfACredential) {
  const File files[] = {file("a.cred", "hello")};
  const auto archive = write_archive(credentials, files);
  ASSERT_TRUE(archive.has_value());
  EXPECT_EQ(archive->size(), 520u);
  EXPECT_EQ(hex(archive->bytes()),
            "c26510b17edde7e8d474d860158a5f3b4d739201cca96e1b895e358125178fa4");
}

TEST(Cpio, VectorOfAGeneratedFile) {
  const auto archive = write_archive(generated, file("profile", "ID=p1\n"));
  ASSERT_TRUE(archive.has_value());
  EXPECT_EQ(archive->size(), 380u);
  EXPECT_EQ(hex(archive->bytes()),
            "b3b46469686dbb93ec4b0581db23509003789dc6f74214d583e2145447e7efe1");
}

TEST(Cpio, EveryFieldAsTheFormatSays) {
  const File files[] = {file("a.raw", "12345"), file("empty.raw", ""),
                        file("A.raw", std::string_view("\0x", 2))};
  const auto archive = write_archive(
      {.directory = "one/two/three", .directory_mode = 0555, .file_mode = 0444}, files);
  ASSERT_TRUE(archive.has_value());
  const Archive read_again = read(archive->bytes());
  ASSERT_EQ(read_again.problem, "");
  struct Expected {
    std::string_view name;
    unsigned long mode;
    std::string_view content;
  };
  const Expected expected[] = {
      {"one", 0x416d, ""},
      {"one/two", 0x416d, ""},
      {"one/two/three", 0x416d, ""},
      {"one/two/three/a.raw", 0x8124, "12345"},
      {"one/two/three/empty.raw", 0x8124, ""},
      {"one/two/three/A.raw", 0x8124, std::string_view("\0x", 2)},
      {"TRAILER!!!", 0, ""},
  };
  ASSERT_EQ(read_again.records.size(), std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    const Record& record = read_again.records[i];
    const bool is_trailer = i + 1 == std::size(expected);
    EXPECT_EQ(record.name, expected[i].name);
    EXPECT_EQ(record.mode, expected[i].mode) << record.name;
    EXPECT_EQ(record.content, expected[i].content) << record.name;
    EXPECT_EQ(record.ino, is_trailer ? 0 : i + 1) << record.name;
    EXPECT_EQ(record.nlink, 1u) << record.name;
    EXPECT_EQ(record.uid | record.gid | record.mtime | record.check | record.devices, 0u)
        << record.name;
  }
  EXPECT_EQ(read(write_archive(credentials, files)->bytes()).records[1].mode, 0x4140u)
      << "directory 0500";
  EXPECT_EQ(read(write_archive(credentials, files)->bytes()).records[2].mode, 0x8100u)
      << "file 0400";
}

TEST(Cpio, DirectoriesAlone) {
  const auto archive = write_archive(credentials, std::span<const File>());
  ASSERT_TRUE(archive.has_value());
  const Archive read_again = read(archive->bytes());
  EXPECT_EQ(read_again.problem, "");
  EXPECT_EQ(read_again.records.size(), 3u) << "two directories and the trailer";
}

TEST(Cpio, EveryPaddingOfNameAndContent) {
  for (std::size_t name_size = 1; name_size < 9; ++name_size)
    for (std::size_t content_size = 0; content_size < 9; ++content_size) {
      const std::string name(name_size, 'n'), content(content_size, 'c');
      const auto archive = write_archive(generated, file(name, content));
      ASSERT_TRUE(archive.has_value());
      const Archive read_again = read(archive->bytes());
      ASSERT_EQ(read_again.problem, "") << name_size << ", " << content_size;
      ASSERT_EQ(read_again.records.size(), 3u);
      EXPECT_EQ(read_again.records[1].name, ".extra/" + name);
      EXPECT_EQ(read_again.records[1].content, content);
    }
}

TEST(Cpio, TwoThousandFiles) {
  std::vector<std::string> names(2000);
  std::vector<File> files;
  for (std::size_t i = 0; i < names.size(); ++i) {
    names[i] = "file-" + std::to_string(i) + ".cred";
    files.push_back(file(names[i], names[i]));
  }
  const auto archive = write_archive(credentials, files);
  ASSERT_TRUE(archive.has_value());
  const Archive read_again = read(archive->bytes());
  EXPECT_EQ(read_again.problem, "");
  ASSERT_EQ(read_again.records.size(), 2003u);
  EXPECT_EQ(read_again.records[2001].content, names[1999]);
}

struct NameRow {
  std::string_view name;
  bool accepted;
  std::string_view reason;
};
const std::string name_255(255, 'x'), name_256(256, 'x');
const NameRow name_rows[] = {
    {"a.cred", true, "plain"},
    {"A b~(1).cred", true, "printable ASCII with blanks and case"},
    {name_255, true, "longest"},
    {name_256, false, "one too long"},
    {"", false, "empty"},
    {"a/b", false, "separator of the initrd"},
    {"a\\b", false, "separator of the volume"},
    {"..", false, "parent directory"},
    {".", false, "the directory"},
    {".cred", false, "suffix only, begins with a dot"},
    {"a\nb", false, "control character"},
    {"a\x7f", false, "DEL"},
    {std::string_view("a\0b", 3), false, "NUL"},
    {"a\xc3\xa4", false, "not ASCII"},
};

TEST(Cpio, NamesComeFromAVolume) {
  for (const NameRow& row : name_rows) {
    EXPECT_EQ(check_file_name(row.name).has_value(), row.accepted) << row.reason;
    const auto archive = write_archive(generated, file(row.name, "x"));
    EXPECT_EQ(archive.has_value(), row.accepted) << row.reason;
    if (!row.accepted) EXPECT_EQ(archive.error().code, Errc::malformed) << row.reason;
  }
}

TEST(Cpio, DirectoryNames) {
  for (const std::string_view bad : {"", "/a", "a/", "a//b", "/"})
    EXPECT_EQ(frame_size({.directory = bad}).error().code, Errc::malformed) << bad;
}

TEST(Cpio, FilesOfFourGiBAndMore) {
  EXPECT_TRUE(file_record_size(generated, "a", 0xFFFFFFFF).has_value())
      << "the largest the format holds";
  EXPECT_EQ(*file_record_size(generated, "a", 0xFFFFFFFF), 120 + 0x100000000u);
  EXPECT_EQ(file_record_size(generated, "a", 4_GiB).error().code, Errc::unsupported);
  auto writer = ArchiveWriter::create(generated, 4096);
  ASSERT_TRUE(writer.has_value());
  EXPECT_EQ(writer->add_file("a", 4_GiB).error().code, Errc::unsupported);
  EXPECT_EQ(writer->add_file("a", 0xFFFFFFFF).error().code, Errc::out_of_memory)
      << "was not announced";
}

// A file that could not be read is left out; the archive is as if it had never been there.
TEST(Cpio, DroppingAFile) {
  const std::uint64_t size = *frame_size(credentials) +
                             *file_record_size(credentials, "a.cred", 5) +
                             *file_record_size(credentials, "b.cred", 1000);
  auto writer = ArchiveWriter::create(credentials, size);
  ASSERT_TRUE(writer.has_value());
  const auto unread = writer->add_file("b.cred", 1000);
  ASSERT_TRUE(unread.has_value());
  std::fill(unread->begin(), unread->end(), std::byte{0xEE});
  writer->drop_last_file();
  writer->drop_last_file();  // a second time changes nothing
  const auto room = writer->add_file("a.cred", 5);
  ASSERT_TRUE(room.has_value());
  ASSERT_EQ(room->size(), 5u);
  std::memcpy(room->data(), "hello", 5);
  const auto archive = writer->finish();
  ASSERT_TRUE(archive.has_value());
  EXPECT_EQ(archive->size(), 520u);
  EXPECT_EQ(hex(archive->bytes()),
            "c26510b17edde7e8d474d860158a5f3b4d739201cca96e1b895e358125178fa4");
}

TEST(Cpio, NoMoreThanWasAnnounced) {
  const std::uint64_t size = *frame_size(generated) + *file_record_size(generated, "a", 10);
  EXPECT_EQ(ArchiveWriter::create(generated, *frame_size(generated) - 1).error().code,
            Errc::out_of_memory);
  auto writer = ArchiveWriter::create(generated, size);
  ASSERT_TRUE(writer.has_value());
  EXPECT_EQ(writer->add_file("a", 13).error().code, Errc::out_of_memory) << "one padding more";
  ASSERT_TRUE(writer->add_file("a", 12).has_value()) << "same padding";
  EXPECT_EQ(writer->add_file("b", 0).error().code, Errc::out_of_memory)
      << "the trailer's room stays";
  const auto archive = writer->finish();
  ASSERT_TRUE(archive.has_value());
  EXPECT_EQ(archive->size(), size);
  EXPECT_EQ(read(archive->bytes()).problem, "");
}

}  // namespace
}  // namespace keelson::cpio
