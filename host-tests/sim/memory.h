// SPDX-License-Identifier: MIT
//
// Owns the memory that programs allocate: pages and pool, on the host, where AddressSanitizer
// watches their ends and what was freed. Contents are never zero at first. Also the page rights of
// EFI_MEMORY_ATTRIBUTE_PROTOCOL; pages that are freed with rights of their own are a problem.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "efi/firmware/uefi.h"
#include "host-tests/sim/calls.h"

namespace keelson::sim {

class Memory {
 public:
  using Status = efi::Status;
  explicit Memory(Calls& calls);
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory();

  // ---- The services ----
  Status allocate_pages(EFI_ALLOCATE_TYPE type, EFI_MEMORY_TYPE kind, UINTN count,
                        EFI_PHYSICAL_ADDRESS* address);
  Status free_pages(EFI_PHYSICAL_ADDRESS address, UINTN count);
  Status allocate_pool(EFI_MEMORY_TYPE kind, UINTN size, void** buffer);
  Status free_pool(void* buffer);
  // Pool that the firmware hands out (LocateHandleBuffer): the program frees it.
  void* give_pool(std::size_t size);

  efi::MemoryAttributeProtocol* attribute_protocol() { return &attributes_.protocol; }
  // Rights of the page at `address`; 0 is how pages come.
  std::uint64_t rights_at(const void* address) const;
  // Whether all of this was allocated at once, and is still.
  bool holds(Bytes bytes) const;

  // Of the block that begins there; nullopt: none does.
  std::optional<EFI_MEMORY_TYPE> kind_of(const void* at) const;
  bool is_pool(const void* at) const;
  // Sees the bytes of every block, pages or pool, just before it is freed.
  using Witness = std::function<void(Bytes block)>;
  void before_free(Witness witness) { witness_ = std::move(witness); }

  // ---- What became of it ----
  // "3 pages by AllocatePages, call 17", for each that is not freed.
  std::vector<std::string> leaks() const;
  const std::vector<std::string>& problems() const { return problems_; }
  std::uint64_t pages_in_use() const;
  // The machine was reset: nothing is allocated, nothing went wrong.
  void power_cycle();

  // No memory below 4 GiB.
  void set_low_memory(bool there) { low_memory_ = there; }

 private:
  struct Block {
    std::uint64_t pages = 0;  // 0: pool
    std::uint64_t size = 0;
    std::uint64_t call = 0;
    bool low = false;
    EFI_MEMORY_TYPE kind = EfiLoaderData;
  };
  struct Attributes {
    efi::MemoryAttributeProtocol protocol{};
    Memory* memory = nullptr;
  };
  struct Retired {
    std::byte* at;
    std::uint64_t size;
  };
  void release(std::uintptr_t address, const Block& block);
  Status set_rights(EFI_PHYSICAL_ADDRESS base, UINT64 size, UINT64 add, UINT64 remove);
  static Memory& of(efi::MemoryAttributeProtocol* self);

  Calls& calls_;
  Attributes attributes_;
  std::map<std::uintptr_t, Block> blocks_;
  std::map<std::uintptr_t, std::uint64_t> rights_;  // of pages that have any
  std::vector<Retired> retired_;                    // low memory that was freed, still poisoned
  std::vector<std::string> problems_;
  Witness witness_;
  bool low_memory_ = true;
};

}  // namespace keelson::sim
