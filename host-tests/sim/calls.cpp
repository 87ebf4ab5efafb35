// SPDX-License-Identifier: MIT
//
// Counts calls and fails those that were asked for (calls.h).
#include "host-tests/sim/calls.h"

namespace keelson::sim {
namespace {

// Only ASCII is expected in names of files and variables; the rest shows as '?'.
std::string to_ascii(std::u16string_view text) {
  std::string result;
  for (const char16_t unit : text) result += unit < 0x80 ? static_cast<char>(unit) : '?';
  return result;
}

}  // namespace

std::optional<efi::Status> Calls::enter(std::string_view name, std::string detail) {
  if (!armed_) return std::nullopt;
  if (count_ == limit_) {
    { const std::string dropped = std::move(detail); }  // too_many_ does not come back
    too_many_();
  }
  list_.push_back({.name = name, .detail = std::move(detail), .number = ++count_});
  let_time_pass(list_.back());
  const auto status = fault_of(list_.back());
  if (status) failed_.push_back(list_.back());
  return status;
}

std::optional<efi::Status> Calls::enter(std::string_view name, std::u16string_view detail) {
  return enter(name, to_ascii(detail));
}

void Calls::note(std::string_view name) {
  if (armed_) list_.push_back({.name = name, .detail = {}, .number = 0});
}

std::optional<efi::Status> Calls::fault_of(const Call& call) const {
  if (first_failed_ != 0 && call.number >= first_failed_ && call.number <= last_failed_)
    return status_.value_or(fitting_status(call.name));
  for (const Every& every : every_)
    if (every.name == call.name && call.detail.find(every.detail) != std::string::npos)
      return every.status;
  return std::nullopt;
}

void Calls::fail_call(std::uint64_t number, std::optional<efi::Status> status) {
  first_failed_ = last_failed_ = number;
  status_ = status;
}

void Calls::fail_from(std::uint64_t number, std::optional<efi::Status> status) {
  fail_call(number, status);
  last_failed_ = ~std::uint64_t{0};
}

void Calls::fail_every(std::string_view name, efi::Status status, std::string_view detail) {
  every_.push_back({.name = name, .detail = std::string(detail), .status = status});
}

void Calls::set_duration(std::string_view name, std::uint64_t seconds, std::string_view detail) {
  durations_.push_back({.name = name, .detail = std::string(detail), .seconds = seconds});
}

void Calls::let_time_pass(const Call& call) const {
  for (const Duration& row : durations_)
    if (row.name == call.name && call.detail.find(row.detail) != std::string::npos)
      pass_(row.seconds);
}

void Calls::fail_none() {
  first_failed_ = last_failed_ = 0;
  every_.clear();
}

void Calls::clear() {
  count_ = 0;
  list_.clear();
  failed_.clear();
}

std::string Calls::text(std::size_t most) const {
  std::string text;
  const std::size_t first = list_.size() > most ? list_.size() - most : 0;
  for (std::size_t i = first; i < list_.size(); ++i) {
    const Call& call = list_[i];
    text += call.number == 0 ? std::string("      ") : std::to_string(call.number);
    text += " ";
    text += call.name;
    if (!call.detail.empty()) text += "(" + call.detail + ")";
    text += "\n";
  }
  return text;
}

efi::Status Calls::fitting_status(std::string_view name) {
  using namespace efi;
  struct Row {
    std::string_view name;
    Status status;
  };
  constexpr Row rows[] = {
      {"AllocatePages", status::out_of_resources},
      {"AllocatePool", status::out_of_resources},
      {"CreateEvent", status::out_of_resources},
      {"LocateHandleBuffer", status::out_of_resources},
      {"InstallProtocolInterface", status::out_of_resources},
      {"HandleProtocol", status::unsupported},
      {"OpenProtocol", status::unsupported},
      {"LocateProtocol", status::not_found},
      {"LocateDevicePath", status::not_found},
      {"UninstallProtocolInterface", status::access_denied},
      {"SetTimer", status::invalid_parameter},
      {"WaitForEvent", status::unsupported},
      {"LoadImage", status::out_of_resources},
      {"StartImage", status::load_error},
      {"SetVariable", status::out_of_resources},
  };
  for (const Row& row : rows)
    if (row.name == name) return row.status;
  return status::device_error;
}

}  // namespace keelson::sim
