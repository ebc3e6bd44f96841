#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

/// Every key of [limits], met from both sides: what just fits is served, what is one more is not.
/// `connections` needs real sockets: tests/interop/direct/peers.py.
namespace trivet::host::testing {
namespace {

using std::chrono::milliseconds;

/// As many header fields, or bytes of one, as QUERY_STRING says.
struct Fields {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    const std::string_view query = request.param("QUERY_STRING");
    const std::size_t number = std::stoul(std::string(query.substr(1)));
    if (query.front() == 'f') {
      for (std::size_t i = 0; i < number; ++i) out.header("X-" + std::to_string(i), "v");
    } else {
      out.header("X", std::string(number, 'v'));
    }
    out << "x";
  }
};

class Limits : public ::testing::Test {
 protected:
  Limits() {
    bench.add<LoopEcho>("loop-echo");
    bench.add<Pour>("pour");
    bench.add<Fields>("fields");
    bench.add<Upper>("upper");
    bench.add<SlowGate>("slow", 1, std::nullopt, 10);
    for (const char* name : {"loop-echo", "pour", "fields"}) {
      bench.route(name, "/" + std::string(name)).respond = name;
    }
    bench.route("upper", "/upper").filter = {{.plugin = "upper"}};
    auto& parked = bench.route("parked", "/parked");
    config::Guard guard;
    guard.plugin = "slow";
    parked.authorize = {guard};
    parked.respond = "loop-echo";
    SlowGate::hold = false;
    SlowGate::entered = 0;
  }
  ~Limits() override { SlowGate::hold = false; }

  Answer ask(const std::string& uri, const Ask& with = {}) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait(with.id);
    return wire.answer(with.id);
  }

  /// Bytes of PARAMS of a request with these.
  static std::size_t params_bytes(const std::string& uri, const Ask& with) {
    Ask bare = with;
    bare.end_params = false;
    bare.end_body = false;
    const std::string bytes = request(uri, bare);
    std::size_t sum = 0;
    for (std::size_t at = 0; at + 8 <= bytes.size();) {
      const auto byte = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + i]));
      };
      const std::size_t length = byte(4) * 256 + byte(5);
      if (byte(1) == 4) sum += length;
      at += 8 + length + byte(6);
    }
    return sum;
  }

  Bench bench;
};

TEST_F(Limits, ParamsBytes) {
  const Ask with{.params = {{"HTTP_X", std::string(1000, 'x')}}};
  bench.limits.params_bytes = params_bytes("/loop-echo", with);
  bench.open();
  EXPECT_EQ(ask("/loop-echo", with).status(), 200);
  EXPECT_EQ(ask("/loop-echo", {.params = {{"HTTP_X", std::string(1001, 'x')}}}).status(), 431);
}

TEST_F(Limits, ParamsCount) {
  bench.open();
  // How many a plain request has, by trying.
  std::size_t usual = 1;
  for (bench.limits.params_count = usual; ask("/loop-echo").status() == 431;
       bench.limits.params_count = ++usual) {
    ASSERT_LT(usual, 100U);
  }
  EXPECT_EQ(ask("/loop-echo", {.params = {{"HTTP_X", "1"}}}).status(), 431);
  bench.limits.params_count = usual + 1;
  EXPECT_EQ(ask("/loop-echo", {.params = {{"HTTP_X", "1"}}}).status(), 200);
}

TEST_F(Limits, BodyBytes) {
  bench.limits.body_bytes = 1000;
  bench.open();
  for (const bool announced : {false, true}) {
    const auto with = [&](std::size_t n) {
      Ask made{.body = std::string(n, 'b')};
      made.params = {{"CONTENT_LENGTH", announced ? std::to_string(n) : ""}};
      return made;
    };
    EXPECT_EQ(ask("/loop-echo", with(1000)).body().size(), 1000U);
    EXPECT_EQ(ask("/loop-echo", with(1001)).status(), 413);
  }
}

TEST_F(Limits, DataBytes) {
  bench.limits.data_bytes = 1000;
  bench.open();
  EXPECT_EQ(ask("/upper", {.role = 3, .data = std::string(1000, 'd')}).body(), std::string(1000, 'D'));
  EXPECT_EQ(ask("/upper", {.role = 3, .data = std::string(1001, 'd')}).status(), 413);
}

TEST_F(Limits, HeadFields) {
  bench.limits.head_fields = 10;
  bench.open();
  // Status, Content-Type and Content-Length are the host's three.
  EXPECT_EQ(ask("/fields", {.params = {{"QUERY_STRING", "f7"}}}).status(), 200);
  EXPECT_EQ(ask("/fields", {.params = {{"QUERY_STRING", "f8"}}}).status(), 500);
}

TEST_F(Limits, HeadBytes) {
  bench.limits.head_bytes = 1000;
  bench.open();
  const Answer small = ask("/fields", {.params = {{"QUERY_STRING", "b100"}}});
  ASSERT_EQ(small.status(), 200);
  const std::size_t fits = 100 + 1000 - (small.out.find("\r\n\r\n") + 4);
  EXPECT_EQ(ask("/fields", {.params = {{"QUERY_STRING", "b" + std::to_string(fits)}}}).status(), 200);
  EXPECT_EQ(ask("/fields", {.params = {{"QUERY_STRING", "b" + std::to_string(fits + 1)}}}).status(), 500);
}

TEST_F(Limits, ConcurrentPerConnection) {
  bench.limits.concurrent_per_connection = 3;
  bench.open();
  Bench::Wire& wire = bench.connect();
  for (std::uint16_t id = 1; id <= 4; ++id) wire.send(request("/loop-echo", {.id = id, .end_body = false}));
  for (std::uint16_t id = 1; id <= 3; ++id) EXPECT_EQ(wire.answer(id).ends, 0) << id;
  EXPECT_EQ(wire.answer(4).status(), 503);
}

TEST_F(Limits, Window) {
  bench.limits.window = 8192;
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 0;
  wire.send(request("/pour", {.params = {{"QUERY_STRING", "1000000"}}}));
  std::size_t taken = 0;
  // Whatever the peer takes, no more than a window and one call's output waits for it.
  for (int i = 0; i < 200; ++i) {
    wire.take(4096);
    taken += 4096;
    EXPECT_LE(wire.pipe.from_host.size(), taken);
  }
  EXPECT_EQ(wire.answer().ends, 0);
  wire.take(1U << 20U);
  EXPECT_EQ(wire.answer().body().size(), 1000000U);
}

TEST_F(Limits, SpoolMemoryThenSpoolBytes) {
  bench.limits.spool_memory = 2000;
  bench.spools.bound = 3000;
  bench.open();
  SlowGate::hold = true;
  // Its guard is being asked, so that all of the body has to be kept.
  const auto kept = [&](std::size_t n) -> Bench::Wire& {
    Bench::Wire& wire = bench.connect();
    wire.send(request("/parked", {.id = 1, .params = {{"CONTENT_LENGTH", ""}}, .body = std::string(n, 'b')}));
    wire.send(request("/loop-echo", {.id = 2}));
    return wire;
  };
  Bench::Wire& in_memory = kept(2000);
  EXPECT_EQ(bench.spools.files, 0U);
  Bench::Wire& in_a_file = kept(3000);
  EXPECT_EQ(bench.spools.files, 1U);
  Bench::Wire& too_much = kept(6000);
  EXPECT_GE(too_much.answer().status(), 413);
  SlowGate::hold = false;
  ASSERT_TRUE(in_memory.wait());
  ASSERT_TRUE(in_a_file.wait());
  EXPECT_EQ(in_memory.answer().body(), std::string(2000, 'b'));
  EXPECT_EQ(in_a_file.answer().body(), std::string(3000, 'b'));
  EXPECT_EQ(bench.spools.used, 0U);
}

TEST_F(Limits, DrainBytes) {
  bench.limits.drain_bytes = 1000;
  bench.open();
  for (const std::size_t extra : {std::size_t{0}, std::size_t{1}}) {
    Bench::Wire& wire = bench.connect();
    wire.send(
        request("/nowhere", {.keep = false, .params = {{"CONTENT_LENGTH", "5000"}}, .end_body = false}));
    EXPECT_EQ(wire.answer().status(), 404);
    ASSERT_FALSE(wire.closed());
    wire.send(std::string(1000 + extra, 'b'));
    EXPECT_EQ(wire.closed(), extra != 0) << extra;
  }
}

TEST_F(Limits, HeaderTime) {
  bench.limits.header_time = milliseconds(5000);
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.end_params = false}));
  bench.loop.advance(milliseconds(4999));
  EXPECT_EQ(wire.pipe.from_host, "");
  bench.loop.advance(milliseconds(1));
  EXPECT_EQ(wire.answer().status(), 408);
}

TEST_F(Limits, StallTime) {
  bench.limits.stall_time = milliseconds(5000);
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo", {.params = {{"CONTENT_LENGTH", "9"}}, .end_body = false}));
  bench.loop.advance(milliseconds(4999));
  wire.send(stream(1, 5, "moved"));
  bench.loop.advance(milliseconds(4999));
  EXPECT_FALSE(wire.closed() || wire.pipe.shut);
  bench.loop.advance(milliseconds(1));
  // Some of the answer is out: what is missing must not look complete, so there is no end.
  EXPECT_TRUE(wire.pipe.shut);
  EXPECT_EQ(wire.answer().ends, 0);
}

TEST_F(Limits, IdleTime) {
  bench.limits.idle_time = milliseconds(5000);
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/loop-echo"));
  bench.loop.advance(milliseconds(4999));
  EXPECT_FALSE(wire.closed());
  bench.loop.advance(milliseconds(1));
  EXPECT_TRUE(wire.closed());
}

}  // namespace
}  // namespace trivet::host::testing
