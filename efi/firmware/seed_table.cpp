// SPDX-License-Identifier: MIT
//
// The seed table in memory (seed_table.h).
#include "efi/firmware/seed_table.h"

#include "efi/base/secret.h"
#include "efi/base/wire.h"
#include "efi/firmware/system.h"
#include "efi/firmware/uefi.h"
#include "efi/firmware/undo.h"

namespace keelson::efi {
namespace {

constexpr Guid table_id = "1ce1e5bc-7ceb-42f2-81e5-8aadf180f57b"_guid;
constexpr std::uint32_t largest_seed = 64_KiB;
using Size = Le<std::uint32_t>;  // what the table begins with; the seed follows

MutableBytes seed_in(std::byte* table) {
  Size size;
  __builtin_memcpy(&size, table, sizeof(size));
  if (size > largest_seed) return {};
  return {table + sizeof(size), size};
}

std::byte* installed_table() {
  return static_cast<std::byte*>(const_cast<void*>(configuration_table(table_id)));
}

void wipe_and_free(std::byte* table) {
  wipe(seed_in(table));
  boot_services().FreePool(table);
}

// Unless somebody else has replaced it since, and freed ours.
void take_away(void* table) {
  if (installed_table() != table) return;
  if (!install_configuration_table(table_id, nullptr).has_value()) return;
  wipe_and_free(static_cast<std::byte*>(table));
}

}  // namespace

MutableBytes seed_table() {
  std::byte* const table = installed_table();
  return table == nullptr ? MutableBytes() : seed_in(table);
}

Result<> install_seed_table(Bytes seed) {
  if (seed.size() > largest_seed) return fail(Errc::unsupported, "seed too large", seed.size());
  const Size size = static_cast<std::uint32_t>(seed.size());
  void* room = nullptr;
  TRY(check(boot_services().AllocatePool(EfiACPIReclaimMemory, sizeof(size) + seed.size(), &room),
            "no memory for the seed"));
  auto* const table = static_cast<std::byte*>(room);
  Writer writer({table, sizeof(size) + seed.size()});
  writer.append_struct(size).append(seed);

  std::byte* const earlier = installed_table();
  const auto ticket = running_undo_list().add(take_away, table);
  const Result<> installed = ticket.has_value() ? install_configuration_table(table_id, table)
                                                : Result<>(fail(ticket.error()));
  if (!installed.has_value()) {
    if (ticket.has_value()) running_undo_list().remove(*ticket);
    wipe_and_free(table);
    return installed;
  }
  if (earlier != nullptr) wipe_and_free(earlier);
  return {};
}

}  // namespace keelson::efi
