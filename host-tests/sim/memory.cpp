// SPDX-License-Identifier: MIT
//
// Pages, pool and page rights (memory.h). Memory anywhere is the host's heap, which the sanitizer
// quarantines by itself; memory below 4 GiB is mapped there, and poisoned by hand.
#include "host-tests/sim/memory.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace keelson::sim {
namespace {

constexpr int dirt = 0xaf;  // as OVMF of a debug build fills memory

std::byte* pointer(std::uintptr_t address) { return reinterpret_cast<std::byte*>(address); }

constexpr int protection = PROT_READ | PROT_WRITE;
constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS;

void* map_low(std::size_t size) {
  return mmap(nullptr, size, protection, flags | MAP_32BIT, -1, 0);
}

// The lowest 64 KiB are not a process's to map.
void* map_very_low(std::size_t size, std::uintptr_t highest) {
  for (std::uintptr_t at = 64_KiB; at + size - 1 <= highest; at += page_size) {
    void* const got = mmap(pointer(at), size, protection, flags | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != MAP_FAILED) return got;
  }
  return MAP_FAILED;
}

}  // namespace

Memory::Memory(Calls& calls) : calls_(calls) {
  attributes_.memory = this;
  attributes_.protocol.get = [](efi::MemoryAttributeProtocol* self, EFI_PHYSICAL_ADDRESS base,
                                UINT64 size, UINT64* rights) EFIAPI -> EFI_STATUS {
    Memory& memory = of(self);
    if (const auto failure = memory.calls_.enter("MemoryAttribute.Get")) return *failure;
    *rights = memory.rights_at(pointer(base));
    for (std::uint64_t at = 0; at < size; at += page_size)
      if (memory.rights_at(pointer(base + at)) != *rights) return efi::status::error_bit | 17;
    return efi::status::success;
  };
  attributes_.protocol.set = [](efi::MemoryAttributeProtocol* self, EFI_PHYSICAL_ADDRESS base,
                                UINT64 size, UINT64 rights) EFIAPI -> EFI_STATUS {
    Memory& memory = of(self);
    if (const auto failure = memory.calls_.enter("MemoryAttribute.Set")) return *failure;
    return memory.set_rights(base, size, rights, 0);
  };
  attributes_.protocol.clear = [](efi::MemoryAttributeProtocol* self, EFI_PHYSICAL_ADDRESS base,
                                  UINT64 size, UINT64 rights) EFIAPI -> EFI_STATUS {
    Memory& memory = of(self);
    if (const auto failure = memory.calls_.enter("MemoryAttribute.Clear")) return *failure;
    return memory.set_rights(base, size, 0, rights);
  };
}

Memory::~Memory() { power_cycle(); }

Memory& Memory::of(efi::MemoryAttributeProtocol* self) {
  return *reinterpret_cast<Attributes*>(self)->memory;
}

Memory::Status Memory::allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind, UINTN count,
                                      EFI_PHYSICAL_ADDRESS* address) {
  const bool low = type == AllocateMaxAddress;
  const bool very_low = low && *address < 1_MiB;
  if (const auto failure =
          calls_.enter("AllocatePages", std::to_string(count) + (very_low ? " below 640 KiB"
                                                                 : low    ? " below 4 GiB"
                                                                          : "")))
    return *failure;
  constexpr std::uint64_t most = 1_GiB / page_size;
  if (count == 0 || (type != AllocateAnyPages && type != AllocateMaxAddress)) {
    problems_.push_back("AllocatePages of nothing, or at a fixed address");
    return efi::status::invalid_parameter;
  }
  if (count > most || (low && !low_memory_)) return efi::status::out_of_resources;
  const std::size_t size = count * page_size;
  void* at = nullptr;
  if (low) {
    at = very_low ? map_very_low(size, *address) : map_low(size);
    if (at == MAP_FAILED || reinterpret_cast<std::uintptr_t>(at) + size - 1 > *address)
      return efi::status::out_of_resources;
  } else {
    at = std::aligned_alloc(page_size, size);
    if (at == nullptr) return efi::status::out_of_resources;
  }
  std::memset(at, dirt, size);
  *address = reinterpret_cast<std::uintptr_t>(at);
  blocks_[*address] = {
      .pages = count, .size = size, .call = calls_.count(), .low = low, .kind = kind};
  return efi::status::success;
}

Memory::Status Memory::free_pages(EFI_PHYSICAL_ADDRESS address, UINTN count) {
  calls_.note("FreePages");
  const auto found = blocks_.find(address);
  if (found == blocks_.end() || found->second.pages != count || count == 0) {
    problems_.push_back("FreePages of what was not allocated, or not in this size");
    return efi::status::not_found;
  }
  for (std::uint64_t at = 0; at < found->second.size; at += page_size)
    if (rights_.erase(address + at) != 0) {
      problems_.push_back("FreePages of pages with rights of their own, allocated by call " +
                          std::to_string(found->second.call));
      break;
    }
  release(address, found->second);
  blocks_.erase(found);
  return efi::status::success;
}

Memory::Status Memory::allocate_pool(EFI_MEMORY_TYPE kind, UINTN size, void** buffer) {
  if (const auto failure = calls_.enter("AllocatePool", std::to_string(size))) return *failure;
  *buffer = give_pool(size);
  blocks_[reinterpret_cast<std::uintptr_t>(*buffer)].kind = kind;
  return efi::status::success;
}

void* Memory::give_pool(std::size_t size) {
  void* const at = std::malloc(std::max<std::size_t>(size, 1));
  std::memset(at, dirt, size);
  blocks_[reinterpret_cast<std::uintptr_t>(at)] = {.size = size, .call = calls_.count()};
  return at;
}

Memory::Status Memory::free_pool(void* buffer) {
  calls_.note("FreePool");
  const auto found = blocks_.find(reinterpret_cast<std::uintptr_t>(buffer));
  if (found == blocks_.end() || found->second.pages != 0) {
    problems_.push_back("FreePool of what was not allocated");
    return efi::status::invalid_parameter;
  }
  release(found->first, found->second);
  blocks_.erase(found);
  return efi::status::success;
}

void Memory::release(std::uintptr_t address, const Block& block) {
  if (witness_) witness_({pointer(address), static_cast<std::size_t>(block.size)});
  if (!block.low) return std::free(pointer(address));
  // Stays mapped and poisoned until the machine is reset: uses after this are found.
  ASAN_POISON_MEMORY_REGION(pointer(address), block.size);
  retired_.push_back({pointer(address), block.size});
}

Memory::Status Memory::set_rights(EFI_PHYSICAL_ADDRESS base, UINT64 size, UINT64 add,
                                  UINT64 remove) {
  if (base % page_size != 0 || size % page_size != 0 || size == 0)
    return efi::status::invalid_parameter;
  const auto above = blocks_.upper_bound(base);
  const bool known = above != blocks_.begin() && [&] {
    const auto& [start, block] = *std::prev(above);
    return block.pages != 0 && base + size <= start + block.size;
  }();
  if (!known) {
    problems_.push_back("page rights of memory that is not allocated");
    return efi::status::unsupported;
  }
  for (std::uint64_t at = 0; at < size; at += page_size) {
    const std::uint64_t rights = ((rights_at(pointer(base + at)) | add) & ~remove);
    if (rights == 0)
      rights_.erase(base + at);
    else
      rights_[base + at] = rights;
  }
  return efi::status::success;
}

bool Memory::holds(Bytes bytes) const {
  const auto start = reinterpret_cast<std::uintptr_t>(bytes.data());
  auto block = blocks_.upper_bound(start);
  if (block == blocks_.begin()) return false;
  --block;
  const std::uint64_t before = start - block->first;
  const std::uint64_t size =
      block->second.pages != 0 ? block->second.pages * page_size : block->second.size;
  return before <= size && bytes.size() <= size - before;
}

std::uint64_t Memory::rights_at(const void* address) const {
  const auto found = rights_.find(reinterpret_cast<std::uintptr_t>(address) & ~(page_size - 1));
  return found == rights_.end() ? 0 : found->second;
}

std::optional<EFI_MEMORY_TYPE> Memory::kind_of(const void* at) const {
  const auto found = blocks_.find(reinterpret_cast<std::uintptr_t>(at));
  if (found == blocks_.end()) return std::nullopt;
  return found->second.kind;
}

bool Memory::is_pool(const void* at) const {
  const auto found = blocks_.find(reinterpret_cast<std::uintptr_t>(at));
  return found != blocks_.end() && found->second.pages == 0;
}

std::vector<std::string> Memory::leaks() const {
  std::vector<std::string> leaks;
  for (const auto& [address, block] : blocks_)
    leaks.push_back((block.pages != 0 ? std::to_string(block.pages) + " pages"
                                      : std::to_string(block.size) + " bytes of pool") +
                    ", call " + std::to_string(block.call));
  return leaks;
}

std::uint64_t Memory::pages_in_use() const {
  std::uint64_t pages = 0;
  for (const auto& [address, block] : blocks_) pages += block.pages;
  return pages;
}

void Memory::power_cycle() {
  for (const auto& [address, block] : blocks_) release(address, block);
  for (const Retired& low : retired_) {
    ASAN_UNPOISON_MEMORY_REGION(low.at, low.size);
    munmap(low.at, low.size);
  }
  blocks_.clear();
  retired_.clear();
  rights_.clear();
  problems_.clear();
}

}  // namespace keelson::sim
