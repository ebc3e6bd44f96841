#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

std::atomic<bool> hangs{false};
std::atomic<bool> hung{false};

void hang(const trivet::Request* request) {
  hung = true;
  while (hangs.load() && !(request != nullptr && request->cancelled()))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// The head, a piece of the body, and nothing more.
struct HangsLate {
  void handle(trivet::Request& request, trivet::Response& out) {
    out << "begun";
    out.flush();
    hang(&request);
    out << ", done";
  }
};

/// A filter that hangs in its second piece.
struct HangingFilter {
  void data(std::string_view chunk, trivet::Output& out, bool) {
    if (seen++ > 0) hang(nullptr);
    out << chunk;
  }
  int seen = 0;
};

/// Reads all of the body after it began to answer.
struct AnswersWhileReading {
  void handle(trivet::Request& request, trivet::Response& out) {
    out << "begun";
    out.flush();
    while (const auto chunk = request.read()) out << *chunk;
  }
};

/// Begins to answer, and takes long for each piece of the body, of which more waits already.
struct StoresWhatItReads {
  static inline std::atomic<int> may_take{0};
  static inline std::atomic<int> took{0};
  void handle(trivet::Request& request, trivet::Response& out) {
    out << "begun";
    out.flush();
    while (request.read()) {
      ++took;
      while (may_take.load() < took.load() && !request.cancelled())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    out << ", stored";
  }
};

/// Waits with its thread for the peer to take it.
struct WritesMuch {
  static constexpr std::size_t size = 1000000;
  static inline std::atomic<std::size_t> written{0};
  void handle(trivet::Request&, trivet::Response& out) {
    for (written = 0; written < size; written += 1000) out << std::string(1000, 'x');
  }
};

/// A plugin on a thread that has begun its answer: `stall_time` is the time it has for more.
struct StalledPlugin : ::testing::Test {
  StalledPlugin() {
    hangs = true;
    hung = false;
    WritesMuch::written = 0;
    bench.limits.stall_time = std::chrono::seconds(60);
    bench.add<HangsLate>("late", 1);
    bench.add<AnswersWhileReading>("reader", 1);
    StoresWhatItReads::may_take = StoresWhatItReads::took = 0;
    bench.add<StoresWhatItReads>("stores", 1);
    bench.add<WritesMuch>("much", 1);
    bench.add<HangingFilter>("filter", 1);
    bench.add<LoopEcho>("echo");
    bench.route("late", "/late").respond = "late";
    bench.route("stores", "/stores").respond = "stores";
    bench.route("much", "/much").respond = "much";
    bench.route("reader", "/reader").respond = "reader";
    config::Route& filtered = bench.route("filtered", "/filtered");
    filtered.respond = "echo";
    filtered.filter.push_back({.plugin = "filter"});
    bench.open();
  }
  ~StalledPlugin() override {
    hangs = false;
    bench.disconnect();
    bench.loop.wait_until([&] { return bench.environment().in_use() == 0; });
  }
  /// What threads do is not always posted.
  template <class Done>
  bool eventually(Done done) {
    const auto give_up = base::Clock::now() + std::chrono::seconds(20);
    for (; !done(); std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      if (base::Clock::now() > give_up) return false;
      bench.loop.run_posted();
    }
    return true;
  }
  void expect_begun(Bench::Wire& wire, std::string_view body) {
    (void)eventually([&] {
      bench.loop.advance(std::chrono::milliseconds(1));
      wire.settle();
      return wire.answer().body() == body;
    });
    ASSERT_EQ(wire.answer().body(), body);
  }

  Bench bench;
};

TEST_F(StalledPlugin, ThatGivesNoMoreIsCutOffAfterStallTimeAndItsThreadIsToldSo) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/late"));
  expect_begun(wire, "begun");
  ASSERT_TRUE(eventually([] { return hung.load(); }));
  bench.loop.advance(std::chrono::seconds(59));
  EXPECT_FALSE(wire.closed()) << "its own timeout is over by far, but its head is out";
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_TRUE(wire.closed()) << "an answer that is cut is never ended as complete";
  EXPECT_EQ(wire.answer().ends, 0);
  EXPECT_EQ(bench.log.count("gave no more of its answer for stall_time"), 1U);
  EXPECT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; })) << "it was cancelled";
}

TEST_F(StalledPlugin, IsNotToBlameWhileThePeerTakesLittle) {
  Bench::Wire& wire = bench.connect();
  wire.pipe.accepts = 1000;
  wire.send(request("/much"));
  const auto waits_for_the_peer = [&] {
    wire.settle();
    const std::size_t window = bench.limits.window;
    return WritesMuch::written >= WritesMuch::size ||
           (wire.pipe.accepts == 0 && WritesMuch::written + 2000 > wire.pipe.from_host.size() + 2 * window);
  };
  for (std::size_t taken = 0; taken <= WritesMuch::size; taken += 100000) {
    ASSERT_TRUE(eventually(waits_for_the_peer)) << WritesMuch::written - wire.pipe.from_host.size();
    bench.loop.advance(std::chrono::seconds(50));
    wire.take(100000);
    ASSERT_FALSE(wire.closed()) << taken;
  }
  wire.take(100000);
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body().size(), WritesMuch::size);
  EXPECT_EQ(bench.log.count("gave no more"), 0U);
}

TEST_F(StalledPlugin, IsNotToBlameWhileItReadsWhatThePeerStillOwes) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/reader", {.params = {{"REQUEST_METHOD", "POST"}},
                                .without = {"CONTENT_LENGTH"},
                                .body = "one ",
                                .end_body = false}));
  std::string expected = "begunone ";
  expect_begun(wire, expected);
  for (int i = 0; i < 5; ++i) {
    bench.loop.advance(std::chrono::seconds(50));
    wire.send(stream(1, 5, "more "));
    expect_begun(wire, expected += "more ");
  }
  wire.send(stream_end(1, 5));
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), expected);
}

TEST_F(StalledPlugin, IsNotToBlameWhileItTakesOnePieceOfTheBodyAfterTheOther) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/stores", {.params = {{"REQUEST_METHOD", "POST"}},
                                .without = {"CONTENT_LENGTH"},
                                .body = "one ",
                                .end_body = false}));
  expect_begun(wire, "begun");
  for (int i = 1; i <= 5; ++i) {
    ASSERT_TRUE(eventually([&] { return StoresWhatItReads::took.load() == i; }));
    wire.send(stream(1, 5, "more "));  // It never waits for the next.
    bench.loop.advance(std::chrono::seconds(50));
    ASSERT_FALSE(wire.closed()) << i;
    StoresWhatItReads::may_take = i;
  }
  StoresWhatItReads::may_take = 100;
  wire.send(stream_end(1, 5));
  ASSERT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), "begun, stored");
}

TEST_F(StalledPlugin, MayBeAFilter) {
  Bench::Wire& wire = bench.connect();
  wire.send(request("/filtered", {.params = {{"REQUEST_METHOD", "POST"}},
                                  .without = {"CONTENT_LENGTH"},
                                  .body = "one",
                                  .end_body = false}));
  expect_begun(wire, "one");
  wire.send(stream(1, 5, "two") + stream_end(1, 5));
  ASSERT_TRUE(eventually([] { return hung.load(); }));
  bench.loop.advance(std::chrono::seconds(59));
  EXPECT_FALSE(wire.closed());
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_TRUE(wire.closed());
  EXPECT_EQ(bench.log.count("gave no more of its answer for stall_time"), 1U);
}

}  // namespace
}  // namespace trivet::host::testing
