// SPDX-License-Identifier: MIT
//
// The list of undo.h.
#include "efi/firmware/undo.h"

namespace keelson::efi {

Result<std::uint32_t> UndoList::add(UndoAction action, void* context) {
  if (used_ == capacity) return fail(Errc::out_of_memory, "too many changes to undo", capacity);
  const std::uint32_t ticket = next_ticket_++;
  items_[used_++] = {.action = action, .context = context, .ticket = ticket};
  return ticket;
}

void UndoList::remove(std::uint32_t ticket) {
  std::uint32_t at = 0;
  while (at < used_ && items_[at].ticket != ticket) ++at;
  if (at == used_) return;  // has run already
  for (; at + 1 < used_; ++at) items_[at] = items_[at + 1];
  --used_;
}

void UndoList::run(UndoAction action) {
  for (std::uint32_t at = used_; at-- != 0;) {
    const Item item = items_[at];
    if (item.action != action) continue;
    remove(item.ticket);
    item.action(item.context);
  }
}

void UndoList::run_all() {
  while (used_ != 0) {
    const Item item = items_[--used_];
    item.action(item.context);
  }
}

Result<> UndoRegistration::set(UndoAction action, void* context) {
  forget();
  ticket_ = TRY(running_undo_list().add(action, context));
  return {};
}

void UndoRegistration::forget() {
  if (ticket_ != 0) running_undo_list().remove(std::exchange(ticket_, 0));
}

}  // namespace keelson::efi
