#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"

namespace trivet::host {

/// What a running host is asked over its admin socket. One line, one for each connection:
///
///     trivet/1 COMMAND [WORD]...\n
///
///     reload | upgrade | status text | status json | stop [now] [no-wait] | drain [no-wait] | log-level NAME
struct AdminRequest {
  enum class Command : std::uint8_t { reload, upgrade, status, stop, drain, log_level };
  Command command = Command::status;
  bool json = false;  ///< status
  bool now = false;   ///< stop: what runs is cut.
  bool wait = true;   ///< stop, drain: until the process has ended.
  std::string level;  ///< log_level

  static constexpr std::size_t longest_line = 256;  ///< With its end.

  friend bool operator==(const AdminRequest&, const AdminRequest&) = default;
};

/// The line, with its end.
[[nodiscard]] std::string pack(const AdminRequest& request);
/// The line is without its end.
///
/// Errors  What is wrong with it, for whoever sent it.
[[nodiscard]] base::Result<AdminRequest> read_admin_request(std::string_view line);

/// What the host says to that: one line, then as many bytes as it announces.
///
///     trivet/1 CODE MESSAGES DATA\n
///
/// CODE is the exit code for the shell, MESSAGES and DATA are the numbers of bytes for standard error and for
/// standard output. An answer that is cut is none.
struct AdminAnswer {
  int code = 0;
  std::string messages;
  std::string data;

  static constexpr std::size_t longest_head = 64;           ///< With its end.
  static constexpr std::size_t largest = 64 * 1024 * 1024;  ///< Of each of the two.

  friend bool operator==(const AdminAnswer&, const AdminAnswer&) = default;
};

[[nodiscard]] std::string pack(const AdminAnswer& answer);

/// Puts an answer together from what arrives.
class AdminAnswerReader {
 public:
  enum class State : std::uint8_t { reading, done, broken };

  /// What follows after an answer breaks it.
  State take(std::string_view bytes);
  [[nodiscard]] State state() const noexcept { return state_; }
  /// Once done.
  [[nodiscard]] const AdminAnswer& answer() const noexcept { return answer_; }

 private:
  bool read_head(std::string_view line);

  State state_ = State::reading;
  bool has_head_ = false;
  std::size_t messages_ = 0;
  std::size_t data_ = 0;
  std::string bytes_;
  AdminAnswer answer_;
};

}  // namespace trivet::host
