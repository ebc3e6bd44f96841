#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/cli/bench/checksum.hpp"
#include "runtime/cli/bench/tally.hpp"
#include "runtime/cli/head_parser.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::cli::bench {

/// What a good answer is, and what is known from those before.
///
/// Memory  One head, as long as it came in one piece.
struct Expected {
  protocol::Role role = protocol::Role::responder;
  std::optional<int> status;  ///< Absent: below 400, of an authorizer 200.
  bool any_body = false;

  struct Body {
    std::uint64_t size;
    std::uint32_t checksum;
    friend bool operator==(const Body&, const Body&) = default;
  };
  std::optional<Body> body;  ///< Of the first good answer.

  /// The last head that was read, and its status: one that is the same byte for byte is not read again.
  std::vector<std::uint8_t> head;
  int head_status = 0;
};

/// One answer as it comes: head, status, length and checksum of the body.
///
/// Thread  The one of the load.
/// Memory  The head, at most 64 KiB, unless it is the same as the last one and comes in one piece.
class Answer {
 public:
  struct Problem {
    Failure kind;
    std::string text;
  };

  void begin() noexcept;
  void on_output(base::Bytes bytes, Expected& expected);
  /// A byte of output came.
  [[nodiscard]] bool begun() const noexcept { return begun_; }
  /// Whether it is what is expected, now that END_REQUEST has come. The first good one says what the others'
  /// body has to be.
  [[nodiscard]] std::optional<Problem> judge(std::uint32_t app_status, std::uint8_t protocol_status,
                                             Expected& expected) const;

 private:
  [[nodiscard]] bool in_head() const noexcept { return !status_; }
  [[nodiscard]] std::optional<Problem> judge_head() const;
  [[nodiscard]] std::optional<Problem> judge_status(const Expected& expected) const;
  [[nodiscard]] std::optional<Problem> judge_body(Expected& expected) const;
  void on_head(base::Bytes bytes, Expected& expected);
  void on_body(base::Bytes bytes, const Expected& expected) noexcept;

  bool begun_ = false;
  std::optional<int> status_;           ///< Once the head is complete.
  std::unique_ptr<HeadParser> parser_;  ///< While a head is read that is not the known one.
  std::uint64_t size_ = 0;
  Checksum checksum_;
};

}  // namespace trivet::cli::bench
