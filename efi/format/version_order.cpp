// SPDX-License-Identifier: MIT
//
// UAPI.10 comparison. The steps (a) to (f) are those of the specification's loop.
#include "efi/format/version_order.h"

#include <cstddef>
#include <optional>

namespace keelson {
namespace {

template <class Char>
constexpr bool is_digit(Char c) {
  return c >= Char{'0'} && c <= Char{'9'};
}
template <class Char>
constexpr bool is_letter(Char c) {
  return (c >= Char{'A'} && c <= Char{'Z'}) || (c >= Char{'a'} && c <= Char{'z'});
}
template <class Char>
constexpr bool counts(Char c) {
  return is_digit(c) || is_letter(c) || c == Char{'~'} || c == Char{'-'} || c == Char{'^'} ||
         c == Char{'.'};
}

// One side of a comparison: what is left of it.
template <class Char>
struct Side {
  std::basic_string_view<Char> rest;

  void skip_uncounted() {
    while (!rest.empty() && !counts(rest.front())) rest.remove_prefix(1);
  }
  bool at(char c) const { return !rest.empty() && rest.front() == static_cast<Char>(c); }
  bool at_digit() const { return !rest.empty() && is_digit(rest.front()); }
  std::basic_string_view<Char> take_digits() {
    std::size_t size = 0;
    while (size < rest.size() && is_digit(rest[size])) ++size;
    auto run = rest.substr(0, size);
    rest.remove_prefix(size);
    while (!run.empty() && run.front() == Char{'0'}) run.remove_prefix(1);
    return run;
  }
  std::basic_string_view<Char> take_letters() {
    std::size_t size = 0;
    while (size < rest.size() && is_letter(rest[size])) ++size;
    const auto run = rest.substr(0, size);
    rest.remove_prefix(size);
    return run;
  }
};

// A separator that only one side has makes that side the older one; on both it is consumed.
template <class Char>
std::weak_ordering compare_separator(Side<Char>& a, Side<Char>& b, char separator) {
  const bool in_a = a.at(separator), in_b = b.at(separator);
  if (in_a != in_b) return in_a ? std::weak_ordering::less : std::weak_ordering::greater;
  if (in_a) {
    a.rest.remove_prefix(1);
    b.rest.remove_prefix(1);
  }
  return std::weak_ordering::equivalent;
}

template <class Char>
std::weak_ordering compare_runs(Side<Char>& a, Side<Char>& b) {
  if (a.at_digit() || b.at_digit()) {  // (e)
    if (!a.at_digit()) return std::weak_ordering::less;
    if (!b.at_digit()) return std::weak_ordering::greater;
    const auto digits_a = a.take_digits(), digits_b = b.take_digits();
    if (const auto order = digits_a.size() <=> digits_b.size(); order != 0) return order;
    return digits_a.compare(digits_b) <=> 0;
  }
  return a.take_letters().compare(b.take_letters()) <=> 0;  // (f)
}

template <class Char>
std::weak_ordering compare(std::basic_string_view<Char> text_a,
                           std::basic_string_view<Char> text_b) {
  Side<Char> a{text_a}, b{text_b};
  // Every round consumes something of both sides or decides.
  while (!a.rest.empty() || !b.rest.empty()) {
    a.skip_uncounted();  // (a)
    b.skip_uncounted();
    if (const auto order = compare_separator(a, b, '~'); order != 0) return order;  // (b)
    if (a.rest.empty() || b.rest.empty())                                           // (c)
      return static_cast<int>(!a.rest.empty()) <=> static_cast<int>(!b.rest.empty());
    for (const char separator : {'-', '^', '.'})  // (d)
      if (const auto order = compare_separator(a, b, separator); order != 0) return order;
    if (const auto order = compare_runs(a, b); order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

std::weak_ordering compare_versions(std::u16string_view a, std::u16string_view b) {
  return compare<char16_t>(a, b);
}
std::weak_ordering compare_versions(std::string_view a, std::string_view b) {
  return compare<char>(a, b);
}

}  // namespace keelson
