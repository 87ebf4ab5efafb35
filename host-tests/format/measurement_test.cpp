// SPDX-License-Identifier: MIT
//
// The list against the tables of systemd-measure and of a booted systemd-stub: digest by digest,
// PCR by PCR, event bytes, phases and policies (values agree with systemd-measure 261 and a TPM).
#include "efi/format/measurement.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "efi/base/hex.h"
#include "efi/base/wire.h"
#include "efi/format/cpio.h"
#include "host-tests/format/sample_smbios.h"

namespace keelson {
namespace {

std::string hex(const Digest& digest) { return std::string(std::string_view(digest.hex())); }
std::string hex(Bytes bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += {high_hex_digit(byte), low_hex_digit(byte)};
  return text;
}
Digest sha256_digest(std::string_view hex) { return *Digest::from_hex(HashAlgorithm::sha256, hex); }
pe::SectionData text(std::string_view content) { return {.stored = bytes_of(content), .zeros = 0}; }

const Digest zero(HashAlgorithm::sha256);

struct Section {
  UkiSection id;
  std::string_view content;
};
MeasurementList list_of(std::span<const Section> sections) {
  MeasurementList list;
  for (const Section& section : sections)
    EXPECT_TRUE(list.add_section(section.id, text(section.content)).has_value());
  return list;
}

// stub.md 2.6: every digest and every value of the PCR on the way.
constexpr Section stub_vector[] = {{UkiSection::kernel, "linux"},
                                   {UkiSection::osrel, "ID=test\nVERSION_ID=1\n"},
                                   {UkiSection::cmdline, "quiet"},
                                   {UkiSection::initrd, "initrd"}};
struct Step {
  std::string_view digest, pcr;
};
constexpr Step stub_steps[] = {
    {"0da293e37ad5511c59be47993769aacb91b243f7d010288e118dc90e95aaef5a",
     "c8a68f22e44d0249e2cd4f1ef0e79f565542404acf7f073da98d9dde907cdc32"},
    {"caf90169eefa5f807d577486b9f795ab86ae2983c5c20806cff959117e90af18",
     "9308e342c58f8d38b79f238ba238b1d039a8f23bf4b7bdc93ac5dec349dae7ed"},
    {"3fb9e4e3cc810d4326b5c13cef18aee1f9df8c5f4f7f5b96665724fa3b846e08",
     "10fe671597db9d033b216c147a399aaafe963b3c551c39caef99ae56205be748"},
    {"3e777bfa407c4802a233e6dcab8a5d521f0932acbeaa98ebf389bf2ce3daa90d",
     "638b5054f64c88a4bdb9257ae8a39bc929b831188f6e148055785099badfecdf"},
    {"461203a89f23e36c3a4dc817f905b00484d2cf7e7d9376f13df91c41d84abe46",
     "2c72125eabef1ba378ac5b42dd5c19cd3da4a7f070ed30ced6401ce6fdc0c770"},
    {"008f0747f4e27c8462baa991a538025bcc2dd143e78422f1afbdfcd9e757a20f",
     "f8ff268c777f3f7d669b147a59c91b310574d8f541db5b8b23fbe36638ed15e3"},
    {"15ee37e75f1e8d42080e91fdbbd2560780918c81fe3687ae6d15c472bbdaac75",
     "80b005e36d3cca2ecbd869b7621620b9b3766b19db3464ec062998762638cff4"},
    {"09e6c018d2c8c4903308613dd1b72484d57eadf12ec50ddc8f52e5accce470f2",
     "df0e938412205f9c6e3dd1ac1878199190807e080b372c84f56458c9338e54b1"},
};

TEST(Measurement, SectionsStepByStep) {
  const MeasurementList list = list_of(stub_vector);
  constexpr std::u16string_view descriptions[] = {u".linux", u".osrel", u".cmdline", u".initrd"};
  ASSERT_EQ(list.items().size(), std::size(stub_steps));
  for (std::size_t i = 0; i < std::size(stub_steps); ++i) {
    const Measurement& item = list.items()[i];
    EXPECT_EQ(item.pcr, 11u);
    EXPECT_EQ(item.kind, EventKind::ipl);
    EXPECT_EQ(item.description, descriptions[i / 2]) << "name and content carry the section's name";
    EXPECT_EQ(hex(*event_digest(item, HashAlgorithm::sha256)), stub_steps[i].digest) << i;
    EXPECT_EQ(hex(*replay(list.items().first(i + 1), pcr::kernel_image, zero)), stub_steps[i].pcr)
        << i;
  }
}

TEST(Measurement, PhasesOneAfterTheOther) {
  const Digest image = *replay(list_of(stub_vector).items(), pcr::kernel_image, zero);
  constexpr std::pair<std::string_view, std::string_view> rows[] = {
      {"", "df0e938412205f9c6e3dd1ac1878199190807e080b372c84f56458c9338e54b1"},
      {":", "df0e938412205f9c6e3dd1ac1878199190807e080b372c84f56458c9338e54b1"},
      {"enter-initrd", "7495912e6845cc6b76f54b2572a563fa076eb83525a614b511273f486e0f4366"},
      {"enter-initrd:leave-initrd",
       "dd54029eff2980735f37e494a01d1bd0080c254269904dcfe53abb7c126bf852"},
      {":enter-initrd::leave-initrd:",
       "dd54029eff2980735f37e494a01d1bd0080c254269904dcfe53abb7c126bf852"},
      {"enter-initrd:leave-initrd:sysinit",
       "d38b5e38aa25a7e3b7927dd6ae8c6f6533170ce22148ac0dc6a682a234622d3e"},
      {"enter-initrd:leave-initrd:sysinit:ready",
       "871a1353756b461bc822ff4215b463aaebf01205fa1b87bf62fc335b9c53e59f"},
      {"enter-initrd:leave-initrd:sysinit:ready:shutdown",
       "7191c852ad731ee491eb624c4fe732df108f823e1fd6f06fb2c609bc4da0d3fb"},
      {"enter-initrd:leave-initrd:sysinit:ready:shutdown:final",
       "011d9d1f3716498caeeba47ae90c83fcf279437916c88b537bc21d89d798d380"},
  };
  for (const auto& [path, value] : rows) EXPECT_EQ(hex(*replay_phases(image, path)), value) << path;
}

// The same sections in the other banks, and the policies systemd-measure signs for them.
TEST(Measurement, OtherBanksAndPolicies) {
  const MeasurementList list = list_of(stub_vector);
  struct Row {
    HashAlgorithm bank;
    std::string_view pcr, policy;
  };
  constexpr Row rows[] = {
      {HashAlgorithm::sha1, "f008bfc0756fb9b464d735bc4b6b7dc0e04a6d69",
       "c03de98aaabcb4f436c1f863dd82a7f3e136cca8cae89a1860b33941bbee9e6f"},
      {HashAlgorithm::sha256, "7495912e6845cc6b76f54b2572a563fa076eb83525a614b511273f486e0f4366",
       "5ed54b6617e7537d3fcc5a2d3b0b9b6726e5562defc46a9487108ec165ad7b2f"},
      {HashAlgorithm::sha384,
       "7dc8198257a8f444330df68731e0e7d44ffb2e5f0bebf2ddd2fbe306d430bfea27df25342a2e35ba649f6901d91"
       "ff4ed",
       ""},
      {HashAlgorithm::sha512,
       "512d2910f25240820f5c63023550b233cd5424872ecb5375219fd9f689ef8d0b620935d538a748a572efdd5817e"
       "7e6e490ce656685fa9fc78322527dfbe3320e",
       ""},
  };
  for (const Row& row : rows) {
    const auto image = replay(list.items(), pcr::kernel_image, Digest(row.bank));
    ASSERT_TRUE(image.has_value());
    const auto value = replay_phases(*image, default_phase_paths[0]);
    EXPECT_EQ(hex(*value), row.pcr) << name(row.bank);
    if (!row.policy.empty())
      EXPECT_EQ(hex(*pcr_policy_digest(11, *value)), row.policy) << name(row.bank);
  }
}

// tools.md 3: an empty section counts as none, and `.uname` follows `.initrd`.
TEST(Measurement, VectorOfTheTool) {
  constexpr Section sections[] = {{UkiSection::kernel, "KERNEL-BYTES\n"},
                                  {UkiSection::osrel, "ID=demo\nVERSION_ID=1\n"},
                                  {UkiSection::cmdline, "quiet"},
                                  {UkiSection::initrd, "INITRD"},
                                  {UkiSection::splash, ""},
                                  {UkiSection::uname, "6.1.0-demo"}};
  const MeasurementList list = list_of(sections);
  ASSERT_EQ(list.items().size(), 10u);
  constexpr std::string_view values[] = {
      "350b621a517b7af3d330220c36703028384a46a479700a53e0ebf0df8ebe09ed",
      "f07a760d6fce947e9c993445269174803495d0641951af990b92f0b3b2adfc51",
      "29d02a2d5b429f01e4648a4bcbf02664fb52059fb5cf2474c7b7f8fbf004fdd2",
      "31d3761038f22d32c65fa69fcebce903b9799ff8f8b611b7e4fdd0a129245196",
      "07c38f592e1287d13af02cb96822148cb56f726b6554fc5aed3a4b25f9aa70f1"};
  for (std::size_t i = 0; i < std::size(values); ++i)
    EXPECT_EQ(hex(*replay(list.items().first(2 * i + 2), pcr::kernel_image, zero)), values[i]) << i;
  const Digest image = sha256_digest(values[4]);
  constexpr std::string_view phases[] = {
      "c6bdebde40c60da4264157a2fff2e411ea59e38011b7043775d1b497d4c2aea7",
      "38af5d668d308ece340cc85ef71cfdd69a7e8e3cbca1476ef1e740abb6dc651e",
      "7409e1644395cc2a40d0ea0abf8acb493da40507cfeeae5bd2f9f0d380920159",
      "864fb45f7ddaf5daf3ab36178a11128a299f9cef7ef10fba6a318b78edc3bc3a"};
  for (std::size_t i = 0; i < std::size(phases); ++i)
    EXPECT_EQ(hex(*replay_phases(image, default_phase_paths[i])), phases[i])
        << default_phase_paths[i];
  EXPECT_EQ(hex(*pcr_policy_digest(11, sha256_digest(phases[0]))),
            "d61b14efe5a5144bd879587f548c66302e364c5d4a869aaef6f1db8c40a90eb5");
  const auto sha1 =
      Digest::from_hex(HashAlgorithm::sha1, "f23bd9bbb267121cc61d751112a57bdb73346a52");
  EXPECT_EQ(
      hex(*replay_phases(*replay(list.items(), 11, Digest(HashAlgorithm::sha1)), "enter-initrd")),
      hex(*sha1));
  EXPECT_EQ(hex(*pcr_policy_digest(11, *sha1)),
            "827239d62383df11f802e3311697eb31b0abf36c8cb5c644f7eb9c0aef5ee618");
  EXPECT_EQ(pcr_policy_digest(24, *sha1).error().code, Errc::unsupported);
}

// stub.md 2.6: booted with "@1 console=ttyS0 debug" and one credential; profile, line and archive
// follow each other in PCR 12.
TEST(Measurement, VectorOfKernelParameters) {
  constexpr cpio::Layout layout{
      .directory = ".extra/credentials", .directory_mode = 0500, .file_mode = 0400};
  const Pages archive =
      *cpio::write_archive(layout, {"a.cred", bytes_of(std::string_view("hello"))});
  MeasurementList list;
  ASSERT_TRUE(list.add_profile(1).has_value());
  ASSERT_TRUE(list.add_command_line(u"console=ttyS0 debug").has_value());
  ASSERT_TRUE(list.add({.pcr = pcr::kernel_parameters,
                        .description = u"Credentials initrd",
                        .data = archive.bytes()})
                  .has_value());
  constexpr std::string_view digests[] = {
      "60864aae264519399c7a7379382e411d40a3bd0f1641e669fb73183d223f6bd0",
      "4b67da3600416b0538ccf99ac667cfc06c462389f802430652a3dab4059972ac",
      "c26510b17edde7e8d474d860158a5f3b4d739201cca96e1b895e358125178fa4"};
  ASSERT_EQ(list.items().size(), std::size(digests));
  for (std::size_t i = 0; i < std::size(digests); ++i)
    EXPECT_EQ(hex(*event_digest(list.items()[i], HashAlgorithm::sha256)), digests[i]) << i;
  EXPECT_EQ(hex(*replay(list.items(), pcr::kernel_parameters, zero)),
            "59d8713c26c5add06518ac688b74fbe996f5b980e1a22bb6a5c5b2e15921a126");
  EXPECT_EQ(*replay(list.items(), pcr::kernel_image, zero), zero) << "other PCRs are untouched";
}

TEST(Measurement, SmbiosStructures) {
  const std::string system = sample::smbios_system({.wake_up = 6});
  const std::string other_wake_up = sample::smbios_system({.wake_up = 3});
  const std::string short_system = sample::smbios_structure(1, std::string(20, '\x07'), {"x"});
  const std::string board = sample::smbios_board("Acme", "Board7");
  const std::string oem = sample::smbios_oem_strings({"a=1", "b=2"});
  const std::string bios = sample::smbios_structure(0, "xy", {"BIOS"});
  const std::string table =
      bios + oem + system + board + short_system + oem + sample::smbios_end() + board;
  std::string cleared = system;
  cleared[24] = 0;
  MeasurementList list;
  ASSERT_TRUE(list.add_smbios(smbios::Table(bytes_of(table))).has_value());
  struct Row {
    const std::string& bytes;
    std::uint32_t tag;
    std::u16string_view description;
  };
  const Row rows[] = {
      {oem, 0xc0b3bd23, u"smbios:type11"},  {cleared, 0xd5cb7cbc, u"smbios:type1"},
      {board, 0xe0d47bc8, u"smbios:type2"}, {short_system, 0xd5cb7cbc, u"smbios:type1"},
      {oem, 0xc0b3bd23, u"smbios:type11"},
  };
  ASSERT_EQ(list.items().size(), std::size(rows)) << "in table order, nothing behind the marker";
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const Measurement& item = list.items()[i];
    EXPECT_EQ(text_of(item.data), rows[i].bytes) << i;
    EXPECT_EQ(item.pcr, 1u);
    EXPECT_EQ(item.kind, EventKind::event_tag);
    EXPECT_EQ(static_cast<std::uint32_t>(item.tag), rows[i].tag) << i;
    EXPECT_EQ(item.description, rows[i].description) << i;
  }

  MeasurementList again;
  ASSERT_TRUE(again.add_smbios(smbios::Table(bytes_of(other_wake_up))).has_value());
  EXPECT_EQ(text_of(again.items()[0].data), cleared) << "the same, however it was switched on";
  MeasurementList nothing;
  EXPECT_TRUE(nothing.add_smbios(smbios::Table()).has_value());
  EXPECT_TRUE(nothing.empty());
}

TEST(Measurement, NothingToMeasure) {
  MeasurementList list;
  EXPECT_TRUE(list.add_profile(0).has_value());
  EXPECT_TRUE(list.add_command_line(u"").has_value());
  EXPECT_TRUE(list.add_section(UkiSection::cmdline, text("")).has_value()) << "a masked section";
  EXPECT_TRUE(list.add_section(UkiSection::pcrsig, text("{}")).has_value()) << "cannot sign itself";
  EXPECT_TRUE(list.empty());
}

std::string tcg2_event(const Measurement& measurement) {
  std::array<std::byte, 200> room{};
  const auto event = write_tcg2_event(measurement, room);
  EXPECT_TRUE(event.has_value());
  EXPECT_EQ(event->size(), tcg2_event_size(measurement));
  EXPECT_EQ(write_tcg2_event(measurement, MutableBytes(room).first(event->size() - 1)).error().code,
            Errc::out_of_memory);
  return hex(*event);
}

TEST(Measurement, EventBytes) {
  MeasurementList list;
  ASSERT_TRUE(list.add_section(UkiSection::kernel, text("x")).has_value());
  ASSERT_TRUE(list.add_profile(1).has_value());
  ASSERT_TRUE(list.add_loader_conf(bytes_of(std::string_view("timeout 3\n"))).has_value());
  const auto items = list.items();
  ASSERT_EQ(items.size(), 4u);
  EXPECT_EQ(tcg2_event(items[0]),
            "200000000e00000001000b0000000d0000002e006c0069006e00750078000000");
  EXPECT_EQ(tcg2_event(items[1]), tcg2_event(items[0])) << "name and content have one description";
  EXPECT_EQ(tcg2_event(items[2]), "1e0000000e00000001000c00000006000000dbd6ae130400000031000000");
  EXPECT_EQ(tcg2_event(items[3]),
            "320000000e000000010005000000060000002a58bcf518000000"
            "6c006f0061006400650072002e0063006f006e0066000000")
      << "loader.conf, tagged, PCR 5";
  EXPECT_EQ(items[3].data.size(), 10u) << "the file as it is, without NUL";
}

// Confidential computing: the mapped register, and never a tag.
TEST(Measurement, EventBytesForConfidentialComputing) {
  MeasurementList list;
  ASSERT_TRUE(list.add_profile(1).has_value());
  const Measurement& profile = list.items()[0];
  std::array<std::byte, 64> room{};
  const auto event = write_cc_event(profile, 3, room);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->size(), cc_event_size(profile));
  EXPECT_EQ(hex(*event), "160000000e0000000100030000000d00000031000000");
}

TEST(Measurement, TextsAreCopiedAndSurviveAMove) {
  MeasurementList list;
  {
    std::u16string line = u"quiet splash";
    ASSERT_TRUE(list.add_command_line(line).has_value());
    line.assign(line.size(), u'#');
  }
  const MeasurementList moved = std::move(list);
  EXPECT_EQ(moved.items()[0].description, u"quiet splash");
  EXPECT_EQ(moved.items()[0].data.size(), 26u) << "with its NUL";
}

TEST(Measurement, TwoBanksDoNotMix) {
  EXPECT_EQ(extend(zero, Digest(HashAlgorithm::sha1)).error().code, Errc::malformed);
}

// A file whose sections lie one after the other, 512 bytes apart; enough of a PE for a reader.
struct FileSection {
  std::string_view name, content;
  std::uint32_t virtual_size;
};
std::vector<std::byte> pe_file(std::span<const FileSection> sections) {
  std::vector<std::byte> file(4096 + 512 * sections.size());
  Writer writer(file);
  pe::DosHeader dos{};
  dos.magic = {'M', 'Z'};
  dos.e_lfanew = sizeof(dos);
  pe::CoffHeader coff{};
  coff.machine = static_cast<std::uint16_t>(pe::native_machine);
  coff.number_of_sections = static_cast<std::uint16_t>(sections.size());
  coff.size_of_optional_header = 240;
  pe::OptionalHeaderStart optional{};
  optional.magic = pe::magic_pe32_plus;
  optional.section_alignment = 4096;
  optional.file_alignment = 512;
  optional.size_of_image = static_cast<std::uint32_t>(4096 * (sections.size() + 2));
  optional.size_of_headers = 4096;
  optional.subsystem = pe::subsystem_efi_application;
  const Le<std::uint32_t> directories = 16;
  writer.append_struct(dos).append(bytes_of(std::string_view("PE\0\0", 4))).append_struct(coff);
  writer.append_struct(optional).append_zeros(36).append_struct(directories).append_zeros(128);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    pe::SectionHeader header{};
    sections[i].name.copy(header.name.data(), 8);
    header.virtual_size = sections[i].virtual_size;
    header.virtual_address = static_cast<std::uint32_t>(4096 * (i + 1));
    header.size_of_raw_data = static_cast<std::uint32_t>(sections[i].content.size());
    header.pointer_to_raw_data = static_cast<std::uint32_t>(4096 + 512 * i);
    writer.append_struct(header);
  }
  EXPECT_TRUE(writer.done().has_value());
  for (std::size_t i = 0; i < sections.size(); ++i)
    std::memcpy(file.data() + 4096 + 512 * i, sections[i].content.data(),
                sections[i].content.size());
  return file;
}

// The order in the file is a builder's; the order of the events is the table's, whatever the
// profile.
TEST(Measurement, UkiInTheOrderOfTheTable) {
  constexpr FileSection sections[] = {
      {".pcrsig", "{}", 2},        {".sbat", "sbat,1\n", 7},    {".dtbauto", "tree", 4},
      {".initrd", "initrd", 6},    {".cmdline", "quiet", 8},    {".osrel", "ID=test\n", 8},
      {".linux", "linux", 5},      {".foreign", "x", 1},        {".profile", "ID=one\n", 7},
      {".cmdline", "profile0", 8}, {".profile", "ID=two\n", 7}, {".initrd", "", 0},
  };
  const auto file = pe_file(sections);
  const auto uki = uki::Uki::parse(file, pe::Layout::file);
  ASSERT_TRUE(uki.has_value()) << uki.error().what;

  const auto names = [&](const MeasurementList& list) {
    std::string all;
    for (std::size_t i = 0; i < list.items().size(); i += 2) {
      const std::string_view name = text_of(list.items()[i].data);
      EXPECT_EQ(name.back(), '\0');
      all += name.substr(0, name.size() - 1);
    }
    return all;
  };
  MeasurementList base, first, second;
  ASSERT_TRUE(base.add_uki({*uki, uki->effective_base()}).has_value());
  EXPECT_EQ(names(base), ".linux.osrel.cmdline.initrd.sbat");
  ASSERT_TRUE(first.add_uki({*uki, uki->effective(*uki->profile(0))}).has_value());
  EXPECT_EQ(names(first), ".linux.osrel.cmdline.initrd.sbat.profile");
  EXPECT_EQ(text_of(first.items()[5].data), "profile0") << "the profile's line replaces the base's";
  ASSERT_TRUE(second.add_uki({*uki, uki->effective(*uki->profile(1))}).has_value());
  EXPECT_EQ(names(second), ".linux.osrel.cmdline.sbat.profile")
      << "an empty section masks the base's";

  // `.cmdline` of the base goes on with three zeros, which are measured as if they were stored.
  EXPECT_EQ(base.items()[5].zeros, 3u);
  EXPECT_EQ(*event_digest(base.items()[5], HashAlgorithm::sha256),
            sha256(bytes_of(std::string_view("quiet\0\0\0", 8))));
}

}  // namespace
}  // namespace keelson
