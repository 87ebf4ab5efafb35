// SPDX-License-Identifier: MIT
//
// From the configuration table to the FADT (acpi_timer.h). Tables are the firmware's memory:
// lengths are bounded, fields are read through load.
#include "efi/firmware/acpi_timer.h"

#include <cstddef>
#include <string_view>

#include "efi/base/wire.h"
#include "efi/firmware/system.h"

namespace keelson::efi {
namespace {

constexpr Guid acpi_2 = "8868e871-e4f1-11d3-bc22-0080c73c8881"_guid;
constexpr Guid acpi_1 = "eb9d2d30-2d88-11d3-9a16-0090273fc14d"_guid;
constexpr std::uint32_t largest_table = 1 << 20;

struct Rsdp {
  char signature[8];
  unsigned char checksum;
  char oem[6];
  unsigned char revision;
  Le<std::uint32_t> rsdt;
  Le<std::uint32_t> length;  // from here on revision 2
  Le<std::uint64_t> xsdt;
};
static_assert(sizeof(Rsdp) == 32 && alignof(Rsdp) == 1);

struct TableHeader {
  char signature[4];
  Le<std::uint32_t> length;
  char rest[28];
};
static_assert(sizeof(TableHeader) == 36 && alignof(TableHeader) == 1);

struct GenericAddress {
  unsigned char space, width, offset, access;
  Le<std::uint64_t> address;
};
// Positions in the FADT.
constexpr std::uint64_t timer_block_at = 76;     // u32
constexpr std::uint64_t timer_length_at = 91;    // u8
constexpr std::uint64_t flags_at = 112;          // u32
constexpr std::uint64_t timer_address_at = 208;  // GenericAddress; ACPI 2
constexpr std::uint32_t flag_32_bits = 1u << 8;
constexpr std::uint32_t flag_hardware_reduced = 1u << 20;
constexpr unsigned char io_space = 1;

bool is_named(std::string_view signature, std::string_view name) { return signature == name; }

// The whole table at a physical address; empty if there is none.
Bytes table_at(std::uint64_t address) {
  if (address == 0) return {};
  const auto* const start =
      reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(address));
  TableHeader header;
  __builtin_memcpy(&header, start, sizeof(header));
  if (header.length < sizeof(header) || header.length > largest_table) return {};
  return {start, header.length};
}

// The FADT among the tables that `root`, of entries of type Address, points to.
template <class Address>
Result<Bytes> find_fadt(Bytes root) {
  for (std::uint64_t at = sizeof(TableHeader); at + sizeof(Address) <= root.size();
       at += sizeof(Address)) {
    const Bytes table = table_at(TRY(load<Address>(root, at, "ACPI root table")));
    if (!table.empty() && is_named(text_of(table.first(4)), "FACP")) return table;
  }
  return fail(Errc::not_found, "no FADT");
}

Result<Bytes> fadt() {
  const void* address = configuration_table(acpi_2);
  if (address == nullptr) address = configuration_table(acpi_1);
  if (address == nullptr) return fail(Errc::not_found, "no ACPI");
  // An RSDP of revision 0 is 20 bytes long: the rest is read only from later ones.
  Rsdp rsdp{};
  constexpr std::size_t first_size = offsetof(Rsdp, length);
  __builtin_memcpy(&rsdp, address, first_size);
  if (!is_named({rsdp.signature, 8}, "RSD PTR ")) return fail(Errc::malformed, "no RSDP");
  if (rsdp.revision >= 2) __builtin_memcpy(&rsdp, address, sizeof(rsdp));
  const Bytes xsdt = table_at(rsdp.xsdt);
  if (!xsdt.empty()) return find_fadt<Le<std::uint64_t>>(xsdt);
  return find_fadt<Le<std::uint32_t>>(table_at(rsdp.rsdt));
}

Result<AcpiTimer> parse_timer(Bytes table) {
  const std::uint32_t flags = TRY(load<Le<std::uint32_t>>(table, flags_at, "FADT flags"));
  const Bytes length = TRY(slice(table, timer_length_at, 1, "FADT timer length"));
  if ((flags & flag_hardware_reduced) != 0 || length[0] != std::byte{4})
    return fail(Errc::not_found, "no ACPI timer");
  std::uint64_t port = TRY(load<Le<std::uint32_t>>(table, timer_block_at, "FADT timer"));
  const auto extended = load<GenericAddress>(table, timer_address_at, "FADT timer address");
  if (extended.has_value() && extended->address != 0) {
    if (extended->space != io_space) return fail(Errc::not_found, "ACPI timer not at an I/O port");
    port = extended->address;
  }
  if (port == 0 || port > 0xffff) return fail(Errc::not_found, "no ACPI timer");
  return AcpiTimer{.port = static_cast<std::uint16_t>(port),
                   .mask = (flags & flag_32_bits) != 0 ? 0xffff'ffff : 0x00ff'ffff};
}

}  // namespace

std::optional<AcpiTimer> find_acpi_timer() {
  const auto table = fadt();
  if (!table.has_value()) return std::nullopt;
  const auto timer = parse_timer(*table);
  if (!timer.has_value()) return std::nullopt;
  return *timer;
}

}  // namespace keelson::efi
