#include "runtime/protocol/record_decoder.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

namespace trivet::protocol {

namespace {

base::Bytes take(base::Bytes& input, std::size_t n) noexcept {
  const base::Bytes taken = input.first(n);
  input = input.subspan(n);
  return taken;
}

}  // namespace

RecordStep RecordDecoder::next(base::Bytes& input) noexcept {
  switch (state_) {
    case State::padding:
      skip_padding(input);
      return state_ == State::padding ? RecordStep{} : next_header(input);
    case State::header:
      return next_header(input);
    case State::content:
      return next_content(input);
    case State::wrong_version:
      break;
  }
  return {RecordStep::Kind::wrong_version, {}};
}

RecordStep RecordDecoder::next_header(base::Bytes& input) noexcept {
  if (input.empty()) return {};
  if (held_ == 0 && input[0] != RecordHeader::version) {
    state_ = State::wrong_version;
    return {RecordStep::Kind::wrong_version, {}};
  }
  const base::Bytes piece = take(input, std::min(RecordHeader::wire_size - held_, input.size()));
  std::memcpy(partial_.data() + held_, piece.data(), piece.size());
  held_ = static_cast<std::uint8_t>(held_ + piece.size());
  if (held_ < RecordHeader::wire_size) return {};

  // The version was judged with the first byte.
  header_ = *decode(partial_);  // NOLINT(bugprone-unchecked-optional-access)
  held_ = 0;
  content_left_ = header_.content_length;
  padding_left_ = header_.padding_length;
  state_ = State::content;
  return {RecordStep::Kind::header, {}};
}

RecordStep RecordDecoder::next_content(base::Bytes& input) noexcept {
  if (content_left_ == 0) {
    // At once, so that the next record may be taken whole.
    skip_padding(input);
    return {RecordStep::Kind::end, {}};
  }
  if (input.empty()) return {};
  const base::Bytes piece = take(input, std::min<std::size_t>(content_left_, input.size()));
  content_left_ -= static_cast<std::uint32_t>(piece.size());
  return {RecordStep::Kind::content, piece};
}

void RecordDecoder::skip_padding(base::Bytes& input) noexcept {
  const auto skipped = std::min<std::size_t>(padding_left_, input.size());
  take(input, skipped);
  padding_left_ -= static_cast<std::uint32_t>(skipped);
  state_ = padding_left_ == 0 ? State::header : State::padding;
}

std::size_t RecordDecoder::bytes_to_boundary() const noexcept {
  switch (state_) {
    case State::header:
      return held_ == 0 ? 0 : RecordHeader::wire_size - held_;
    case State::content:
    case State::padding:
      return std::size_t{content_left_} + padding_left_;
    case State::wrong_version:
      break;
  }
  return 0;
}

}  // namespace trivet::protocol
