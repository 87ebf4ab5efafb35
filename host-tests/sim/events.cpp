// SPDX-License-Identifier: MIT
//
// Timers and device events on the virtual clock (events.h).
#include "host-tests/sim/events.h"

#include <algorithm>

namespace keelson::sim {

Events::~Events() {
  for (const auto& [event, item] : items_) delete static_cast<char*>(event);
}

Event Events::add_device(Device device) {
  Event event = new char;
  items_[event].device = std::move(device);
  return event;
}

Event Events::create_timer() {
  Event event = new char;
  items_[event] = {};
  return event;
}

efi::Status Events::close(Event event) {
  const auto found = items_.find(event);
  if (found == items_.end() || found->second.device) return efi::status::invalid_parameter;
  items_.erase(found);
  delete static_cast<char*>(event);
  return efi::status::success;
}

efi::Status Events::set_timer(Event event, Timer type, std::uint64_t nanoseconds) {
  const auto found = items_.find(event);
  if (found == items_.end() || found->second.device) return efi::status::invalid_parameter;
  Item& item = found->second;
  item.signalled = false;
  item.due_ns.reset();
  item.period_ns = 0;
  if (type == Timer::cancel) return efi::status::success;
  item.due_ns = clock_.now_ns() + nanoseconds;
  if (type == Timer::periodic) item.period_ns = std::max<std::uint64_t>(nanoseconds, 1);
  return efi::status::success;
}

void Events::expire(Item& item) {
  if (!item.due_ns || *item.due_ns > clock_.now_ns()) return;
  item.signalled = true;
  if (item.period_ns == 0)
    item.due_ns.reset();
  else
    while (*item.due_ns <= clock_.now_ns()) *item.due_ns += item.period_ns;
}

efi::Status Events::check(Event event) {
  const auto found = items_.find(event);
  if (found == items_.end()) return efi::status::invalid_parameter;
  Item& item = found->second;
  if (item.device)
    return item.device->is_signalled() ? efi::status::success : efi::status::not_ready;
  expire(item);
  if (!item.signalled) return efi::status::not_ready;
  item.signalled = false;
  return efi::status::success;
}

std::optional<std::uint64_t> Events::next_ns(const Item& item) const {
  return item.device ? item.device->next_ns() : item.due_ns;
}

std::optional<std::size_t> Events::wait(std::span<const Event> events) {
  std::optional<std::uint64_t> next;
  for (int leap = 0; leap < 2; ++leap) {
    for (std::size_t i = 0; i < events.size(); ++i)
      if (check(events[i]) == efi::status::success) return i;
    next.reset();
    for (const Event event : events) {
      const auto of_this = next_ns(items_.at(event));
      if (of_this && (!next || *of_this < *next)) next = of_this;
    }
    if (!next) return std::nullopt;
    if (*next > clock_.now_ns()) clock_.advance_ns(*next - clock_.now_ns());
  }
  for (std::size_t i = 0; i < events.size(); ++i)
    if (check(events[i]) == efi::status::success) return i;
  return std::nullopt;
}

std::size_t Events::timer_count() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(items_, [](const auto& item) { return !item.second.device; }));
}

void Events::close_timers() {
  for (auto at = items_.begin(); at != items_.end();) {
    if (at->second.device) {
      ++at;
      continue;
    }
    delete static_cast<char*>(at->first);
    at = items_.erase(at);
  }
}

}  // namespace keelson::sim
