#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/cgi/response_head.hpp"

namespace trivet::cgi {

/// Takes the CGI head off what an application writes (CGI/1.1, 6), which may be cut anywhere. Lines end in
/// CRLF or LF; a line that begins with a space is no field.
///
/// Fields that belong to a connection (Connection, Keep-Alive, Transfer-Encoding and so on) are left out: an
/// application has none to speak of, and some pass on what they got from another server. Everything else that
/// a response head may not hold makes the head malformed.
///
/// Thread    One at a time.
/// Memory    What the head takes when it is written, at most `max_bytes`, and `max_fields` fields.
/// Errors    malformed: no field at all, a line that is no field, a Status that is no code or outside
///           200..599, two that differ, two lengths that differ, a head that is too large; problem() quotes
///           it, not escaped.
class HeadReader {
 public:
  /// reading -> complete | malformed
  enum class State : std::uint8_t { reading, complete, malformed };

  HeadReader(std::size_t max_bytes, std::size_t max_fields) noexcept
      : max_bytes_(max_bytes), max_fields_(max_fields) {}

  /// Gives the part of `bytes` that belongs to the body.
  [[nodiscard]] base::Bytes feed(base::Bytes bytes);
  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// Once complete. The caller may take it.
  [[nodiscard]] ResponseHead& head() noexcept { return head_; }

 private:
  void end_line(std::string_view line);
  void take_status(std::string_view value);
  void fail(std::string problem);

  ResponseHead head_;
  std::string line_;  ///< The beginning of one that is cut.
  std::string problem_;
  std::size_t max_bytes_;
  std::size_t max_fields_;
  std::size_t taken_ = 0;
  State state_ = State::reading;
  bool has_lines_ = false;
};

}  // namespace trivet::cgi
