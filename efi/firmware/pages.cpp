// SPDX-License-Identifier: MIT
//
// The two page functions of efi/base/pages.h on the boot services.
#include "efi/base/pages.h"

#include "efi/firmware/uefi.h"

namespace keelson {
namespace {

EFI_MEMORY_TYPE memory_type(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::code:
      return EfiLoaderCode;
    case MemoryKind::acpi_reclaim:
      return EfiACPIReclaimMemory;
    case MemoryKind::data:
      break;
  }
  return EfiLoaderData;
}

// The highest address that a block may reach, where it matters.
EFI_PHYSICAL_ADDRESS highest_address(MemoryLimit limit) {
  return limit == MemoryLimit::below_640k ? 0x9'ffff : 0xffff'ffff;
}

}  // namespace

std::byte* allocate_pages(std::uint64_t count, MemoryKind kind, MemoryLimit limit) {
  EFI_PHYSICAL_ADDRESS address = highest_address(limit);
  const EFI_ALLOCATE_TYPE type =
      limit == MemoryLimit::anywhere ? AllocateAnyPages : AllocateMaxAddress;
  if (EFI_ERROR(efi::boot_services().AllocatePages(type, memory_type(kind), count, &address)))
    return nullptr;
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
}

void free_pages(std::byte* at, std::uint64_t count) {
  efi::boot_services().FreePages(reinterpret_cast<std::uintptr_t>(at), count);
}

}  // namespace keelson
