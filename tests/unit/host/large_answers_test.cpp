#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "runtime/protocol/record_decoder.hpp"
#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

std::string pattern(std::size_t size, char first = 'a') {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(first + i * 7 % 23);
  return text;
}

/// QUERY_STRING is "SIZE BLOCK": as many bytes, in blocks of that size. What a write was given is gone when
/// the write is over.
struct Blocks {
  static constexpr bool never_blocks = true;
  static inline int rooms = 0;
  struct Responder {
    explicit Responder(trivet::Request& request) {
      const std::string_view query = request.param("QUERY_STRING");
      const std::size_t space = query.find(' ');
      std::size_t size = 0;
      std::from_chars(query.data(), query.data() + space, size);
      std::from_chars(query.data() + space + 1, query.data() + query.size(), block);
      all = pattern(size, request.param("REQUEST_URI").ends_with("upper") ? 'A' : 'a');
    }
    bool room(trivet::Response& out) {
      ++rooms;
      std::string borrowed = all.substr(at, block);
      at += borrowed.size();
      out << borrowed;
      std::fill(borrowed.begin(), borrowed.end(), '!');
      return at == all.size();
    }
    std::string all;
    std::size_t block = 0;
    std::size_t at = 0;
  };
};

/// Takes a little of each write, as chance will have it.
class SlowPeer final : public Faults {
 public:
  explicit SlowPeer(std::size_t most, std::uint32_t seed = 1) : most_(most), random_(seed) {}
  Fault on_read() noexcept override { return {}; }
  Fault on_write() noexcept override {
    ++writes;
    if (writes == fails_at) return {Fault::Kind::failed, 0};
    if (random_() % 5 == 0) return {Fault::Kind::would_block, 0};
    return {Fault::Kind::none, 1 + random_() % most_};
  }
  int fails_at = -1;
  int writes = 0;

 private:
  std::size_t most_;
  std::minstd_rand random_;
};

class LargeAnswers : public ::testing::Test {
 protected:
  LargeAnswers() {
    Blocks::rooms = 0;
    bench.add<Blocks>("blocks");
    bench.add<Burst>("burst");
    bench.add<Upper>("upper");
    bench.route("blocks", "/blocks/**").respond = "blocks";
    bench.route("burst", "/burst").respond = "burst";
    bench.route("one", "/one").filter = {{.plugin = "upper"}};
    bench.route("two", "/two").filter = {{.plugin = "upper"}, {.plugin = "upper"}};
    bench.open();
  }

  static std::string ask(std::size_t size, std::size_t block, std::uint16_t id = 1,
                         const std::string& uri = "/blocks/x") {
    return request(
        uri, {.id = id, .params = {{"QUERY_STRING", std::to_string(size) + " " + std::to_string(block)}}});
  }
  /// All that the host sends to who takes everything at once.
  std::string sent_at_once(const std::string& asked) {
    Bench::Wire& wire = bench.connect();
    wire.send(asked);
    return wire.pipe.from_host;
  }

  Bench bench{log::Level::error};
};

TEST_F(LargeAnswers, LeaveFromWhereTheyLieOneWriteForEachBlock) {
  Bench::Wire& wire = bench.connect();
  wire.pipe.writes.reserve(10);
  wire.send(ask(300000, 100000));
  EXPECT_EQ(wire.answer().body(), pattern(300000));
  EXPECT_EQ(wire.answer().ends, 1);
  ASSERT_EQ(wire.pipe.writes.size(), 4U) << "three blocks, the head with the first, and the end";
  EXPECT_EQ(wire.pipe.writes[1], 100000U + 2 * 8);
}

TEST_F(LargeAnswers, AreTheSameWhereverTheSocketCutsThem) {
  bench.limits.window = 256;
  const std::string asked = ask(1500, 299);
  const std::string whole = sent_at_once(asked);
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    Bench::Wire& wire = bench.connect();
    wire.pipe.accepts = cut;
    wire.send(asked);
    ASSERT_EQ(wire.pipe.from_host, whole.substr(0, cut));
    wire.take(cut);
    wire.take(SIZE_MAX);
    ASSERT_EQ(wire.pipe.from_host, whole) << "cut after " << cut;
    bench.disconnect();
  }
}

TEST_F(LargeAnswers, OfManyRecordsAreTheSameWhereverTheSocketCutsThem) {
  // More than the pieces of one write hold, in one block.
  const std::string asked = ask(900001, 900001);
  const std::string whole = sent_at_once(asked);
  for (std::size_t cut = 1; cut < whole.size(); cut += 65001) {
    Bench::Wire& wire = bench.connect();
    wire.pipe.accepts = cut;
    wire.send(asked);
    ASSERT_EQ(wire.pipe.from_host.size(), cut);
    wire.take(SIZE_MAX);
    ASSERT_TRUE(wire.pipe.from_host == whole) << "cut after " << cut;
    bench.disconnect();
  }
}

TEST_F(LargeAnswers, ReachWhoTakesThemByteByByte) {
  bench.limits.window = 256;
  const std::string asked = ask(3000, 700);
  const std::string whole = sent_at_once(asked);
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 0;
  wire.send(asked);
  for (std::size_t i = 0; i < whole.size(); ++i) wire.take(1);
  EXPECT_EQ(wire.pipe.from_host, whole);
  wire.take(SIZE_MAX);
  EXPECT_EQ(wire.pipe.from_host, whole);
}

TEST_F(LargeAnswers, OfSeveralRequestsShareAConnection) {
  for (const std::size_t block : {500U, 40000U, 70000U}) {
    for (std::uint32_t seed = 1; seed <= 5; ++seed) {
      SlowPeer slow(90000, seed);
      Bench::Wire& wire = bench.connect();
      wire.pipe.faults = &slow;
      wire.send(ask(400000, block, 1) + ask(400000, block, 2, "/blocks/upper") + ask(400000, block, 3));
      EXPECT_EQ(wire.answer(1).body(), pattern(400000)) << block << ' ' << seed;
      EXPECT_EQ(wire.answer(2).body(), pattern(400000, 'A')) << block << ' ' << seed;
      EXPECT_EQ(wire.answer(3).body(), pattern(400000)) << block << ' ' << seed;
      bench.disconnect();
    }
  }
}

TEST_F(LargeAnswers, OnOneConnectionTakeTurns) {
  Bench::Wire& wire = bench.connect();
  wire.send(ask(400000, 65536, 1) + ask(400000, 65536, 2));
  const std::string& sent = wire.pipe.from_host;
  // A quarter of all is sent: each has its part in that.
  protocol::RecordDecoder decoder;
  base::Bytes input = base::as_bytes(sent).first(sent.size() / 4);
  std::size_t of[3] = {};
  for (auto step = decoder.next(input); step.kind != protocol::RecordStep::Kind::more;
       step = decoder.next(input))
    of[decoder.header().request_id] += step.content.size();
  EXPECT_GT(of[1], 60000U);
  EXPECT_GT(of[2], 60000U);
}

TEST_F(LargeAnswers, LeaveOthersTheirTurn) {
  Bench::Wire& wire = bench.connect();
  wire.pipe.to_host = ask(20U << 20U, 65536);
  wire.connection->on_readable();
  // Its peer took everything at once, and the loop has others to look at.
  EXPECT_GT(wire.pipe.from_host.size(), 65536U);
  EXPECT_LT(wire.pipe.from_host.size(), 2U << 20U);
  wire.settle();
  EXPECT_TRUE(wire.answer().body() == pattern(20U << 20U));
}

TEST_F(LargeAnswers, AreNotMadeForWhoIsGone) {
  for (int at = 1; at <= 9; ++at) {
    Blocks::rooms = 0;
    SlowPeer slow(200000);
    slow.fails_at = at;
    Bench::Wire& wire = bench.connect();
    wire.pipe.faults = &slow;
    wire.send(ask(5000000, 65536));
    EXPECT_TRUE(wire.closed()) << at;
    EXPECT_EQ(bench.environment().in_use(), 0U) << at;
    EXPECT_LE(Blocks::rooms, 2 * at + 2) << at;
    bench.disconnect();
  }
}

TEST_F(LargeAnswers, WrittenAtOnceEndWhereThePeerGoes) {
  SlowPeer slow(1000);
  slow.fails_at = 1;
  Bench::Wire& wire = bench.connect();
  wire.pipe.faults = &slow;
  wire.send(request("/burst"));
  EXPECT_TRUE(wire.closed());
  EXPECT_EQ(slow.writes, 1);
}

TEST_F(LargeAnswers, ToHeadAreCountedAndNotSent) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/blocks/x", {.params = {{"REQUEST_METHOD", "HEAD"}, {"QUERY_STRING", "200000 65536"}}}));
  EXPECT_EQ(wire.answer().body(), "");
  EXPECT_EQ(wire.answer().header("Content-Length"), "200000");
}

TEST_F(LargeAnswers, WaitForTheBodyThatNginxStillSends) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/blocks/x", {.params = {{"SERVER_SOFTWARE", "nginx/1.22.1"},
                                             {"QUERY_STRING", "200000 50000"},
                                             {"CONTENT_LENGTH", "5"}},
                                  .body = "12345",
                                  .end_body = false}));
  EXPECT_EQ(wire.pipe.from_host, "");
  wire.send(stream_end(1, 5));
  EXPECT_EQ(wire.answer().body(), pattern(200000));
  EXPECT_EQ(wire.answer().ends, 1);
}

TEST_F(LargeAnswers, ThatComeInOneWriteAreSentWhileTheyAreTaken) {
  for (const std::size_t most : {1000U, 60000U, 250000U}) {
    SlowPeer slow(most);
    Bench::Wire& wire = bench.connect();
    wire.pipe.faults = &slow;
    wire.send(request("/burst"));
    EXPECT_EQ(wire.answer().body(), std::string(200000, 'x')) << most;
    EXPECT_EQ(wire.answer().ends, 1);
  }
}

TEST_F(LargeAnswers, OfFiltersAreWhatTheyMakeOfTheData) {
  const std::string data = pattern(400000);
  std::string upper = data;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string uri : {"/one", "/two"}) {
    for (std::uint32_t seed = 0; seed < 12; ++seed) {
      SlowPeer slow(100000, seed);
      Bench::Wire& wire = bench.connect();
      if (seed != 0) wire.pipe.faults = &slow;
      wire.pipe.read_at_most = 20000 + 7001 * seed;
      wire.send(request(uri, {.role = 3, .data = data}));
      EXPECT_TRUE(wire.answer().body() == upper) << uri << ' ' << seed;
      EXPECT_EQ(wire.answer().ends, 1);
      bench.disconnect();
    }
  }
}

TEST_F(LargeAnswers, OfFiltersGoThroughWithoutBeingKept) {
  Bench::Wire& wire = bench.connect();
  const std::string data(1U << 20U, 'd');
  wire.pipe.to_host = request("/two", {.role = 3, .data = data});
  const std::size_t reads = 4;
  wire.connection->on_readable();
  EXPECT_GE(wire.pipe.from_host.size(), (reads - 1) * 65000) << "what was read is sent in the same turn";
  wire.settle();
  EXPECT_EQ(wire.answer().body().size(), data.size());
  EXPECT_EQ(bench.spools.files, 0U);
}

}  // namespace
}  // namespace trivet::host::testing
