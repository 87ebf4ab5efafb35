// SPDX-License-Identifier: MIT
//
// Owns what is measured, into which PCR, as which event. The stub and the loader walk a
// MeasurementList and extend the TPM; `keelson predict` replays the same list; so they cannot
// differ. Also owns the bytes of the events (TCG EFI Protocol 1.00, 6.6; UEFI 2.10, 38.2), boot
// phases of PCR 11 and the digest of a policy on it.
#pragma once

#include <array>

#include "efi/base/digest.h"
#include "efi/base/page_list.h"
#include "efi/format/smbios.h"
#include "efi/format/uki.h"

namespace keelson {

namespace pcr {
inline constexpr std::uint32_t platform_config = 1;
inline constexpr std::uint32_t boot_loader_code = 4;
inline constexpr std::uint32_t boot_loader_config = 5;
inline constexpr std::uint32_t kernel_image = 11;
inline constexpr std::uint32_t kernel_parameters = 12;
inline constexpr std::uint32_t system_extensions = 13;
}  // namespace pcr

// How the event is logged. Values as TCG_PCCLIENT event types.
enum class EventKind : std::uint32_t { event_tag = 0x6, ipl = 0xD };
// Says what a tagged event is about; our clients look for these numbers.
enum class EventTag : std::uint32_t {
  none = 0,
  profile = 0x13aed6db,
  smbios_system = 0xd5cb7cbc,
  smbios_baseboard = 0xe0d47bc8,
  smbios_oem_strings = 0xc0b3bd23,
  device_tree_addon = 0x6c46f751,
  initrd_addon = 0x49dffe0f,
  ucode_addon = 0xdac08e1a,
  loader_conf = 0xf5bc582a,
};

struct Measurement {
  std::uint32_t pcr = 0;
  EventKind kind = EventKind::ipl;
  EventTag tag = EventTag::none;    // for EventKind::event_tag
  std::u16string_view description;  // logged, with a NUL
  Bytes data;                       // hashed,
  std::uint64_t zeros = 0;          // with so many zero bytes behind; only in lists made from files
};

// The measurements of one program in the order in which they are extended. Texts are copied into
// the list; `content` is borrowed and must live until the list was walked.
// Error of every function: out_of_memory. A list that had an error may lack a part of that item: do
// not report what it measures as measured.
class MeasurementList {
 public:
  // PCR 11: every effective section that is set and measured, in the order of uki_sections.
  // Candidates (sections that repeat) count when one was selected. A pinned file counts as the
  // section it stands for, so a thin UKI is measured as a full one of the same parts. Errors also:
  // those of Contents::data.
  Result<> add_uki(const uki::Contents& contents);
  // PCR 11, two events: the name with its NUL, then the content. Nothing for a section that is
  // empty or not measured. Calls must come in the order of uki_sections.
  Result<> add_section(UkiSection id, const pe::SectionData& content);
  // PCR 12: the number of the profile; nothing for profile 0.
  Result<> add_profile(std::uint32_t profile);
  // PCR 12: a command line that was passed, SMBIOS words or joined add-on lines (stub), or the
  // options an entry is started with (loader). Nothing if empty.
  Result<> add_command_line(std::u16string_view text);
  // PCR 5: the file as it was read, before it is parsed (loader).
  Result<> add_loader_conf(Bytes content);
  // PCR 1: what the machine and its owner say of it (stub.md 2.4): every structure of types 1, 2
  // and 11, each with its strings. The wake-up type in type 1 differs from boot to boot and counts
  // as 0: of these a copy is kept in the list.
  Result<> add_smbios(const smbios::Table& table);
  // Any other, as the functions above are made of.
  Result<> add(const Measurement& measurement);

  std::span<const Measurement> items() const { return items_.items(); }
  bool empty() const { return items_.empty(); }

 private:
  PageList<Measurement> items_;
  TextArena texts_;
};

// The event handed to HashLogExtendEvent of the TCG2 protocol: u32 size, u32 header size 14, u16
// version 1, u32 PCR, u32 type, then the description, behind tag and length if it is tagged.
std::uint64_t tcg2_event_size(const Measurement& measurement);
// Error: out_of_memory if `out` is smaller than tcg2_event_size.
Result<Bytes> write_tcg2_event(const Measurement& measurement, MutableBytes out);
// The same for the CC measurement protocol: always EV_IPL, with the register the firmware mapped
// the PCR to.
std::uint64_t cc_event_size(const Measurement& measurement);
Result<Bytes> write_cc_event(const Measurement& measurement, std::uint32_t cc_register,
                             MutableBytes out);

// What a bank is extended with for `measurement`. Error: unsupported (Hasher::start).
Result<Digest> event_digest(const Measurement& measurement, HashAlgorithm bank);
// H(pcr || event). Both of one bank. Errors: malformed (two banks), unsupported (Hasher::start).
Result<Digest> extend(const Digest& pcr, const Digest& event);
// The value of `pcr` after those items of the list that go there, from `initial` (Digest(bank) is a
// PCR after reset). Error: unsupported (Hasher::start).
Result<Digest> replay(std::span<const Measurement> list, std::uint32_t pcr, const Digest& initial);

// The words user space extends into PCR 11 as the boot goes on, and the paths that signatures are
// made for by default; "a:b" is a followed by b.
inline constexpr std::array<std::string_view, 9> boot_phases = {"enter-initrd",
                                                                "leave-initrd",
                                                                "sysinit",
                                                                "ready",
                                                                "shutdown",
                                                                "final",
                                                                "factory-reset",
                                                                "storage-target-mode-start",
                                                                "storage-target-mode-stop"};
inline constexpr std::array<std::string_view, 4> default_phase_paths = {
    "enter-initrd", "enter-initrd:leave-initrd", "enter-initrd:leave-initrd:sysinit",
    "enter-initrd:leave-initrd:sysinit:ready"};
// The PCR after the words of `path`, hashed without NUL; empty words are skipped, so "" and ":" are
// the time before the initrd. Error: unsupported (Hasher::start).
Result<Digest> replay_phases(const Digest& pcr, std::string_view path);

// TPM2_PolicyPCR on one PCR: the policy session's digest (SHA-256 whatever the bank) that `value`
// of PCR `index` in its bank leads to. Error: unsupported for an index over 23.
Result<Digest> pcr_policy_digest(std::uint32_t index, const Digest& value);

}  // namespace keelson
