#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"

namespace trivet::cli {

/// Takes the CGI head off FCGI_STDOUT, which may be cut anywhere. Lines may end in CRLF or LF.
///
/// Memory  The head, at most 64 KiB.
class HeadParser {
 public:
  enum class State : unsigned char { reading, complete, malformed };

  /// Gives the part of `bytes` that belongs to the body.
  [[nodiscard]] base::Bytes feed(base::Bytes bytes);
  [[nodiscard]] State state() const noexcept { return state_; }
  /// Once complete: the code of `Status`; absent when there is none.
  [[nodiscard]] std::optional<int> status() const noexcept { return status_; }
  /// Once complete: the head, one line a field, LF.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  void end_line();
  void fail(std::string problem);

  State state_ = State::reading;
  std::string line_;
  std::string text_;
  std::string problem_;
  std::optional<int> status_;
};

}  // namespace trivet::cli
