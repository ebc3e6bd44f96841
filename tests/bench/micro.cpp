// What single parts cost: built where CMake finds Google Benchmark (libbenchmark-dev) and TRIVET_MICRO is ON.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/cgi/params.hpp"
#include "runtime/cgi/request_path.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/cli/bench/params.hpp"
#include "runtime/cli/bench/request_image.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/name_value.hpp"
#include "runtime/protocol/record_decoder.hpp"
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

}  // namespace

BENCHMARK_MAIN();
