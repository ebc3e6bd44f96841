#include "runtime/source/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"
#include "tests/unit/source/by_hand.hpp"
#include "tests/unit/source/tree.hpp"

namespace trivet::host::testing {
namespace {

/// Files as the web server sees them: all of the host but its sockets.
class FilesOfAHost : public ::testing::Test {
 protected:
  FilesOfAHost() {
    disk_ = source::Disk::start(2, 100);
    bench_.make_source = [this](const config::Route& route) {
      return std::make_unique<source::Files>(
          route, *disk_, std::make_shared<source::MediaTypes>(source::MediaTypes::parse("")));
    };
    const timespec old[2] = {{1'600'000'000, 0}, {1'600'000'000, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, tree_.write("a.txt", "0123456789").c_str(), old, 0), 0);
  }

  config::Route& files(const std::string& name, const std::string& path) {
    config::Route& route = bench_.route(name, path);
    route.files.emplace();
    route.files->root = tree_.path();
    return route;
  }
  Answer ask(const std::string& uri, const Ask& how = {}) {
    Bench::Wire& wire = bench_.connect();
    wire.send(request(uri, how));
    EXPECT_TRUE(wire.wait(how.id));
    return wire.answer(how.id);
  }

  source::testing::Tree tree_;
  std::unique_ptr<source::Disk> disk_;
  Bench bench_;
};

TEST_F(FilesOfAHost, AreSentWithTheirLength) {
  files("files", "/files/**");
  bench_.open();
  const Answer answer = ask("/files/a.txt");
  EXPECT_EQ(answer.status(), 200);
  EXPECT_EQ(answer.header("Content-Length"), "10");
  EXPECT_EQ(answer.body(), "0123456789");
  EXPECT_TRUE(answer.out_ended);
}

TEST_F(FilesOfAHost, HaveTheHeadOfGetForHead) {
  files("files", "/files/**");
  bench_.open();
  const Answer get = ask("/files/a.txt");
  const Answer head = ask("/files/a.txt", {.params = {{"REQUEST_METHOD", "HEAD"}}});
  EXPECT_EQ(head.head(), get.head());
  EXPECT_EQ(head.body(), "");
}

TEST_F(FilesOfAHost, HaveNeitherTypeNorLengthWhereTheyHaveNotChanged) {
  files("files", "/files/**");
  bench_.open();
  const Answer answer = ask("/files/a.txt", {.params = {{"HTTP_IF_NONE_MATCH", "*"}}});
  EXPECT_EQ(answer.status(), 304);
  EXPECT_EQ(answer.header("Content-Type"), "");
  EXPECT_EQ(answer.header("Content-Length"), "");
  EXPECT_EQ(answer.body(), "");
}

/// The request before, in the same place in memory, had a path.
TEST_F(FilesOfAHost, AreNotThoseOfARequestBefore) {
  files("files", "/files/**");
  bench_.open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask("/files/a.txt").status(), 200);
    EXPECT_EQ(ask("/files/a.txt", {.params = {{"TRIVET_ROUTE", "files"}},
                                   .without = {"REQUEST_URI", "SCRIPT_NAME", "PATH_INFO"}})
                  .status(),
              404);
  }
}

TEST_F(FilesOfAHost, OfARouteThatIsNamedAreItsOwn) {
  files("files", "/files/**");
  bench_.route("private", "/private/**").authorize.emplace_back().plugin = "deny";
  bench_.open();
  EXPECT_EQ(ask("/private/a.txt", {.params = {{"TRIVET_ROUTE", "files"}}}).status(), 404);
  EXPECT_EQ(ask("/files/a.txt", {.params = {{"TRIVET_ROUTE", "files"}}}).status(), 200);
}

TEST_F(FilesOfAHost, AreBehindTheGuardsOfTheirRoute) {
  files("files", "/files/**").authorize.emplace_back().plugin = "deny";
  bench_.open();
  const Answer answer = ask("/files/a.txt");
  EXPECT_EQ(answer.status(), 403);
  EXPECT_EQ(answer.out.find("0123456789"), std::string::npos);
}

/// The end of an answer that is not whole is not that of one that is (FastCGI 1.0, 6.2).
TEST_F(FilesOfAHost, ThatBecomeShorterAreNoWholeAnswer) {
  const std::string path = tree_.write("long", std::string(1'000'000, 'x'));
  files("files", "/files/**");
  bench_.open();
  Bench::Wire& wire = bench_.connect();
  wire.pipe.accepts = 300'000;
  wire.send(request("/files/long"));
  ASSERT_TRUE(bench_.loop.wait_until([&] {
    wire.settle();
    return wire.pipe.from_host.size() >= 300'000;
  }));
  ASSERT_EQ(::truncate(path.c_str(), 500'000), 0);
  wire.take(SIZE_MAX);
  ASSERT_TRUE(bench_.loop.wait_until([&] {
    wire.settle();
    return wire.closed();
  }));
  EXPECT_EQ(wire.answer().status(), 200);
  EXPECT_EQ(wire.answer().ends, 0);
  EXPECT_FALSE(wire.answer().out_ended);
  EXPECT_TRUE(bench_.log.contains("became shorter while it was sent"));
}

/// A disk that does not answer: the route's timeout ends the request, and the thread may come back when it
/// likes.
TEST_F(FilesOfAHost, OnADiskThatHangsEndWithTheTimeoutOfTheRoute) {
  auto workers = std::make_unique<source::testing::WorkersByHand>();
  source::testing::WorkersByHand& hung = *workers;
  hung.stuck = true;
  disk_ = std::make_unique<source::Disk>(std::move(workers), 1, 10);
  files("files", "/files/**");
  bench_.open();
  Bench::Wire& wire = bench_.connect();
  wire.send(request("/files/a.txt"));
  bench_.loop.advance(std::chrono::seconds(29));
  EXPECT_EQ(wire.answer().ends, 0);
  bench_.loop.advance(std::chrono::seconds(2));
  wire.settle();
  EXPECT_EQ(wire.answer().status(), 504);
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(bench_.environment().in_use(), 1U);  // The thread has what it works on.
  EXPECT_TRUE(hung.run_one());
  bench_.loop.run_posted();
  wire.settle();
  EXPECT_EQ(bench_.environment().in_use(), 0U);
  bench_.disconnect();
}

TEST_F(FilesOfAHost, AreClosedWhenTheClientGoes) {
  tree_.write("long", std::string(1'000'000, 'x'));
  files("files", "/files/**");
  bench_.open();
  Bench::Wire& wire = bench_.connect();
  wire.pipe.accepts = 300'000;
  wire.send(request("/files/long"));
  ASSERT_TRUE(bench_.loop.wait_until([&] {
    wire.settle();
    return wire.pipe.from_host.size() >= 300'000;
  }));
  wire.end(true);
  EXPECT_TRUE(bench_.loop.wait_until([&] { return bench_.environment().in_use() == 0; }));
}

}  // namespace
}  // namespace trivet::host::testing
