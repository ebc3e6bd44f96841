#pragma once

#include <array>
#include <cstdint>

#include "runtime/base/bytes.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::protocol {

/// What an AnswerDecoder found in the bytes it was given.
struct AnswerStep {
  enum class Kind : std::uint8_t {
    more,          ///< All bytes are taken; the next step needs others.
    output,        ///< A piece of FCGI_STDOUT, never empty.
    output_end,    ///< The empty record that ends FCGI_STDOUT.
    error_output,  ///< A piece of FCGI_STDERR, never empty.
    ended,         ///< FCGI_END_REQUEST is complete. Whatever bytes are left are not this answer's.
    broken,        ///< See AnswerDecoder::fault(); every later step says so again.
  };

  Kind kind = Kind::more;
  base::Bytes content;  ///< Borrowed from the input.
};

/// The other side of a Demultiplexer: what an application sends to a client that has one request open at a
/// time and asks for no values (FastCGI 1.0, 3.3 and 5.5). Records that only answer management records are
/// skipped.
///
///   for (;;) switch (const AnswerStep step = decoder.next(input); step.kind) ...
///
/// Memory  One cut header and the eight bytes of FCGI_END_REQUEST; content is never copied.
class AnswerDecoder {
 public:
  enum class Fault : std::uint8_t {
    none,
    wrong_version,      ///< Not FastCGI 1.
    unexpected_record,  ///< A type that no application sends, or another request's id: header() is it.
    end_of_other_size,  ///< FCGI_END_REQUEST does not hold eight bytes: header() is it.
  };

  explicit AnswerDecoder(std::uint16_t id) noexcept : id_(id) {}

  /// The next step; drops from the front of `input` what it took. To be called until it says `more`.
  [[nodiscard]] AnswerStep next(base::Bytes& input) noexcept;
  [[nodiscard]] Fault fault() const noexcept { return fault_; }
  /// The record that began last.
  [[nodiscard]] const RecordHeader& header() const noexcept { return records_.header(); }

  // Once ended:
  [[nodiscard]] std::uint32_t app_status() const noexcept;
  [[nodiscard]] std::uint8_t protocol_status() const noexcept { return end_[4]; }
  /// FCGI_END_REQUEST came whole, with its padding, and nothing is left in `input`: the connection can carry
  /// another request, for which next() begins anew.
  [[nodiscard]] bool finish(base::Bytes input) const noexcept;

 private:
  [[nodiscard]] Fault judge() const noexcept;

  RecordDecoder records_;
  std::uint16_t id_;
  Fault fault_ = Fault::none;
  std::size_t end_taken_ = 0;
  std::array<std::uint8_t, 8> end_{};
};

}  // namespace trivet::protocol
