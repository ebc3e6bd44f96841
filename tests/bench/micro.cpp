// What single parts cost: built where CMake finds Google Benchmark (libbenchmark-dev) and TRIVET_MICRO is ON.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/cgi/params.hpp"
#include "runtime/cgi/request_path.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/cli/bench/params.hpp"
#include "runtime/cli/bench/request_image.hpp"
#include "runtime/log/memory_log.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/name_value.hpp"
#include "runtime/protocol/record_decoder.hpp"
#include "runtime/roles/chain.hpp"
#include "runtime/roles/router.hpp"

namespace {

using namespace trivet;

/// The records of a small request, as nginx sends it.
void decoding_a_request(benchmark::State& state) {
  cli::bench::RequestImage::What what;
  what.params = cli::bench::bench_params({});
  base::Buffer wire;
  cli::bench::RequestImage(what).append_start(wire, 1);
  protocol::RecordDecoder decoder;
  for (auto _ : state) {
    base::Bytes input = wire.bytes();
    protocol::RecordStep step;
    do {
      step = decoder.next(input);
      benchmark::DoNotOptimize(step);
    } while (step.kind != protocol::RecordStep::Kind::more);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * wire.size()));
}
BENCHMARK(decoding_a_request);

base::Buffer some_pairs() {
  base::Buffer pairs;
  for (const auto& [name, value] : cli::bench::bench_params({})) protocol::append_pair(pairs, name, value);
  return pairs;
}

void reading_pairs(benchmark::State& state) {
  const base::Buffer pairs = some_pairs();
  for (auto _ : state) {
    protocol::PairReader reader(pairs.bytes());
    while (const auto pair = reader.next()) benchmark::DoNotOptimize(pair);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * pairs.size()));
}
BENCHMARK(reading_pairs);

void reading_and_settling_params(benchmark::State& state) {
  const base::Buffer pairs = some_pairs();
  cgi::Params params;
  for (auto _ : state) {
    params.reset();
    protocol::PairReader reader(pairs.bytes());
    while (const auto pair = reader.next()) params.add(pair->name, pair->value);
    benchmark::DoNotOptimize(params.settle());
  }
}
BENCHMARK(reading_and_settling_params);

void parsing_a_path(benchmark::State& state) {
  cgi::RequestPath path;
  for (auto _ : state)
    benchmark::DoNotOptimize(path.parse("/shop/items/4711/edit?x=1", cgi::RequestPath::Form::uri));
}
BENCHMARK(parsing_a_path);

/// The last of so many routes matches.
void finding_a_route(benchmark::State& state) {
  std::vector<std::unique_ptr<roles::Route>> routes;
  for (std::int64_t number = 1; number <= state.range(0); ++number) {
    config::Route made;
    made.name = "route-" + std::to_string(number);
    made.path = "/shop/part" + std::to_string(number) + (number % 2 == 0 ? "/**" : "/*/edit");
    routes.push_back(std::make_unique<roles::Route>(made));
  }
  const roles::Router router(std::move(routes));
  cgi::RequestPath path;
  const std::string text = "/shop/part" + std::to_string(state.range(0)) + "/4711/edit";
  if (!path.parse(text, cgi::RequestPath::Form::decoded).empty()) state.SkipWithError("no path");
  roles::Target target;
  target.path = &path;
  target.method = "GET";
  if (router.find(target).route == nullptr) state.SkipWithError("no route matches");
  for (auto _ : state) benchmark::DoNotOptimize(router.find(target));
}
BENCHMARK(finding_a_route)->Arg(1)->Arg(100)->Arg(10'000);

void writing_a_head(benchmark::State& state) {
  cgi::ResponseHead head;
  base::Buffer out;
  for (auto _ : state) {
    head.clear();
    benchmark::DoNotOptimize(head.set("Content-Type", "text/plain"));
    benchmark::DoNotOptimize(head.set("Cache-Control", "no-store"));
    out.clear();
    static_cast<void>(cgi::emit(head, {}, out));
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(writing_a_head);

class StillLoop final : public base::Loop {
 public:
  [[nodiscard]] base::TimePoint now() const noexcept override {
    return base::TimePoint{} + std::chrono::hours(1);
  }
  base::TimerQueue& timers() noexcept override { return timers_; }
  void post(base::Task& /*task*/) noexcept override {}

 private:
  base::TimerQueue timers_;
};

/// A connection that takes everything.
class Drain final : public roles::Peer {
 public:
  base::Buffer& out() noexcept override { return out_; }
  void write(std::uint16_t id, base::Bytes content) override {
    protocol::append_stream(out_, protocol::RecordType::standard_out, id, content);
  }
  [[nodiscard]] bool has_room() const noexcept override { return true; }
  [[nodiscard]] bool shared() const noexcept override { return false; }
  void touch() noexcept override {}
  void on_request_ended(roles::Request& /*request*/, bool /*broken*/) override {}
  [[nodiscard]] std::string_view name() const noexcept override { return {}; }

 private:
  base::Buffer out_;
};

/// A chain from its first call to the last, with the plugin of bench-plugins/ on the loop: without what reads
/// a request, finds its route and sends the answer.
class ChainRun final : private roles::Chain::Owner {
 public:
  ChainRun(bool responds, std::size_t filters)
      : folder_(std::filesystem::temp_directory_path() / "trivet-bench-micro") {
    std::filesystem::create_directories(folder_);
    config::Plugin small;
    small.name = "small";
    small.path = TRIVET_BENCH_PLUGINS "/small.so";
    small.threads = 0;
    auto started = plugin::Plugin::start(small, folder_, log_);
    if (!started) {
      wrong_ = started.error().message;
      return;
    }
    plugin_ = std::move(*started);
    config::Route route;
    route.filter.resize(filters);
    route_ = std::make_unique<roles::Route>(route);
    if (responds) route_->source = plugin_.get();
    route_->filters.assign(filters, plugin_.get());
    for (const auto& [name, value] : cli::bench::bench_params({})) params_.add(name, value);
    static_cast<void>(params_.settle());
    facts_.params = &params_;
    facts_.log = &log_;
    facts_.loop = &loop_;
    facts_.limits = &limits_;
    facts_.window = limits_.window;
  }
  ~ChainRun() override { std::filesystem::remove_all(folder_); }
  ChainRun(const ChainRun&) = delete;
  ChainRun& operator=(const ChainRun&) = delete;

  /// The bytes of `data`, one after the other, go to a filter; a responder has no body.
  void run(std::initializer_list<base::Bytes> data) {
    const roles::StageInput lane = route_->has_source() ? roles::StageInput::body : roles::StageInput::data;
    ended_ = false;
    peer_.out().clear();
    writer_.reset(peer_, loop_, limits_, 1);
    chain_.build(*route_, route_->has_source(), false, facts_, facts_);
    chain_.start();
    for (const base::Bytes bytes : data) chain_.input(lane, bytes);
    chain_.end_input(lane, TRIVET_END_COMPLETE);
    benchmark::DoNotOptimize(peer_.out().data());
    if (!ended_ && wrong_.empty()) wrong_ = "the chain did not end";
    chain_.clear();
  }
  [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

 private:
  void on_chain_failed(roles::StageFailure failure) override { wrong_ = failure.text; }
  void on_chain_ended() override { ended_ = true; }
  void on_chain_progress() override {}

  std::filesystem::path folder_;
  log::MemoryLog log_;
  StillLoop loop_;
  base::Limits limits_;
  Drain peer_;
  cgi::Params params_;
  roles::CallFacts facts_;
  std::unique_ptr<plugin::Plugin> plugin_;
  std::unique_ptr<roles::Route> route_;
  roles::ResponseWriter writer_;
  roles::Chain chain_{*this, writer_};
  std::string wrong_;
  bool ended_ = false;
};

/// A responder that sets one field and writes five bytes.
void calling_a_plugin(benchmark::State& state) {
  ChainRun chain(true, 0);
  for (auto _ : state) {
    if (!chain.wrong().empty()) {
      state.SkipWithError(chain.wrong().c_str());
      break;
    }
    chain.run({});
  }
}
BENCHMARK(calling_a_plugin);

/// 64 KiB through so many filters, in one piece.
void filtering_64_kib(benchmark::State& state) {
  ChainRun chain(false, static_cast<std::size_t>(state.range(0)));
  const std::vector<std::uint8_t> data(65536, 'x');
  for (auto _ : state) {
    if (!chain.wrong().empty()) {
      state.SkipWithError(chain.wrong().c_str());
      break;
    }
    chain.run({base::Bytes(data)});
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * data.size()));
}
BENCHMARK(filtering_64_kib)->Arg(1)->Arg(2);

}  // namespace

BENCHMARK_MAIN();
