// SPDX-License-Identifier: MIT
//
// Owns events: timers of programs, and events of devices (a key is there). Waiting is a leap of the
// virtual clock to whatever happens next; if nothing ever would, the program hangs.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>

#include "efi/firmware/handle.h"
#include "host-tests/sim/clock.h"

namespace keelson::sim {

using Event = void*;  // EFI_EVENT

class Events {
 public:
  explicit Events(Clock& clock) : clock_(clock) {}
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events();

  // An event of a device: whether it is signalled now, and when it will be if nobody does anything
  // (nullopt: never). Checking it does not reset it: reading the device does.
  struct Device {
    std::function<bool()> is_signalled;
    std::function<std::optional<std::uint64_t>()> next_ns;
  };
  Event add_device(Device device);

  // Timers: of programs.
  Event create_timer();
  efi::Status close(Event event);
  enum class Timer : std::uint8_t { cancel, periodic, relative };
  efi::Status set_timer(Event event, Timer type, std::uint64_t nanoseconds);

  // Success or not_ready; invalid_parameter for what is no event.
  efi::Status check(Event event);
  // The index of the first that is signalled; nullopt: nothing will ever happen.
  std::optional<std::size_t> wait(std::span<const Event> events);
  bool exists(Event event) const { return items_.contains(event); }

  std::size_t timer_count() const;
  void close_timers();

 private:
  struct Item {
    std::optional<Device> device;
    std::optional<std::uint64_t> due_ns;  // a timer that is set
    std::uint64_t period_ns = 0;
    bool signalled = false;
  };
  void expire(Item& item);
  std::optional<std::uint64_t> next_ns(const Item& item) const;

  Clock& clock_;
  std::map<Event, Item> items_;
};

}  // namespace keelson::sim
