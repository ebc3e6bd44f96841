#include "runtime/cli/bench/request_image.hpp"

#include <algorithm>
#include <cassert>
#include <string_view>

#include "runtime/protocol/encoder.hpp"

namespace trivet::cli::bench {
namespace {

using protocol::RecordHeader;
using protocol::RecordType;

constexpr std::size_t record_content = 32768;  ///< What nginx makes of a body; a multiple of eight.
constexpr std::size_t full_record = RecordHeader::wire_size + record_content;
/// Body and data up to here are part of the start.
constexpr std::size_t small = 16384;
constexpr std::array<std::uint8_t, 8> zeros{};

constexpr std::size_t padding_of(std::size_t content) noexcept { return (8 - content % 8) % 8; }

RecordHeader header_of(RecordType type, std::uint16_t id, std::size_t content) {
  return {static_cast<std::uint8_t>(type), id, static_cast<std::uint16_t>(content),
          static_cast<std::uint8_t>(padding_of(content))};
}

/// Lines of words: filters of texts have something to do.
std::vector<std::uint8_t> some_text() {
  constexpr std::string_view line = "Pack my box with five dozen liquor jugs, and send it by road.\n";
  std::vector<std::uint8_t> text(record_content);
  for (std::size_t at = 0; at < text.size(); ++at)
    text[at] = static_cast<std::uint8_t>(line[at % line.size()]);
  return text;
}

/// Lays pieces one after the other, leaving out the first `skip` bytes of all.
class Pieces {
 public:
  Pieces(std::span<iovec> places, std::uint64_t skip) : places_(places), skip_(skip) {}

  void add(const std::uint8_t* bytes, std::size_t size) {
    if (skip_ >= size) {
      skip_ -= size;
      return;
    }
    if (full()) return;
    // The kernel's type has no const; writing from it changes nothing.
    places_[used_++] = {const_cast<std::uint8_t*>(bytes + skip_),
                        size - static_cast<std::size_t>(skip_)};  // NOLINT
    skip_ = 0;
  }
  void skip(std::uint64_t size) noexcept { skip_ -= size; }
  [[nodiscard]] std::uint64_t to_skip() const noexcept { return skip_; }
  [[nodiscard]] bool full() const noexcept { return used_ == places_.size(); }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

 private:
  std::span<iovec> places_;
  std::uint64_t skip_;
  std::size_t used_ = 0;
};

}  // namespace

std::uint64_t RequestImage::Stream::size() const noexcept {
  const std::size_t last = rest == 0 ? 0 : RecordHeader::wire_size + rest + padding_of(rest);
  return full * full_record + last + RecordHeader::wire_size;
}

RequestImage::RequestImage(const What& what) : text_(some_text()) {
  constexpr std::uint16_t any_id = 1;
  protocol::append_begin_request(start_, any_id, static_cast<std::uint16_t>(what.role), what.keep_connection);
  base::Buffer pairs;
  for (const auto& [name, value] : what.params) protocol::append_pair(pairs, name, value);
  protocol::append_stream(start_, RecordType::params, any_id, pairs.bytes());
  protocol::append_stream_end(start_, RecordType::params, any_id);
  if (what.role != protocol::Role::authorizer || what.body) {
    add_stream(RecordType::standard_in, what.body.value_or(0));
  }
  if (what.role == protocol::Role::filter) add_stream(RecordType::data, what.data);
  for (const Stream& stream : streams_) bulk_size_ += stream.size();
  for (std::size_t at = 0; at < start_.size();) {
    records_.push_back(at);
    const auto header = protocol::decode(start_.bytes().subspan(at).first<RecordHeader::wire_size>());
    assert(header);
    at += RecordHeader::wire_size + header->content_length + header->padding_length;
  }
}

/// To the start if all of it and nothing before it is bulk: order is kept.
void RequestImage::add_stream(RecordType type, std::uint64_t length) {
  constexpr std::uint16_t any_id = 1;
  if (streams_.empty() && length <= small) {
    protocol::append_stream(start_, type, any_id, base::Bytes(text_).first(static_cast<std::size_t>(length)));
    protocol::append_stream_end(start_, type, any_id);
  } else {
    streams_.push_back({type, length / record_content, static_cast<std::size_t>(length % record_content)});
  }
}

void RequestImage::append_start(base::Buffer& out, std::uint16_t id) const {
  const std::size_t before = out.size();
  out.append(start_.bytes());
  std::uint8_t* const image = out.data() + before;
  for (const std::size_t at : records_) {
    image[at + 2] = static_cast<std::uint8_t>(id >> 8U);
    image[at + 3] = static_cast<std::uint8_t>(id & 0xffU);
  }
}

std::size_t RequestImage::gather(std::uint16_t id, std::uint64_t offset, Headers& headers,
                                 std::span<iovec> pieces) const {
  Pieces out(pieces, offset);
  auto next = headers.begin();
  for (const Stream& stream : streams_) {
    const auto header = [&](std::size_t content) -> const std::uint8_t* {
      *next = protocol::encode(header_of(stream.type, id, content));
      return (next++)->data();
    };
    const std::uint8_t* const of_full = header(record_content);
    const std::uint8_t* const of_rest = header(stream.rest);
    const std::uint8_t* const of_end = header(0);
    // Whole records before the offset are not walked over one by one.
    const std::uint64_t passed = std::min(out.to_skip() / full_record, stream.full);
    out.skip(passed * full_record);
    for (std::uint64_t record = passed; record < stream.full && !out.full(); ++record) {
      out.add(of_full, RecordHeader::wire_size);
      out.add(text_.data(), record_content);
    }
    if (stream.rest != 0) {
      out.add(of_rest, RecordHeader::wire_size);
      out.add(text_.data(), stream.rest);
      out.add(zeros.data(), padding_of(stream.rest));
    }
    out.add(of_end, RecordHeader::wire_size);
    if (out.full()) break;
  }
  return out.used();
}

}  // namespace trivet::cli::bench
