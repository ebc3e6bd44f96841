#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "runtime/source/files.hpp"
#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"
#include "tests/unit/source/tree.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}  // namespace

// GCC takes the replaced operators, once inlined, for a mismatch of malloc and delete.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace trivet::host::testing {
namespace {

/// Requests over one kept connection, and what they allocate once everything has been used once.
std::size_t allocated_by(Bench& bench, const std::string& one, int requests) {
  Bench::Wire& wire = bench.connect();
  wire.pipe.to_host.reserve(2 * one.size());
  wire.pipe.from_host.reserve(4096);
  const auto ask = [&] {
    wire.pipe.from_host.clear();
    wire.send(one);
  };
  for (int i = 0; i < 10; ++i) ask();
  EXPECT_EQ(wire.answer().ends, 1);
  const std::size_t before = allocations;
  for (int i = 0; i < requests; ++i) ask();
  return allocations - before;
}

Names usual_parameters() {
  Names names;
  for (int i = 0; i < 30; ++i) names.emplace_back("HTTP_X_HEADER_" + std::to_string(i), std::string(25, 'v'));
  names.emplace_back("HTTP_X_KEY", "good");
  return names;
}

TEST(Allocation, AResponderOnTheLoopAllocatesNothingPerRequest) {
  Bench bench;
  bench.add<Hello>("hello");
  bench.route("hello", "/hello/**").respond = "hello";
  bench.open();
  EXPECT_EQ(allocated_by(bench, request("/hello/there?x=1", {.params = usual_parameters()}), 1000), 0U);
}

struct GivesOn {
  static constexpr bool never_blocks = true;
  void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk; }
};

TEST(Allocation, AChainOfFiltersOnTheLoopAllocatesNothingPerRequest) {
  Bench bench;
  bench.add<Hello>("hello");
  bench.add<GivesOn>("gives_on");
  auto& route = bench.route("hello", "/hello/**");
  route.respond = "hello";
  for (int i = 0; i < 3; ++i) route.filter.push_back({.plugin = "gives_on"});
  bench.open();
  EXPECT_EQ(allocated_by(bench, request("/hello/x", {.params = usual_parameters()}), 1000), 0U);
}

/// Without the SDK, whose verdicts are values on the heap: what the host itself does.
trivet_status allow_check(void*, trivet_request* request);
const trivet_host* host_of_gate = nullptr;
trivet_status create_gate(const trivet_host* host, const trivet_settings*, void** self) {
  host_of_gate = host;
  *self = nullptr;
  return TRIVET_OK;
}
void destroy_gate(void*) {}
trivet_status allow_check(void*, trivet_request* request) {
  host_of_gate->set_variable(request, {"REMOTE_USER", 11}, {"ann", 3});
  return host_of_gate->allow(request);
}
constexpr trivet_authorizer gate_hooks = {sizeof(trivet_authorizer), allow_check};
constexpr trivet_plugin gate = {TRIVET_ABI_MAGIC, sizeof(trivet_plugin), TRIVET_ABI_MAJOR,
                                TRIVET_ABI_MINOR, TRIVET_NEVER_BLOCKS,   {"test", 4},
                                {"1.0.0", 5},     create_gate,           destroy_gate,
                                nullptr,          &gate_hooks,           nullptr};

TEST(Allocation, AnAuthorizerOnTheLoopAllocatesNothingPerRequest) {
  Bench bench;
  bench.add_entry("gate", gate, 0, std::nullopt, 1);
  auto& route = bench.route("secret", "/secret/**");
  route.authorize.emplace_back().plugin = "gate";
  route.variables = {"REMOTE_USER"};
  bench.open();
  EXPECT_EQ(allocated_by(bench, request("/secret/x", {.role = 2, .params = usual_parameters()}), 1000), 0U);
}

TEST(Allocation, ARememberedVerdictInAGroupAllocatesNothingPerRequest) {
  static int calls = 0;
  static constexpr trivet_authorizer hooks = {sizeof(trivet_authorizer),
                                              [](void*, trivet_request* request) -> trivet_status {
                                                ++calls;
                                                trivet_text ignored{};
                                                host_of_gate->param(request, {"HTTP_X_KEY", 10}, &ignored);
                                                host_of_gate->param(request, {"HTTP_X_ABSENT", 13}, &ignored);
                                                return allow_check(nullptr, request);
                                              }};
  static constexpr trivet_plugin looks = [] {
    trivet_plugin plugin = gate;
    plugin.authorizer = &hooks;
    return plugin;
  }();
  Bench bench;
  bench.add_entry("looks", looks, 0, std::nullopt, 1);
  auto& route = bench.route("secret", "/secret/**");
  config::Guard guard;
  guard.plugin = "looks";
  guard.cache.emplace();
  config::Guard closed;
  closed.plugin = "deny";
  config::Guard group;
  group.kind = config::Guard::Kind::any;
  group.guards = {closed, guard};
  route.authorize = {group};
  route.variables = {"REMOTE_USER"};
  bench.open();
  EXPECT_EQ(allocated_by(bench, request("/secret/x", {.role = 2, .params = usual_parameters()}), 1000), 0U);
  EXPECT_EQ(calls, 1);
}

TEST(Allocation, ARequestCutIntoPiecesAllocatesNothingEither) {
  Bench bench;
  bench.add<Hello>("hello");
  bench.route("hello", "/hello/**").respond = "hello";
  bench.open();
  const std::string whole = request("/hello/x", {.params = usual_parameters()});
  Bench::Wire& wire = bench.connect();
  wire.pipe.from_host.reserve(4096);
  wire.pipe.to_host.reserve(whole.size());
  const auto ask = [&] {
    wire.pipe.from_host.clear();
    for (std::size_t at = 0; at < whole.size(); at += 100) wire.send(std::string_view(whole).substr(at, 100));
  };
  for (int i = 0; i < 10; ++i) ask();
  const std::size_t before = allocations;
  for (int i = 0; i < 100; ++i) ask();
  EXPECT_EQ(allocations - before, 0U);
}

/// More than the pool of requests keeps: they are answered one after the other.
TEST(Allocation, ManyRequestsInOneReadAllocateForTheirIdsAlone) {
  Bench bench;
  bench.add<Hello>("hello");
  bench.route("hello", "/hello/**").respond = "hello";
  bench.open();
  constexpr unsigned most = 400;
  std::string all;
  for (unsigned id = 1; id <= most; ++id) all += request("/hello/x", {.id = static_cast<std::uint16_t>(id)});
  Bench::Wire& wire = bench.connect();
  wire.pipe.to_host.reserve(2 * all.size());
  wire.pipe.from_host.reserve(most * 256U);
  const auto ask = [&] {
    wire.pipe.from_host.clear();
    const std::size_t before = allocations;
    wire.send(all);
    return allocations - before;
  };
  for (int i = 0; i < 3; ++i) ask();
  EXPECT_LT(ask(), 30U);
  for (unsigned id = 1; id <= most; ++id)
    EXPECT_EQ(wire.answer(static_cast<std::uint16_t>(id)).ends, 1) << id;
}

/// A request for a file opens it, which may allocate: but once, however long the file is.
TEST(Allocation, AFileAllocatesNothingPerPiece) {
  const source::testing::Tree tree;
  tree.write("small", std::string(200'000, 'x'));
  tree.write("large", std::string(6'000'000, 'x'));
  auto disk = source::Disk::start(1, 10);
  auto types = std::make_shared<source::MediaTypes>(source::MediaTypes::parse(""));
  Bench bench;
  bench.make_source = [&](const config::Route& route) {
    return std::make_unique<source::Files>(route, *disk, types);
  };
  config::Route& route = bench.route("files", "/**");
  route.files.emplace();
  route.files->root = tree.path();
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.pipe.from_host.reserve(8'000'000);
  const std::string small = request("/small");
  const std::string large = request("/large");
  const auto ask = [&](const std::string& one) {
    wire.pipe.from_host.clear();
    const std::size_t before = allocations;
    wire.send(one);
    return allocations - before;
  };
  for (int i = 0; i < 3; ++i) {
    for (const std::string& each : {small, large}) {
      ask(each);
      ASSERT_TRUE(wire.wait());
    }
  }
  const std::size_t of_small = ask(small);
  if (wire.answer().ends != 1) GTEST_SKIP() << "the temporary folder is on no file system of this machine";
  EXPECT_EQ(ask(large), of_small);
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(wire.answer().body().size(), 6'000'000U);
}

}  // namespace
}  // namespace trivet::host::testing
