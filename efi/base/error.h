// SPDX-License-Identifier: MIT
//
// Owns how a failure is passed upwards: Errc, Error, Result, fail, TRY, proceed_despite.
// A parser knows the offset, its caller knows the file name and logs both; nothing here
// allocates or prints.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <type_traits>
#include <utility>

namespace keelson {

enum class Errc : std::uint8_t {
  truncated,      // a length or offset leads past the end
  malformed,      // the bytes contradict their format
  unsupported,    // well formed, but not something this program handles
  not_found,      // what was asked for is not there
  denied,         // policy, access rights or write protection refuse it
  out_of_memory,  // no pages, or a fixed list is full
  firmware,       // any other EFI_STATUS; `where` holds it
};

struct Error {
  Errc code;
  std::string_view what;    // a literal: "section table past end of file"
  // Byte offset; or the EFI_STATUS of a firmware call (top bit set) that says more than the code.
  std::uint64_t where = 0;
  constexpr bool has_status() const { return where >> 63 != 0; }
  friend constexpr bool operator==(const Error&, const Error&) = default;
};

// std::expected that must not be dropped. Whoever gets one inspects it: TRY, has_value() or
// proceed_despite; never value().
template <class T = void>
struct [[nodiscard]] Result : std::expected<T, Error> {
  using std::expected<T, Error>::expected;
  constexpr Result(std::expected<T, Error>&& r) : std::expected<T, Error>(std::move(r)) {}
};

constexpr std::unexpected<Error> fail(Errc code, std::string_view what, std::uint64_t where = 0) {
  return std::unexpected<Error>(Error{code, what, where});
}
constexpr std::unexpected<Error> fail(const Error& error) { return std::unexpected<Error>(error); }

// The name of `code` for messages: "truncated", "not found".
constexpr std::string_view name(Errc code) {
  switch (code) {
    case Errc::truncated:
      return "truncated";
    case Errc::malformed:
      return "malformed";
    case Errc::unsupported:
      return "unsupported";
    case Errc::not_found:
      return "not found";
    case Errc::denied:
      return "denied";
    case Errc::out_of_memory:
      return "out of memory";
    case Errc::firmware:
      return "firmware error";
  }
  return "unknown error";
}

// States that a failure has no further consequence, and why: `proceed_despite(tpm.extend(…),
// "the boot goes on unmeasured")`. Returns whether it succeeded, for callers that log.
template <class T>
constexpr bool proceed_despite(const Result<T>& result, std::string_view /*why*/) {
  return result.has_value();
}

}  // namespace keelson

// Yields the value of a Result or returns its error from the enclosing function. A statement
// expression, so not usable in constexpr functions, which write the two lines out.
#define TRY(expression)                                                                      \
  ({                                                                                         \
    auto&& keelson_try_result = (expression);                                                \
    if (!keelson_try_result.has_value()) [[unlikely]]                                        \
      return ::keelson::fail(keelson_try_result.error());                                    \
    ::keelson::detail::take(std::forward<decltype(keelson_try_result)>(keelson_try_result)); \
  })

namespace keelson::detail {
// The value of a result known to be good: moved out of a temporary or named result, nothing for
// void.
template <class R>
constexpr auto take(R&& result) {
  using Value = typename std::remove_cvref_t<R>::value_type;
  if constexpr (!std::is_void_v<Value>) return Value(std::move(*result));
}
}  // namespace keelson::detail
