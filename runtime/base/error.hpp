#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace trivet::base {

/// Why something failed, coarse enough to act on. Values appear in logs: append, never renumber.
enum class ErrorCode : std::uint8_t {
  protocol_violation = 1,  ///< The peer broke FastCGI: the connection or the request ends.
  limit_exceeded = 2,      ///< A configured limit was hit: refuse this request, keep the rest.
  config_invalid = 3,      ///< The operator must edit a file: keep the configuration in use.
  plugin_rejected = 4,     ///< A plugin did not load or would not start: name it and its path.
  system_failure = 5,      ///< The kernel refused: the message ends with the errno text.
};

/// An error for a person: where, what, and what would cure it, in one line, e.g.
/// `trivet.toml:14: route "/img": no plugin "resize" (known: resizer, echo)`.
struct [[nodiscard]] Error {
  ErrorCode code;
  std::string message;
};

/// A value or the Error that took its place. `Result<>` carries no value.
template <class T = std::monostate>
class [[nodiscard]] Result {
 public:
  // By index: nothing that T converts to, or from, may decide which of the two is meant.
  // NOLINTBEGIN(google-explicit-constructor): so that functions return either as it is
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// Only where ok().
  [[nodiscard]] T& value() & { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  T& operator*() & { return std::get<0>(state_); }

  /// Only where not ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

/// The result of something that gives no value when it works.
inline Result<> success() { return std::monostate{}; }

/// `what: text of errno`, as a system_failure.
Error system_error(const std::string& what, int errno_value);

}  // namespace trivet::base
