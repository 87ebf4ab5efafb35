// SPDX-License-Identifier: MIT
//
// Owns the bond between events and what they are about: which thing each event of a plan stands
// for, and what became of it, so that a thing which could not be measured can be left out of what
// the kernel gets (R3), and so that a variable speaks of what was measured (design decision 7).
#pragma once

#include "efi/format/measurement.h"

namespace keelson::stub {

enum class Subject : std::uint8_t {
  image,        // a section of our own image
  parameters,   // the profile, a command line: nothing that could be left out
  device_tree,  // of the add-on with that index
  archive,      // of companion files, by ArchiveKind
  ucode,        // of the add-on with that index
  initrd,       // of the add-on with that index
  smbios,       // tables of the platform
};
struct EventSubject {
  Subject subject = Subject::parameters;
  std::size_t index = 0;
  friend bool operator==(const EventSubject&, const EventSubject&) = default;
};

struct PlannedEvents {
  MeasurementList list;             // in the order of extending
  PageList<EventSubject> subjects;  // of the event with the same index

  // Says what all events stand for that were added since the last call. Error: out_of_memory.
  Result<> label(EventSubject subject) {
    while (subjects.size() < list.items().size()) TRY(subjects.push(subject));
    return {};
  }
};

// What became of an event. `nobody` is there to measure with: no failure, and nothing to report.
enum class Measured : std::uint8_t { by_nobody, yes, failed };
using MeasuredEvents = PageList<Measured>;  // of the event with the same index

// Whether an event of `subject` failed.
inline bool has_failed(const PlannedEvents& events, const MeasuredEvents& results,
                       EventSubject subject) {
  for (std::size_t i = 0; i < results.size(); ++i)
    if (results[i] == Measured::failed && events.subjects[i] == subject) return true;
  return false;
}

}  // namespace keelson::stub
