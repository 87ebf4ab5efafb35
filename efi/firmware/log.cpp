// SPDX-License-Identifier: MIT
//
// Keeping, showing and publishing messages (log.h).
#include "efi/firmware/log.h"

#include <algorithm>

namespace keelson::efi {
namespace {

constexpr std::string_view prefix(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error: ";
    case Severity::warning:
      return "warning: ";
    case Severity::info:
      return "";
    case Severity::debug:
      return "debug: ";
  }
  return "";
}

constexpr Attribute attribute(Severity severity) {
  switch (severity) {
    case Severity::error:
      return {.foreground = Color::light_red};
    case Severity::warning:
      return {.foreground = Color::yellow};
    case Severity::info:
    case Severity::debug:
      break;
  }
  return {};
}

// `text` without so many whole lines at its beginning that it has at most `size` bytes.
std::string_view newest(std::string_view text, std::uint64_t size) {
  if (text.size() <= size) return text;
  const auto end = text.find('\n', text.size() - size - 1);
  return end == text.npos ? std::string_view() : text.substr(end + 1);
}

}  // namespace

Log::Log(Console& console, std::string_view name) : console_(console), name_(name) {
  auto buffer = Pages::allocate(capacity);
  if (buffer.has_value()) buffer_ = std::move(*buffer);
}

std::string_view Log::text() const { return text_of(buffer_.bytes().first(used_)); }

// Names of files may hold anything: a message is one line, and moves no terminal (R9).
void Log::append_message(std::string_view message) {
  auto* to = reinterpret_cast<char*>(buffer_.data() + used_);
  for (const char c : message) *to++ = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  used_ += message.size();
}

void Log::append(std::string_view piece) {
  std::copy(piece.begin(), piece.end(), reinterpret_cast<char*>(buffer_.data() + used_));
  used_ += piece.size();
}

void Log::make_room(std::uint64_t size) {
  const std::string_view kept = newest(text(), buffer_.size() - size);
  const std::uint64_t dropped = used_ - kept.size();
  if (dropped == 0) return;
  __builtin_memmove(buffer_.data(), kept.data(), kept.size());
  used_ = kept.size();
  published_ -= std::min(published_, dropped);
}

void Log::write(Severity severity, std::string_view message) {
  keep(severity, message);
  if (screen_level_ == LogLevel::debug) show(severity, message);
}

void Log::keep(Severity severity, std::string_view message) {
  const std::string_view what = prefix(severity);
  const std::uint64_t size = name_.size() + 2 + what.size() + message.size() + 1;
  if (size > buffer_.size()) return;
  make_room(size);
  for (const std::string_view piece : {name_, std::string_view(": "), what}) append(piece);
  append_message(message);
  append("\n");
}

void Log::show(Severity severity, std::string_view message) {
  console_.set_attribute(attribute(severity));
  console_.write_line(message);
  console_.set_attribute({});
}

Result<> Log::publish(const Variables& variables) {
  const std::string_view added = text().substr(published_);
  if (added.empty()) return {};
  // What is there, by us or by the program that started us, then what is new.
  Pages both = TRY(Pages::allocate(2 * capacity));
  std::uint64_t size = 0;
  const auto old =
      variables.get(loader_interface::keelson_log, both.mutable_bytes().first(capacity));
  if (old.has_value()) size = old->data.size();
  std::ranges::copy(bytes_of(added), both.data() + size);
  size += added.size();
  const std::string_view kept = newest(text_of(both.bytes().first(size)), capacity);
  TRY(variables.set(loader_interface::keelson_log, bytes_of(kept)));
  published_ = used_;
  variable_size_ = kept.size();
  return {};
}

Result<std::string_view> Log::adopt(const Variables& variables) {
  if (published_ != used_) return std::string_view();
  Pages all = TRY(Pages::allocate(capacity));
  const auto value = TRY(variables.get(loader_interface::keelson_log, all.mutable_bytes()));
  if (value.data.size() <= variable_size_) return std::string_view();
  const std::string_view added = text_of(value.data.subspan(variable_size_));
  if (added.size() > buffer_.size()) return std::string_view();
  make_room(added.size());
  append(added);
  published_ = used_;
  variable_size_ = value.data.size();
  return text().substr(used_ - added.size());
}

}  // namespace keelson::efi
