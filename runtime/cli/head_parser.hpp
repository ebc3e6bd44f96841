#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/bytes.hpp"

namespace trivet::cli {

/// Takes the CGI head off FCGI_STDOUT, which may be cut anywhere. Lines may end in CRLF or LF.
///
/// Memory  The head, at most 64 KiB.
/// Errors  malformed: a line that is no field, a Status that is no code, two that differ, too large a head.
class HeadParser {
 public:
  /// reading -> complete | malformed
  enum class State : std::uint8_t { reading, complete, malformed };

  /// Gives the part of `bytes` that belongs to the body.
  [[nodiscard]] base::Bytes feed(base::Bytes bytes);
  [[nodiscard]] State state() const noexcept { return state_; }
  /// A byte came.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  /// Once complete: the code of `Status`; absent when there is none.
  [[nodiscard]] std::optional<int> status() const noexcept { return status_; }
  /// Once complete: there is a `Location`, which makes 302 of an absent Status (CGI/1.1, 6.3.4).
  [[nodiscard]] bool has_location() const noexcept { return has_location_; }
  /// Once complete: the head, one line a field, LF.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Once malformed: why.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  void end_line();
  void take_status(std::string_view value);
  void fail(std::string problem);

  State state_ = State::reading;
  bool begun_ = false;
  bool has_location_ = false;
  std::string line_;
  std::string text_;
  std::string problem_;
  std::optional<int> status_;
};

}  // namespace trivet::cli
