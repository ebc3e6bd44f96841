#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

/// Writes one digit after the other, each when it is told to, and flushes none.
struct Steps {
  static inline std::atomic<int> told{0};
  static inline std::atomic<int> written{0};
  void handle(trivet::Request& request, trivet::Response& out) {
    for (int i = 1; i <= 6; ++i) {
      while (told.load() < i && !request.cancelled())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      out << static_cast<char>('0' + i);
      written.store(i);
    }
  }
};

class Streaming : public ::testing::TestWithParam<const char*> {
 protected:
  Streaming() {
    Steps::told = Steps::written = 0;
    bench.add<Steps>("steps", 1, std::nullopt);
    bench.add<Upper>("upper");
    bench.add<ThreadUpper>("thread-upper", 1);
    config::Route& route = bench.route("steps", "/**");
    route.respond = "steps";
    const std::string chain = GetParam();
    if (chain != "thread") route.filter.push_back({.plugin = "upper"});
    if (chain == "none") route.filter.clear();
    if (chain == "thread" || chain == "both") route.filter.push_back({.plugin = "thread-upper"});
    bench.open();
  }
  ~Streaming() override {
    Steps::told = 100;
    bench.disconnect();
    bench.loop.wait_until([&] { return bench.environment().in_use() == 0; });
  }

  Bench bench;
};

TEST_P(Streaming, WhatAThreadWritesIsOut20MillisecondsLaterHoweverLongItWaitedBefore) {
  using std::chrono::milliseconds;
  const bool all_here = std::string(GetParam()) == "none" || std::string(GetParam()) == "loop";
  Bench::Wire& wire = bench.connect();
  wire.send(request("/x"));
  std::string expected;
  const auto is_out = [&] {
    wire.settle();
    const Answer answer = wire.answer();
    return answer.status() == 200 && answer.body() == expected;
  };
  for (int i = 1; i <= 5; ++i) {
    bench.loop.advance(milliseconds(i % 2 == 0 ? 1000 : 7));
    Steps::told = i;
    while (Steps::written.load() != i) std::this_thread::yield();
    bench.loop.run_posted();
    expected += static_cast<char>('0' + i);
    bench.loop.advance(milliseconds(20));
    // How long a filter on a thread takes is not the host's to say; after that it holds nothing for longer.
    // Its thread runs in real time, so the loop's clock must not outrun it: the route's time-out would end
    // the request.
    const auto give_up = base::Clock::now() + std::chrono::seconds(20);
    while (!all_here && !is_out() && base::Clock::now() < give_up) {
      std::this_thread::sleep_for(milliseconds(1));
      bench.loop.advance(milliseconds(1));
    }
    ASSERT_TRUE(is_out()) << "step " << i << ": " << wire.answer().body();
  }
}

INSTANTIATE_TEST_SUITE_P(Chains, Streaming, ::testing::Values("none", "loop", "thread", "both"),
                         [](const auto& each) { return std::string(each.param); });

}  // namespace
}  // namespace trivet::host::testing
