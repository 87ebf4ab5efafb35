// SPDX-License-Identifier: MIT
//
// Compares event logs of before and after; reading them is tcg_event_log.h's.
#include "loader/register_watch.h"

namespace keelson::loader {
namespace {

constexpr std::uint32_t watched[] = {pcr::kernel_image, pcr::kernel_parameters,
                                     pcr::system_extensions};

}  // namespace

RegisterWatch::RegisterWatch(const efi::Tpm& tpm) : tpm_(tpm) {
  if (tpm.has_tpm()) {
    const auto log = tpm.event_log();
    readable_ = log.has_value();
    if (log.has_value()) last_event_ = log->last_event;
  }
  if (tpm.has_cc()) {
    const auto log = tpm.cc_event_log();
    readable_ = readable_ && log.has_value();
    if (log.has_value()) last_cc_event_ = log->last_event;
  }
}

bool RegisterWatch::extended() const {
  if (!tpm_.present()) return false;
  if (!readable_) return true;
  if (tpm_.has_tpm()) {
    tcg::RegisterSet registers = 0;
    for (const std::uint32_t index : watched) registers |= tcg::register_bit(index);
    const auto now = tpm_.event_log();
    if (!now.has_value() || tcg::extended_since(*now, last_event_, registers)) return true;
  }
  if (tpm_.has_cc()) {
    tcg::RegisterSet registers = 0;
    for (const std::uint32_t index : watched) {
      const auto mapped = tpm_.cc_register_of(index);
      if (!mapped.has_value()) return true;
      registers |= tcg::register_bit(*mapped);
    }
    const auto now = tpm_.cc_event_log();
    if (!now.has_value() || tcg::extended_since(*now, last_cc_event_, registers)) return true;
  }
  return false;
}

}  // namespace keelson::loader
