// SPDX-License-Identifier: MIT
//
// Page rights (memory_attributes.h).
#include "efi/firmware/memory_attributes.h"

#include "efi/firmware/protocol.h"

namespace keelson::efi {
namespace {

EFI_PHYSICAL_ADDRESS address_of(Bytes range) {
  return reinterpret_cast<std::uintptr_t>(range.data());
}

bool is_page_aligned(Bytes range) {
  return address_of(range) % page_size == 0 && range.size() % page_size == 0 && !range.empty();
}

}  // namespace

Result<> MemoryAttributes::forbid_execution(Bytes whole) {
  restore();
  auto* const protocol = locate<MemoryAttributeProtocol>();
  if (protocol == nullptr) return {};
  if (!is_page_aligned(whole)) return fail(Errc::malformed, "page rights of parts of pages");
  // Mixed or unknown rights count as executable, which is what pages are given as.
  std::uint64_t before = 0;
  was_execute_protected_ =
      !failed(protocol->get(protocol, address_of(whole), whole.size(), &before)) &&
      (before & memory_execute_protect) != 0;
  TRY(undo_.set([](void* context) { static_cast<MemoryAttributes*>(context)->restore(); }, this));
  protocol_ = protocol;
  whole_ = whole;
  return check(protocol->set(protocol, address_of(whole), whole.size(), memory_execute_protect),
               "pages cannot be made non-executable");
}

Result<> MemoryAttributes::make_code(Bytes range) {
  auto* const protocol = static_cast<MemoryAttributeProtocol*>(protocol_);
  if (protocol == nullptr) return {};
  if (!is_page_aligned(range)) return fail(Errc::malformed, "page rights of parts of pages");
  TRY(code_.push(range));
  TRY(check(protocol->set(protocol, address_of(range), range.size(), memory_read_only),
            "code cannot be made read-only"));
  return check(protocol->clear(protocol, address_of(range), range.size(), memory_execute_protect),
               "code cannot be made executable");
}

bool MemoryAttributes::restore() {
  undo_.forget();
  auto* const protocol = static_cast<MemoryAttributeProtocol*>(std::exchange(protocol_, nullptr));
  if (protocol == nullptr) return true;
  bool restored = true;
  const auto note = [&](Status status) { restored = restored && !failed(status); };
  for (const Bytes range : code_) {
    note(protocol->set(protocol, address_of(range), range.size(), memory_execute_protect));
    note(protocol->clear(protocol, address_of(range), range.size(), memory_read_only));
  }
  code_.clear();
  if (!was_execute_protected_)
    note(protocol->clear(protocol, address_of(whole_), whole_.size(), memory_execute_protect));
  whole_ = {};
  return restored;
}

}  // namespace keelson::efi
