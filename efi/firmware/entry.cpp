// SPDX-License-Identifier: MIT
//
// What entry.h, undo.h (the running list) and last_words.h promise.
#include "efi/firmware/entry.h"

#include "efi/firmware/last_words.h"
#include "efi/firmware/uefi.h"

namespace keelson::efi {
namespace {

// Everything that is global while a program runs.
struct Running {
  Handle image = nullptr;
  EFI_SYSTEM_TABLE* table = nullptr;
  const char16_t* name = nullptr;
  Handle started = nullptr;
  void* call = nullptr;
  void* security_hooks = nullptr;
  UndoList undo;
  Running* outer = nullptr;  // simulation: the program that started this one
};

Running* running = nullptr;

void print_last_words(const Running& program, const char16_t* line) {
  SIMPLE_TEXT_OUTPUT_INTERFACE* output = program.table->ConOut;
  if (output == nullptr) return;
  for (const char16_t* part : {u"\r\n", program.name, u": ", line, u"\r\n"})
    output->OutputString(output, as_efi(part));
}

}  // namespace

EFI_SYSTEM_TABLE& system_table() { return *running->table; }
Handle own_handle() { return running->image; }
UndoList& running_undo_list() { return running->undo; }
Handle exchange_started_image(Handle image) { return std::exchange(running->started, image); }
void* current_call() { return running->call; }
void* exchange_current_call(void* call) { return std::exchange(running->call, call); }
void* current_security_hooks() { return running->security_hooks; }
void* exchange_security_hooks(void* hooks) { return std::exchange(running->security_hooks, hooks); }

Status run(Handle own, void* system_table, const Program& program) {
  if (own == nullptr || system_table == nullptr) return status::invalid_parameter;
  Running mine;
  mine.image = own;
  mine.table = static_cast<EFI_SYSTEM_TABLE*>(system_table);
  mine.name = program.name;
  mine.outer = running;
  running = &mine;
  Status result = status::success;
  {
    auto self = Image::open(own);
    const Result<> outcome = self.has_value() ? program.run(*self) : Result<>(fail(self.error()));
    if (!outcome.has_value()) result = to_status(outcome.error());
  }
  mine.undo.run_all();
  running = mine.outer;
  return result;
}

}  // namespace keelson::efi

extern "C" [[noreturn]] void keelson_last_words(const char16_t* line) noexcept {
  using namespace keelson::efi;
  Running* const mine = running;
  if (mine == nullptr)
    __builtin_trap();  // before efi_main knew the system table: nothing can be asked
  print_last_words(*mine, line);
  mine->undo.run_all();

  EFI_BOOT_SERVICES& services = *mine->table->BootServices;
  running = mine->outer;
  services.Exit(mine->image, EFI_ABORTED, 0, nullptr);
  // Refused: we are in a callback from an image that we started. Leave that one; we go on behind
  // our StartImage.
  running = mine;
  if (mine->started != nullptr) services.Exit(mine->started, EFI_ABORTED, 0, nullptr);
  mine->table->RuntimeServices->ResetSystem(EfiResetCold, EFI_ABORTED, 0, nullptr);
  __builtin_trap();
}
