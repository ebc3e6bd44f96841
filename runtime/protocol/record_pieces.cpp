#include "runtime/protocol/record_pieces.hpp"

#include <algorithm>

namespace trivet::protocol {

namespace {

constexpr std::array<std::uint8_t, 8> zeros{};

}  // namespace

RecordPieces::RecordPieces(RecordType type, std::uint16_t id, base::Bytes content) noexcept {
  static_assert(split_content % 8 == 0, "only the last record is padded");
  for (auto header = headers_.begin(); !content.empty() && header != headers_.end(); ++header) {
    const base::Bytes piece = content.first(std::min(content.size(), split_content));
    const auto padding = static_cast<std::uint8_t>((8 - piece.size() % 8) % 8);
    *header = encode(
        RecordHeader{static_cast<std::uint8_t>(type), id, static_cast<std::uint16_t>(piece.size()), padding});
    add(*header);
    add(piece);
    if (padding != 0) add(base::Bytes(zeros).first(padding));
    content_size_ += piece.size();
    content = content.subspan(piece.size());
  }
}

void RecordPieces::add(base::Bytes piece) noexcept {
  pieces_[count_++] = piece;
  size_ += piece.size();
}

void RecordPieces::append_rest(std::size_t taken, base::Buffer& out) const {
  for (const base::Bytes& piece : pieces()) {
    const std::size_t skipped = std::min(taken, piece.size());
    taken -= skipped;
    out.append(piece.subspan(skipped));
  }
}

}  // namespace trivet::protocol
