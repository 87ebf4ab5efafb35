// SPDX-License-Identifier: MIT
//
// Phases and their times (times.h).
#include "efi/firmware/times.h"

#include "efi/base/text.h"
#include "efi/base/wire.h"

namespace keelson::efi {

void Times::mark(std::string_view phase) {
  const auto now = clock_.now_us();
  if (!now) return;
  const bool kept =
      phases_.push({.name = phase, .microseconds = clock_.elapsed_us(last_)}).has_value();
  if (kept) last_ = now;  // else the next one that is kept has this time too
}

Result<> Times::publish(const Variables& variables) {
  if (phases_.empty()) return {};
  constexpr std::uint64_t room = 8_KiB;
  Pages text = TRY(Pages::allocate(room));
  const auto old =
      variables.get(loader_interface::keelson_times, text.mutable_bytes().first(room / 2));
  const std::size_t old_size = old.has_value() ? old->data.size() : 0;
  Writer lines(text.mutable_bytes().subspan(old_size));
  for (const Phase& phase : phases_)
    lines.append(bytes_of(phase.name))
        .append(bytes_of(std::string_view(" ")))
        .append(bytes_of(std::string_view(Decimal(phase.microseconds))))
        .append(bytes_of(std::string_view("\n")));
  const Bytes added = TRY(lines.done());
  TRY(variables.set(loader_interface::keelson_times, text.bytes().first(old_size + added.size())));
  phases_.clear();
  return {};
}

}  // namespace keelson::efi
