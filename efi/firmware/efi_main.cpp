// SPDX-License-Identifier: MIT
//
// Where the firmware enters a program: seeds the stack guard, runs this_program. Only in firmware
// builds; the simulation calls run() itself.
#include "efi/firmware/cpu.h"
#include "efi/firmware/entry.h"
#include "efi/firmware/last_words.h"
#include "efi/firmware/random.h"
#include "efi/firmware/uefi.h"

namespace keelson::efi {
namespace {

constexpr std::uint64_t mix(std::uint64_t value) {  // finalizer of MurmurHash3
  value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
  value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
  return value ^ (value >> 33);
}

// Random, or where the firmware has no random numbers a mixture of what differs between boots.
std::uint64_t make_guard(EFI_SYSTEM_TABLE* table) {
  std::uint64_t guard = 0;
  proceed_despite(fill_random(table, std::as_writable_bytes(std::span(&guard, 1))),
                  "what follows differs between boots too");
  std::uint64_t count = 0;
  if (failed(table->BootServices->GetNextMonotonicCount(&count))) count = 0;
  guard ^= mix(cpu::counter()) ^ mix(count + reinterpret_cast<std::uintptr_t>(&count));
  // A zero byte stops overflows through texts.
  return guard & ~std::uint64_t{0xff};
}

}  // namespace
}  // namespace keelson::efi

// Not protected itself: the guard changes while it runs.
extern "C" [[gnu::no_stack_protector]] EFI_STATUS EFIAPI efi_main(EFI_HANDLE image,
                                                                  EFI_SYSTEM_TABLE* table) {
  __stack_chk_guard = static_cast<std::uintptr_t>(keelson::efi::make_guard(table));
  return keelson::efi::run(image, table, keelson::efi::this_program);
}
