// SPDX-License-Identifier: MIT
//
// Owns restoring what this program changed outside itself (R11 of the security rules): scoped
// objects register an action when they make their change. The action runs when the object ends, or
// when the program leaves by another way (last words), newest first, and never twice.
#pragma once

#include <cstddef>
#include <cstdint>

#include "efi/base/error.h"

namespace keelson::efi {

// Undoes one change. `context` must outlive the registration. Must not fail a check, must not
// print.
using UndoAction = void (*)(void* context);

// The list of one running program; made by entry.cpp.
class UndoList {
 public:
  static constexpr std::size_t capacity = 32;
  // Error: out_of_memory when full: the caller must not make its change then.
  Result<std::uint32_t> add(UndoAction action, void* context);
  void remove(std::uint32_t ticket);
  // Only those that were added with `action`, newest first.
  void run(UndoAction action);
  // Newest first. Each action is taken off the list before it runs.
  void run_all();

 private:
  struct Item {
    UndoAction action = nullptr;
    void* context = nullptr;
    std::uint32_t ticket = 0;
  };
  Item items_[capacity];
  std::uint32_t used_ = 0;
  std::uint32_t next_ticket_ = 1;
};

// That of the running program (entry.cpp).
UndoList& running_undo_list();

// The registration of one change. Not movable: the owner that holds it is its context, so owners
// are not movable either, or keep their state in pages.
class UndoRegistration {
 public:
  UndoRegistration() = default;
  UndoRegistration(const UndoRegistration&) = delete;
  UndoRegistration& operator=(const UndoRegistration&) = delete;
  ~UndoRegistration() { forget(); }
  // Registers with the running program. Error: out_of_memory.
  Result<> set(UndoAction action, void* context);
  // Takes the action off the list without running it; the owner undoes by itself.
  void forget();

 private:
  std::uint32_t ticket_ = 0;
};

}  // namespace keelson::efi
