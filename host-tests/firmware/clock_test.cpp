// SPDX-License-Identifier: MIT
//
// Where time comes from (efi/firmware/clock.h, efi/firmware/acpi_timer.h; design decision 16): the
// timestamp protocol, a named frequency, a calibration against the ACPI timer, nothing.
#include "efi/firmware/clock.h"

#include "efi/base/wire.h"
#include "efi/firmware/acpi_timer.h"
#include "efi/firmware/uefi.h"
#include "host-tests/firmware/in_firmware.h"

namespace keelson::efi {
namespace {

constexpr Guid acpi_2 = "8868e871-e4f1-11d3-bc22-0080c73c8881"_guid;
constexpr Guid acpi_1 = "eb9d2d30-2d88-11d3-9a16-0090273fc14d"_guid;

using Table = std::vector<std::byte>;

template <class T>
void put(Table& table, std::size_t at, T value) {
  const Le<T> wire(value);
  std::ranges::copy(bytes_of_struct(wire), table.begin() + static_cast<std::ptrdiff_t>(at));
}
Table table_of(std::string_view signature, std::size_t size) {
  Table table(size);
  std::ranges::copy(bytes_of(signature), table.begin());
  put(table, 4, static_cast<std::uint32_t>(size));
  return table;
}
std::uint64_t address_of(const Table& table) {
  return reinterpret_cast<std::uintptr_t>(table.data());
}

// ACPI tables of a machine, as the configuration table leads to them.
class AcpiTables {
 public:
  AcpiTables() {
    put(fadt, 76, std::uint32_t{0x408});
    fadt[91] = std::byte{4};
    put(fadt, 112, std::uint32_t{1} << 8);
    put(xsdt, 36, address_of(other));
    put(xsdt, 44, address_of(fadt));
    std::ranges::copy(bytes_of("RSD PTR "), rsdp.begin());
    rsdp[15] = std::byte{2};
    put(rsdp, 20, std::uint32_t{36});
    put(rsdp, 24, address_of(xsdt));
  }
  void install(sim::Firmware& firmware, const Guid& guid = acpi_2) {
    firmware.configuration().set(guid, rsdp.data());
  }
  Table fadt = table_of("FACP", 244);
  Table other = table_of("APIC", 36);
  Table xsdt = table_of("XSDT", 36 + 16);
  Table rsdp = Table(36);

 private:
};

TEST(AcpiTimerTest, IsFoundOnlyWhereItIs) {
  struct Row {
    const char* reason;
    std::function<void(AcpiTables&)> change;
    std::optional<std::uint16_t> port;
  };
  const Row rows[] = {
      {"as it should be", [](AcpiTables&) {}, 0x408},
      {"the extended address counts",
       [](AcpiTables& t) {
         t.fadt[208] = std::byte{1};
         put(t.fadt, 212, std::uint64_t{0x608});
       },
       0x608},
      {"in memory instead of at a port",
       [](AcpiTables& t) { put(t.fadt, 212, std::uint64_t{0xfed0'0000}); }, std::nullopt},
      {"no port", [](AcpiTables& t) { put(t.fadt, 76, std::uint32_t{0}); }, std::nullopt},
      {"no such port", [](AcpiTables& t) { put(t.fadt, 76, std::uint32_t{0x10000}); },
       std::nullopt},
      {"no timer", [](AcpiTables& t) { t.fadt[91] = std::byte{0}; }, std::nullopt},
      {"hardware-reduced ACPI", [](AcpiTables& t) { put(t.fadt, 112, std::uint32_t{1} << 20); },
       std::nullopt},
      {"a FADT of another name", [](AcpiTables& t) { t.fadt[0] = std::byte{'X'}; }, std::nullopt},
      {"a FADT that is too short", [](AcpiTables& t) { put(t.fadt, 4, std::uint32_t{100}); },
       std::nullopt},
      {"a FADT of ACPI 1", [](AcpiTables& t) { put(t.fadt, 4, std::uint32_t{116}); }, 0x408},
      {"an absurd length", [](AcpiTables& t) { put(t.xsdt, 4, std::uint32_t{0xffff'ffff}); },
       std::nullopt},
      {"a root table of half an entry", [](AcpiTables& t) { put(t.xsdt, 4, std::uint32_t{48}); },
       std::nullopt},
      {"an entry that leads nowhere", [](AcpiTables& t) { put(t.xsdt, 36, std::uint64_t{0}); },
       0x408},
      {"no root table", [](AcpiTables& t) { put(t.rsdp, 24, std::uint64_t{0}); }, std::nullopt},
      {"a spoilt RSDP", [](AcpiTables& t) { t.rsdp[0] = std::byte{'X'}; }, std::nullopt},
      {"an RSDP of revision 0 has no XSDT", [](AcpiTables& t) { t.rsdp[15] = std::byte{0}; },
       std::nullopt},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.reason);
    for (const Guid& guid : {acpi_1, acpi_2}) {
      sim::Firmware firmware;
      AcpiTables tables;
      row.change(tables);
      tables.install(firmware, guid);
      run_in(firmware, [&](Image&) {
        const auto timer = find_acpi_timer();
        ASSERT_EQ(timer.has_value(), row.port.has_value());
        if (!timer) return;
        EXPECT_EQ(timer->port, *row.port);
        EXPECT_EQ(timer->mask, 0xffff'ffffu);
      });
    }
  }
}

TEST(ClockTest, CalibratesTheCounterWhereNobodyNamesItsFrequency) {
  sim::Firmware firmware;
  AcpiTables tables;
  put(tables.fadt, 112, std::uint32_t{0});  // 24 bits, as the simulated timer has
  tables.install(firmware);
  firmware.clock().names_counter_frequency = false;
  run_in(firmware, [&](Image& self) {
    const std::uint64_t start = firmware.clock().now_ns();
    const Clock clock = self.clock();
    EXPECT_LT(firmware.clock().now_ns() - start, 200'000u) << "at most 200 us";
    const auto before = clock.now_us();
    ASSERT_TRUE(before.has_value());
    firmware.clock().advance_us(10'000'000);
    const std::uint64_t measured = clock.elapsed_us(before);
    EXPECT_GT(measured, 10'000'000u * 99 / 100);
    EXPECT_LT(measured, 10'000'000u * 101 / 100);
  });
}

TEST(ClockTest, TakesTheNamedFrequency) {
  sim::Firmware firmware;
  firmware.clock().is_virtual_machine = true;
  run_in(firmware, [&](Image& self) {
    const Clock clock = self.clock();
    EXPECT_FALSE(clock.starts_with_the_boot());
    const auto before = clock.now_us();
    stall_us(2500);
    EXPECT_EQ(clock.elapsed_us(before), 2500u);
    stall_us(5'000'000);
    EXPECT_EQ(clock.elapsed_us(before), 1'002'500u) << "at most a second at once";
    EXPECT_EQ(clock.elapsed_us(*clock.now_us() + 1000), 0u) << "a time to come";
    EXPECT_EQ(clock.elapsed_us(std::nullopt), 0u);
  });
}

// A timestamp protocol of 3 Hz near the end of its range.
struct Timestamps : TimestampProtocol {
  Timestamps() : TimestampProtocol{} {
    get_timestamp = []() EFIAPI -> UINT64 { return 0xffff'ffff'ffff'fffe; };
    get_properties = [](TimestampProperties* properties) EFIAPI -> EFI_STATUS {
      *properties = {.frequency = 3, .end_value = ~UINT64{0}};
      return EFI_SUCCESS;
    };
  }
};

TEST(ClockTest, PrefersTheTimestampProtocol) {
  sim::Firmware firmware;
  Timestamps timestamps;
  run_in(firmware, [&](Image& self) {
    const Handle handle = firmware.handles().add(nullptr, protocol_guid::timestamp, &timestamps);
    EXPECT_NE(self.clock().now_us(), std::nullopt) << "whatever it says, nothing overflows badly";
    const std::size_t asked = calls_of(firmware, "LocateProtocol");
    EXPECT_EQ(asked, 1u);
    timestamps.get_properties = [](TimestampProperties* properties) EFIAPI -> EFI_STATUS {
      *properties = {.frequency = 0, .end_value = 0};
      return EFI_SUCCESS;
    };
    const Clock clock = self.clock();
    const auto before = clock.now_us();
    stall_us(77);
    EXPECT_EQ(clock.elapsed_us(before), 77u) << "a frequency of 0 is none: the counter";
    firmware.handles().uninstall(handle, protocol_guid::timestamp, &timestamps);
  });
}

}  // namespace
}  // namespace keelson::efi
