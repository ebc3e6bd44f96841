#include <gtest/gtest.h>

#include <vector>

#include "runtime/cli/bench/request_image.hpp"
#include "runtime/protocol/name_value.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::cli::bench {
namespace {

using protocol::RecordType;
using protocol::Role;

/// All of a request, its bulk gathered in steps of `pieces` of which `taken` bytes are taken.
std::vector<std::uint8_t> wire_of(const RequestImage& image, std::uint16_t id, std::size_t pieces,
                                  std::size_t taken) {
  base::Buffer start;
  image.append_start(start, id);
  std::vector<std::uint8_t> wire(start.bytes().begin(), start.bytes().end());
  for (std::uint64_t offset = 0; offset < image.bulk_size();) {
    RequestImage::Headers headers{};
    std::vector<iovec> places(pieces);
    const std::size_t used = image.gather(id, offset, headers, places);
    EXPECT_GT(used, 0U);
    if (used == 0) return wire;
    std::size_t left = taken;
    for (std::size_t at = 0; at < used && left > 0; ++at) {
      const auto* bytes = static_cast<const std::uint8_t*>(places[at].iov_base);
      const std::size_t size = std::min(left, places[at].iov_len);
      wire.insert(wire.end(), bytes, bytes + size);
      offset += size;
      left -= size;
    }
  }
  return wire;
}

struct Seen {
  std::vector<RecordType> ends;  ///< Streams that ended, in order.
  std::vector<std::uint8_t> begin;
  std::vector<std::uint8_t> params;
  std::uint64_t body = 0;
  std::uint64_t data = 0;
};

Seen read(const std::vector<std::uint8_t>& wire, std::uint16_t id) {
  Seen seen;
  protocol::RecordDecoder decoder;
  base::Bytes input(wire);
  for (;;) {
    const protocol::RecordStep step = decoder.next(input);
    const auto type = static_cast<RecordType>(decoder.header().type);
    if (step.kind == protocol::RecordStep::Kind::more) break;
    EXPECT_NE(step.kind, protocol::RecordStep::Kind::wrong_version);
    if (step.kind == protocol::RecordStep::Kind::wrong_version) break;
    EXPECT_EQ(decoder.header().request_id, id);
    if (step.kind == protocol::RecordStep::Kind::header) {
      EXPECT_EQ((decoder.header().content_length + decoder.header().padding_length) % 8, 0);
      if (decoder.header().content_length == 0) seen.ends.push_back(type);
    }
    if (step.kind != protocol::RecordStep::Kind::content) continue;
    if (type == RecordType::begin_request)
      seen.begin.insert(seen.begin.end(), step.content.begin(), step.content.end());
    if (type == RecordType::params)
      seen.params.insert(seen.params.end(), step.content.begin(), step.content.end());
    if (type == RecordType::standard_in) seen.body += step.content.size();
    if (type == RecordType::data) seen.data += step.content.size();
  }
  EXPECT_TRUE(decoder.at_boundary()) << "all records are whole";
  return seen;
}

RequestImage::What what(Role role, std::optional<std::uint64_t> body, std::uint64_t data) {
  RequestImage::What made;
  made.role = role;
  made.params = {{"REQUEST_METHOD", "GET"}, {"X", std::string(300, 'x')}};
  made.body = body;
  made.data = data;
  return made;
}

TEST(BenchRequestImage, HasTheStreamsOfItsRoleInTheirOrder) {
  constexpr std::uint16_t id = 0x1234;
  const auto streams = [](const RequestImage::What& of) {
    return read(wire_of(RequestImage(of), id, 33, 1000000), id).ends;
  };
  EXPECT_EQ(streams(what(Role::responder, {}, 0)),
            (std::vector{RecordType::params, RecordType::standard_in}));
  EXPECT_EQ(streams(what(Role::authorizer, {}, 0)), (std::vector{RecordType::params}));
  EXPECT_EQ(streams(what(Role::authorizer, 5, 0)),
            (std::vector{RecordType::params, RecordType::standard_in}));
  EXPECT_EQ(streams(what(Role::filter, {}, 0)),
            (std::vector{RecordType::params, RecordType::standard_in, RecordType::data}));
  EXPECT_EQ(streams(what(Role::filter, 100'000, 5)),
            (std::vector{RecordType::params, RecordType::standard_in, RecordType::data}));
}

TEST(BenchRequestImage, SaysRoleKeepingAndParameters) {
  RequestImage::What closing = what(Role::filter, {}, 0);
  closing.keep_connection = false;
  EXPECT_EQ(read(wire_of(RequestImage(closing), 1, 1, 1), 1).begin,
            (std::vector<std::uint8_t>{0, 3, 0, 0, 0, 0, 0, 0}));
  const Seen kept = read(wire_of(RequestImage(what(Role::responder, {}, 0)), 65535, 1, 1), 65535);
  EXPECT_EQ(kept.begin, (std::vector<std::uint8_t>{0, 1, 1, 0, 0, 0, 0, 0}));
  protocol::PairReader pairs(kept.params);
  EXPECT_EQ(pairs.next(), (protocol::Pair{"REQUEST_METHOD", "GET"}));
  EXPECT_EQ(pairs.next()->value.size(), 300U);
  EXPECT_FALSE(pairs.next() || pairs.broken());
}

TEST(BenchRequestImage, CarriesBodiesAndDataOfEverySizeHoweverTheyAreSent) {
  for (const std::uint64_t body :
       {0U, 1U, 7U, 8U, 16383U, 16384U, 16385U, 32767U, 32768U, 32769U, 65536U, 200'003U}) {
    for (const std::uint64_t data : {0U, 16384U, 16385U, 98304U}) {
      const RequestImage image(what(Role::filter, body, data));
      const std::vector<std::uint8_t> whole = wire_of(image, 258, 33, 10'000'000);
      const Seen seen = read(whole, 258);
      EXPECT_EQ(seen.body, body);
      EXPECT_EQ(seen.data, data);
      for (const std::size_t taken : {4099U, 32776U}) {
        EXPECT_EQ(wire_of(image, 258, 1, taken), whole) << body << " and " << data << " by " << taken;
        EXPECT_EQ(wire_of(image, 258, 7, taken), whole) << body << " and " << data << " by " << taken;
      }
    }
  }
}

TEST(BenchRequestImage, CanBeSentByteForByte) {
  const RequestImage image(what(Role::filter, 16385, 16389));
  EXPECT_EQ(wire_of(image, 9, 2, 1), wire_of(image, 9, 33, 1'000'000));
}

TEST(BenchRequestImage, ALargeBodyTakesNoMemoryOfItsSize) {
  const RequestImage image(what(Role::responder, std::uint64_t{1} << 40U, 0));
  EXPECT_LT(image.start_size(), 4096U);
  RequestImage::Headers headers{};
  std::vector<iovec> places(4);
  EXPECT_EQ(image.gather(1, image.bulk_size() - 8, headers, places), 1U);
  EXPECT_EQ(places[0].iov_len, 8U) << "the end of the stream";
}

}  // namespace
}  // namespace trivet::cli::bench
