// SPDX-License-Identifier: MIT
//
// Owns pages that hold a secret (R12 of the security rules): wiped when they are let go, and also
// when the program leaves by its last words, where no destructor runs.
#pragma once

#include "efi/base/pages.h"
#include "efi/firmware/undo.h"

namespace keelson::efi {

// Not movable: the undo list knows it by its address.
class SecretPages {
 public:
  SecretPages() = default;
  SecretPages(const SecretPages&) = delete;
  SecretPages& operator=(const SecretPages&) = delete;
  ~SecretPages() { clear(); }

  // Error: out_of_memory (undo list); `pages` are then wiped and freed.
  Result<> hold(Pages pages);
  void clear();
  Bytes bytes() const { return pages_.bytes(); }
  MutableBytes mutable_bytes() { return pages_.mutable_bytes(); }

 private:
  Pages pages_;
  UndoRegistration undo_;
};

}  // namespace keelson::efi
