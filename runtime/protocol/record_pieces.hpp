#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/base/buffer.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::protocol {

/// Stream content as records around the bytes where they lie: headers and padding are written in here,
/// content is only pointed to. The same records as append_stream() makes, for a write of several pieces.
///
/// Lifetime  The pieces last as long as this and the content do.
class RecordPieces {
 public:
  /// More content than so many records hold is left to the next RecordPieces.
  static constexpr std::size_t most_records = 8;
  static constexpr std::size_t most_pieces = 2 * most_records + 1;

  RecordPieces(RecordType type, std::uint16_t id, base::Bytes content) noexcept;
  RecordPieces(const RecordPieces&) = delete;
  RecordPieces& operator=(const RecordPieces&) = delete;
  ~RecordPieces() = default;

  [[nodiscard]] std::span<const base::Bytes> pieces() const noexcept { return {pieces_.data(), count_}; }
  /// All pieces together.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// How much of the content is in them.
  [[nodiscard]] std::size_t content_size() const noexcept { return content_size_; }
  /// A copy of what follows the first `taken` bytes of the pieces.
  void append_rest(std::size_t taken, base::Buffer& out) const;

 private:
  void add(base::Bytes piece) noexcept;

  std::array<base::Bytes, most_pieces> pieces_;
  std::array<std::array<std::uint8_t, RecordHeader::wire_size>, most_records> headers_;
  std::size_t count_ = 0;
  std::size_t size_ = 0;
  std::size_t content_size_ = 0;
};

}  // namespace trivet::protocol
