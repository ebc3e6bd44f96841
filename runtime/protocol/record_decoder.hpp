#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "runtime/base/bytes.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::protocol {

/// What a RecordDecoder found in the bytes it was given.
struct RecordStep {
  enum class Kind : std::uint8_t {
    more,           ///< All bytes are taken; the next step needs others.
    header,         ///< A record begins: RecordDecoder::header() is the new one.
    content,        ///< The next piece of its content, never empty.
    end,            ///< Its content is complete. Padding that has not come is skipped by later steps.
    wrong_version,  ///< Not FastCGI 1; every later step says so again and takes nothing.
  };

  Kind kind = Kind::more;
  base::Bytes content;  ///< Borrowed from the input.
};

/// Finds the records in a stream of bytes that arrives in pieces of any size. Both directions: it judges
/// the version and nothing else.
///
///   for (;;) switch (const RecordStep step = decoder.next(input); step.kind) ...
///
/// take_whole() is a shorter way for records that did not arrive in pieces.
///
/// The steps of one record are header, content (as often as it arrives in pieces; never for an empty
/// record), end. A wrong version is told on the first byte of a record: a peer that speaks another
/// protocol may never send eight.
///
/// Memory  Keeps at most one cut header; content is never copied.
class RecordDecoder {
 public:
  /// The next step; drops from the front of `input` what it took. To be called until it says `more`.
  [[nodiscard]] RecordStep next(base::Bytes& input) noexcept;

  /// All steps of a record in one, where it starts here and `input` holds the whole of it, padding included:
  /// drops it from the front of `input`, and gives its content. False: nothing was taken, next() has it.
  [[nodiscard]] bool take_whole(base::Bytes& input, base::Bytes& content) noexcept {
    if (!at_boundary() || input.size() < RecordHeader::wire_size) return false;
    // Field by field, as decode() has them: compilers put them together in memory otherwise, and wait for it.
    const std::uint8_t* const wire = input.data();
    if (wire[0] != RecordHeader::version) return false;
    const std::size_t length = static_cast<std::size_t>(wire[4]) << 8U | wire[5];
    const std::size_t whole = RecordHeader::wire_size + length + wire[6];
    if (input.size() < whole) return false;
    header_.type = wire[1];
    header_.request_id = static_cast<std::uint16_t>(wire[2] << 8U | wire[3]);
    header_.content_length = static_cast<std::uint16_t>(length);
    header_.padding_length = wire[6];
    content = input.subspan(RecordHeader::wire_size, length);
    input = input.subspan(whole);
    return true;
  }

  /// The record that began last.
  [[nodiscard]] const RecordHeader& header() const noexcept { return header_; }

  /// The next byte starts a record.
  [[nodiscard]] bool at_boundary() const noexcept { return state_ == State::header && held_ == 0; }

  /// How many of the coming bytes belong to the current record for certain: reading no more than that, as
  /// often as it is not zero, ends exactly at a record boundary. Zero at a boundary and after a wrong
  /// version.
  [[nodiscard]] std::size_t bytes_to_boundary() const noexcept;

  /// A record has begun, by its whole header, and is not over.
  [[nodiscard]] bool in_record() const noexcept {
    return state_ == State::content || state_ == State::padding;
  }
  /// The header as it came; while in_record().
  [[nodiscard]] base::Bytes header_bytes() const noexcept { return partial_; }
  /// What is kept of a cut header.
  [[nodiscard]] base::Bytes held() const noexcept { return base::Bytes(partial_).first(held_); }
  /// Somebody else takes the rest of the record, or what was held of a header: the next byte starts a record.
  void leave_record() noexcept {
    state_ = State::header;
    held_ = 0;
  }

 private:
  /// header -> content -> padding -> header; wrong_version is left by nothing.
  enum class State : std::uint8_t { header, content, padding, wrong_version };

  [[nodiscard]] RecordStep next_header(base::Bytes& input) noexcept;
  [[nodiscard]] RecordStep next_content(base::Bytes& input) noexcept;
  void skip_padding(base::Bytes& input) noexcept;

  State state_ = State::header;
  std::uint8_t held_ = 0;  ///< Bytes of a cut header in partial_.
  std::array<std::uint8_t, RecordHeader::wire_size> partial_{};
  RecordHeader header_;
  /// Wider than on the wire: their sum does not fit into 16 bits.
  std::uint32_t content_left_ = 0;
  std::uint32_t padding_left_ = 0;
};

}  // namespace trivet::protocol
