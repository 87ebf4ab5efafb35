// SPDX-License-Identifier: MIT
//
// Holding and wiping (secret_pages.h).
#include "efi/firmware/secret_pages.h"

#include "efi/base/secret.h"

namespace keelson::efi {

Result<> SecretPages::hold(Pages pages) {
  clear();
  pages_ = std::move(pages);
  const Result<> registered =
      undo_.set([](void* self) { wipe(static_cast<SecretPages*>(self)->mutable_bytes()); }, this);
  if (!registered.has_value()) clear();
  return registered;
}

void SecretPages::clear() {
  wipe(pages_.mutable_bytes());
  pages_.release();
  undo_.forget();
}

}  // namespace keelson::efi
