// SPDX-License-Identifier: MIT
//
// Setup header and boot_params (linux_setup.h).
#include "efi/format/linux_setup.h"

#include <algorithm>
#include <bit>

namespace keelson::linux_setup {
namespace {

constexpr std::uint64_t header_at = 0x1f1;    // in the file, and in boot_params
constexpr std::uint64_t magic_at = 0x202;     // the jump's displacement counts from here
constexpr std::uint64_t header_room = 0x290;  // what boot_params has for it
constexpr std::uint64_t sector = 512;

struct Header {
  Le<std::uint8_t> setup_sects;
  Le<std::uint16_t> root_flags;
  Le<std::uint32_t> syssize;
  Le<std::uint16_t> ram_size, vid_mode, root_dev, boot_flag;
  Le<std::uint8_t> jump, jump_displacement;
  std::array<char, 4> magic;
  Le<std::uint16_t> version;
  Le<std::uint32_t> realmode_swtch;
  Le<std::uint16_t> start_sys_seg, kernel_version;
  Le<std::uint8_t> type_of_loader, loadflags;
  Le<std::uint16_t> setup_move_size;
  Le<std::uint32_t> code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
  Le<std::uint16_t> heap_end_ptr;
  Le<std::uint8_t> ext_loader_ver, ext_loader_type;
  Le<std::uint32_t> cmd_line_ptr, initrd_addr_max, kernel_alignment;
  Le<std::uint8_t> relocatable_kernel, min_alignment;
  Le<std::uint16_t> xloadflags;
  Le<std::uint32_t> cmdline_size, hardware_subarch;
  Le<std::uint64_t> hardware_subarch_data;
  Le<std::uint32_t> payload_offset, payload_length;
  Le<std::uint64_t> setup_data, pref_address;
  Le<std::uint32_t> init_size, handover_offset;
};
static_assert(header_at + offsetof(Header, magic) == magic_at);
static_assert(header_at + offsetof(Header, xloadflags) == 0x236);
static_assert(header_at + sizeof(Header) == 0x268);

// Of boot_params, outside the header: the upper halves.
struct Extended {
  Le<std::uint32_t> ramdisk_image, ramdisk_size, cmd_line_ptr;
};
constexpr std::uint64_t extended_at = 0xc0;

constexpr std::uint16_t boot_flag = 0xaa55;
constexpr std::uint16_t version_2_11 = 0x20b;  // handover_offset
constexpr std::uint16_t version_2_12 = 0x20c;  // xloadflags
constexpr std::uint16_t can_be_above_4g = 1 << 1;
constexpr std::uint16_t handover_32 = 1 << 2;
constexpr std::uint16_t handover_64 = 1 << 3;
constexpr std::uint8_t unknown_loader = 0xff;
constexpr std::uint8_t default_setup_sects = 4;  // what 0 means, for very old kernels

Result<> check_supported(const Header& header, pe::Machine machine) {
  if (machine != pe::Machine::x64 && machine != pe::Machine::i386)
    return fail(Errc::not_found, "kernels of this machine have no handover");
  if (header.version < version_2_11)
    return fail(Errc::unsupported, "kernel too old for the handover", header.version);
  if (header.relocatable_kernel == 0)
    return fail(Errc::unsupported, "kernel for the handover cannot be placed anywhere");
  const std::uint16_t wanted = machine == pe::Machine::x64 ? handover_64 : handover_32;
  if (header.version >= version_2_12 && (header.xloadflags & wanted) == 0)
    return fail(Errc::unsupported, "kernel has no handover for this machine", header.xloadflags);
  return {};
}

std::uint64_t real_mode_size(const Header& header) {
  const std::uint8_t stored = header.setup_sects;
  const std::uint8_t sectors = stored == 0 ? default_setup_sects : stored;
  return (std::uint64_t{sectors} + 1) * sector;
}

}  // namespace

Result<Handover> Handover::parse(Bytes file, pe::Machine machine) {
  const auto loaded = load<Header>(file, header_at, "setup header");
  if (!loaded.has_value() || loaded->boot_flag != boot_flag ||
      std::string_view(loaded->magic.data(), loaded->magic.size()) != "HdrS")
    return fail(Errc::not_found, "no setup header", header_at);
  const Header& header = *loaded;
  TRY(check_supported(header, machine));

  Handover handover;
  const std::uint64_t end = magic_at + header.jump_displacement;
  if (end < header_at + sizeof(Header) || end > header_room)
    return fail(Errc::malformed, "size of the setup header", magic_at - 1);
  TRY(slice(file, header_at, end - header_at, "setup header past the end of the kernel"));
  handover.header_end_ = static_cast<std::uint32_t>(end);
  const std::uint64_t start = real_mode_size(header);
  handover.real_mode_size_ = static_cast<std::uint32_t>(start);
  handover.entry_offset_ =
      start + header.handover_offset + (machine == pe::Machine::x64 ? sector : 0);
  if (handover.entry_offset_ >= file.size())
    return fail(Errc::truncated, "handover entry past the end of the kernel",
                handover.entry_offset_);

  // The kernel counts its needs from the next multiple of its alignment on. SizeOfImage matters
  // because its zeros, where the file ends, are not in the file.
  const std::uint32_t alignment = header.kernel_alignment;
  if (!std::has_single_bit(alignment))
    return fail(Errc::malformed, "alignment of the kernel", alignment);
  const auto image = pe::Image::parse(file, pe::Layout::file, pe::Accept::any_machine);
  const std::uint64_t image_size = image.has_value() ? image->headers().size_of_image : 0;
  handover.memory_size_ =
      std::max<std::uint64_t>({file.size(), image_size, start + alignment + header.init_size});
  handover.command_line_max_ = header.cmdline_size;
  handover.reaches_above_4g_ =
      header.version >= version_2_12 && (header.xloadflags & can_be_above_4g) != 0;
  return handover;
}

Result<> Handover::write_boot_params(Bytes file, const Placement& placement,
                                     MutableBytes page) const {
  constexpr std::uint64_t low = std::uint64_t{1} << 32;
  if (page.size() != boot_params_size)
    return fail(Errc::out_of_memory, "boot_params are one page", page.size());
  const std::uint64_t limit = reaches_above_4g_ ? UINT64_MAX : low;
  if (memory_size_ > low || placement.kernel > low - memory_size_ ||
      placement.initrd_size > limit || placement.command_line >= limit ||
      placement.initrd > limit - placement.initrd_size)
    return fail(Errc::unsupported, "kernel, command line or initrd lie where it cannot see them");

  const Bytes stored = TRY(slice(file, header_at, header_end_ - header_at, "setup header"));
  Header header = TRY(load<Header>(file, header_at, "setup header"));
  header.setup_sects = static_cast<std::uint8_t>(real_mode_size_ / sector - 1);
  header.type_of_loader = unknown_loader;
  header.code32_start = static_cast<std::uint32_t>(placement.kernel + real_mode_size_);
  header.cmd_line_ptr = static_cast<std::uint32_t>(placement.command_line);
  header.ramdisk_image = static_cast<std::uint32_t>(placement.initrd);
  header.ramdisk_size = static_cast<std::uint32_t>(placement.initrd_size);
  Extended extended;
  extended.cmd_line_ptr = static_cast<std::uint32_t>(placement.command_line >> 32);
  extended.ramdisk_image = static_cast<std::uint32_t>(placement.initrd >> 32);
  extended.ramdisk_size = static_cast<std::uint32_t>(placement.initrd_size >> 32);

  Writer writer(page);
  writer.append_zeros(extended_at).append_struct(extended);
  writer.append_zeros(header_at - writer.size());
  writer.append_struct(header).append(stored.subspan(sizeof(Header)));
  writer.append_zeros(page.size() - writer.size());
  TRY(writer.done());
  return {};
}

std::uint64_t command_line_size(std::u16string_view line, std::uint32_t max) {
  return std::min<std::uint64_t>(line.size(), max);
}

void write_command_line(std::u16string_view line, MutableBytes to) {
  if (to.empty()) return;
  const std::size_t size = std::min(line.size(), to.size() - 1);
  for (std::size_t i = 0; i < size; ++i)
    to[i] = static_cast<std::byte>(line[i] <= 0x7e ? line[i] : u' ');
  to[size] = std::byte{0};
}

}  // namespace keelson::linux_setup
