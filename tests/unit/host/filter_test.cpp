#include <gtest/gtest.h>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

class Filtering : public ::testing::Test {
 protected:
  Filtering() {
    bench.add<Hello>("hello");
    bench.add<WhoAmI>("who");
    bench.add<Head>("head");
    bench.add<Gate>("gate");
    bench.add<BlockingEcho>("blocking-echo", 1);
    bench.add<Upper>("upper");
    bench.add<ThreadUpper>("thread-upper", 2);
    bench.add<Brackets>("brackets");
    bench.add<BodyFirst>("body-first");
    bench.add<BadFilter>("bad");
    bench.add<ShowParams>("params");
    bench.add<FlushEarly>("flush-early");
    add("upper", {}, {"upper"});
    add("both", {}, {"upper", "brackets"});
    add("threads", {}, {"thread-upper", "thread-upper"});
    add("body", {}, {"upper", "body-first"});
    add("body-only", {}, {"body-first", "upper"});
    add("bad", {}, {"bad"});
    add("hello", "hello", {"upper", "brackets"});
    add("who", "who", {"upper"});
    add("head", "head", {"upper"});
    add("head-alone", "head", {});
    add("params", "params", {"upper"});
    add("params-alone", "params", {});
    add("flush", {}, {"flush-early"});
    add("echo", "blocking-echo", {"thread-upper", "upper"});
    add("plain", "hello", {});
    auto& guarded = add("guarded", {}, {"upper"});
    config::Guard guard;
    guard.plugin = "gate";
    guarded.authorize = {guard};
  }

  config::Route& add(const std::string& name, std::optional<std::string> source,
                     std::vector<std::string> filters) {
    auto& route = bench.route(name, "/" + name + "/**");
    route.respond = std::move(source);
    for (std::string& filter : filters) route.filter.push_back({.plugin = std::move(filter)});
    return route;
  }

  Answer ask(const std::string& uri, Ask with) {
    Bench::Wire& wire = bench.connect();
    wire.send(request(uri, with));
    wire.wait(with.id);
    return wire.answer(with.id);
  }

  Bench bench;
};

TEST_F(Filtering, WithASuspendedPluginAnywhereIsAFailure) {
  bench.open();
  for (const std::string plugin : {"blocking-echo", "thread-upper", "upper"}) {
    bench.find(plugin)->suspend(true);
    const Answer answer = ask("/echo/x", {.params = {{"CONTENT_LENGTH", "4"}}, .body = "some"});
    EXPECT_EQ(answer.status(), 500) << plugin;
    EXPECT_EQ(answer.ends, 1) << plugin;
    EXPECT_TRUE(bench.log.contains("is not called for a while"));
    bench.find(plugin)->suspend(false);
  }
  EXPECT_EQ(ask("/echo/x", {.params = {{"CONTENT_LENGTH", "4"}}, .body = "some"}).body(), "SOME");
}

TEST_F(Filtering, C77_DataComesBackFiltered) {
  bench.open();
  const Answer answer =
      ask("/upper/x", {.role = 3, .params = {{"SCRIPT_FILENAME", "/srv/a.html"}}, .data = "some text"});
  EXPECT_EQ(answer.out,
            "Status: 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 9\r\n\r\nSOME TEXT");
  EXPECT_EQ(answer.ends, 1);
}

TEST_F(Filtering, AChainKeepsTheOrder) {
  bench.open();
  EXPECT_EQ(ask("/both/x", {.role = 3, .data = "abc"}).body(), "[ABC].");
  EXPECT_EQ(ask("/hello/x", {}).body(), "[HELLO\n].");
}

TEST_F(Filtering, FiltersOnThreadsGiveTheSameBytes) {
  bench.open();
  std::string data(1000000, 'a');
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>('a' + i % 26);
  std::string upper = data;
  for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
  EXPECT_EQ(ask("/threads/x", {.role = 3, .data = data}).body(), upper);
  EXPECT_EQ(ask("/echo/x", {.body = data}).body(), upper);
}

TEST_F(Filtering, C78_NothingIsSentBeforeTheBodyHasEnded) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request(
      "/body-only/x",
      {.role = 3, .params = {{"CONTENT_LENGTH", "4"}}, .body = "head", .data = "data", .end_body = false}));
  bench.loop.advance(std::chrono::seconds(1));
  EXPECT_EQ(wire.pipe.from_host, "");
  wire.send(stream_end(1, 5) + stream(1, 8, "data") + stream_end(1, 8));
  EXPECT_EQ(wire.answer().body(), "HEAD|DATA");
}

TEST_F(Filtering, TheBodyGoesToTheFirstFilterThatWantsIt) {
  bench.open();
  EXPECT_EQ(ask("/body/x", {.role = 3, .body = "body", .data = "data"}).body(), "body|DATA");
  EXPECT_EQ(ask("/upper/x", {.role = 3, .body = "nobody wants this", .data = "data"}).body(), "DATA");
}

TEST_F(Filtering, ABodyLargerThanTheWindowReachesAFilterThatOnlyTheDataStarts) {
  bench.limits.window = 4096;
  bench.limits.spool_memory = 2048;
  add("body-third", {}, {"upper", "thread-upper", "body-first"});
  bench.open();
  std::string body;
  for (int i = 0; body.size() < 50000; ++i) body += std::to_string(i) + ",";
  for (const char* path : {"/body/x", "/body-third/x"}) {
    for (const std::size_t data : {4, 50000}) {
      for (const std::size_t read_at_most : {std::size_t{3000}, SIZE_MAX}) {
        Bench::Wire& wire = bench.connect();
        wire.pipe.read_at_most = read_at_most;
        wire.send(request(path, {.role = 3, .body = body, .data = std::string(data, 'd')}));
        EXPECT_TRUE(wire.wait()) << path << data << read_at_most;
        EXPECT_EQ(wire.answer().body(), body + "|" + std::string(data, 'D'));
      }
    }
  }
  EXPECT_EQ(bench.spools.used, 0U);
}

TEST_F(Filtering, ABodyThatWaitsForTheDataTimesOutOnlyWhenTheWebServerStalls) {
  bench.limits.window = 4096;
  add("patient", {}, {"upper", "body-first"}).timeout = std::chrono::seconds(10);
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/patient/x", {.role = 3, .body = std::string(50000, 'b'), .end_data = false}));
  bench.loop.advance(std::chrono::seconds(59));
  EXPECT_EQ(wire.pipe.from_host, "");
  bench.loop.advance(std::chrono::seconds(2));
  EXPECT_EQ(wire.answer().status(), 408);
}

TEST_F(Filtering, ADenialWaitsForTheEndOfTheBodyToo) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/guarded/x", {.role = 3, .body = "b", .end_body = false}));
  EXPECT_EQ(wire.pipe.from_host, "");
  wire.send(stream_end(1, 5));
  EXPECT_EQ(wire.answer().status(), 403);
  Bench::Wire& stalled = bench.connect();
  stalled.send(request("/guarded/x", {.role = 3, .body = "b", .end_body = false}));
  bench.loop.advance(std::chrono::seconds(61));
  EXPECT_EQ(stalled.answer().status(), 403);
  EXPECT_EQ(ask("/guarded/x", {.role = 3, .params = {{"HTTP_X_KEY", "good"}}, .data = "in"}).body(), "IN");
}

TEST_F(Filtering, C81_C82_ShortDataIsNotACleanAnswerAndSurplusIsDropped) {
  bench.open();
  const Answer shorter = ask("/upper/x", {.role = 3, .params = {{"FCGI_DATA_LENGTH", "100"}}, .data = "few"});
  EXPECT_EQ(shorter.status(), 400);
  const Answer longer =
      ask("/upper/x", {.role = 3, .params = {{"FCGI_DATA_LENGTH", "3"}}, .data = "fewmore"});
  EXPECT_EQ(longer.body(), "FEW");
  EXPECT_EQ(ask("/upper/x", {.role = 3, .params = {{"FCGI_DATA_LENGTH", "nonsense"}}, .data = "all"}).body(),
            "ALL");
}

TEST_F(Filtering, C85_DataBeforeTheEndOfTheBodyIsRefusedAndTheConnectionStays) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/upper/x", {.role = 3, .end_body = false}) + stream(1, 8, "early"));
  EXPECT_EQ(wire.answer().status(), 400);
  wire.send(request("/upper/x", {.id = 2, .role = 3, .data = "fine"}));
  EXPECT_EQ(wire.answer(2).body(), "FINE");
}

// What a filter says while FCGI_STDIN comes has not gone out: there is still time for a whole answer.
TEST_F(Filtering, AFailureBeforeTheBodyEndedIsAWholeAnswerThoughTheFilterFlushed) {
  struct {
    std::string bytes;
    base::Duration time;
    int status;
  } const ends[] = {
      {stream(1, 8, "early"), {}, 400}, {abort(1), {}, 400}, {{}, std::chrono::seconds(61), 408}};
  bench.open();
  for (const auto& end : ends) {
    Bench::Wire& wire = bench.connect();
    wire.send(request("/flush/x", {.role = 3,
                                   .params = {{"CONTENT_LENGTH", "9"}, {"FCGI_DATA_LENGTH", "4"}},
                                   .body = "part",
                                   .end_body = false}));
    EXPECT_EQ(wire.pipe.from_host, "");
    wire.send(end.bytes);
    bench.loop.advance(end.time);
    EXPECT_EQ(wire.answer().status(), end.status) << wire.answer().out;
    EXPECT_EQ(wire.answer().ends, 1);
    EXPECT_EQ(wire.answer().app_status, 0U);
    EXPECT_FALSE(wire.closed());
  }
}

TEST_F(Filtering, AFilterThatThrowsIs500) {
  bench.open();
  EXPECT_EQ(ask("/bad/x", {.role = 3, .data = "x"}).status(), 500);
}

TEST_F(Filtering, AFilterRequestOnARouteWithoutFiltersIs500) {
  bench.open();
  EXPECT_EQ(ask("/plain/x", {.role = 3, .data = "x"}).status(), 500);
}

TEST_F(Filtering, SteeringMakesDataOfARequestBody) {
  bench.open();
  EXPECT_EQ(
      ask("/anything", {.params = {{"TRIVET_ROLE", "filter"}, {"TRIVET_ROUTE", "upper"}}, .body = "body"})
          .body(),
      "BODY");
}

TEST_F(Filtering, ASourceBehindFiltersDoesNotSeeWhatItCouldEncodeOrCutBy) {
  bench.open();
  for (const char* name : {"HTTP_ACCEPT_ENCODING", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH",
                           "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"}) {
    const Ask with{.params = {{name, "x"}}};
    EXPECT_EQ(ask("/params/x", with).body().find(name), std::string::npos) << name;
    EXPECT_NE(ask("/params-alone/x", with).body().find(name), std::string::npos) << name;
  }
}

TEST_F(Filtering, ASourcesHeadIsMadeRightForTheFilteredBody) {
  bench.open();
  const Answer answer = ask("/head/x", {.params = {{"QUERY_STRING", "etag"}}});
  EXPECT_EQ(answer.header("ETag"), "");
  EXPECT_EQ(answer.body(), "BODY\n");
  EXPECT_EQ(ask("/head/x", {.params = {{"QUERY_STRING", "gzip"}}}).status(), 502);
}

TEST_F(Filtering, ASourceBehindFiltersCannotLetTheWebServerSendAFile) {
  bench.open();
  for (const char* name : {"X-Accel-Redirect", "X-Sendfile", "X-Sendfile2", "X-LIGHTTPD-send-file",
                           "X-LIGHTTPD-send-tempfile", "X-Reproxy-URL", "x-sendfile"}) {
    const Ask with{.params = {{"QUERY_STRING", "file:" + std::string(name)}}};
    EXPECT_EQ(ask("/head/x", with).status(), 502) << name;
    EXPECT_EQ(ask("/head-alone/x", with).header(name), "/secret") << name;
  }
}

TEST_F(Filtering, C79_DataStreamsThroughWithBoundedMemory) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/both/x", {.role = 3, .params = {{"FCGI_DATA_LENGTH", ""}}, .end_data = false}));
  const std::string piece = stream(1, 8, std::string(60000, 'a'));
  std::size_t sent = 0;
  for (int i = 0; i < 1000; ++i) {
    wire.pipe.from_host.clear();
    wire.send(piece);
    sent += wire.pipe.from_host.size();
  }
  EXPECT_GT(sent, 59000000U);
  EXPECT_EQ(bench.spools.files, 0U);
}

TEST_F(Filtering, C89_AnAbortInTheDataEndsItOnce) {
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/threads/x", {.role = 3,
                                   .params = {{"FCGI_DATA_LENGTH", "900000"}},
                                   .data = std::string(300000, 'd'),
                                   .end_data = false}));
  wire.send(abort(1));  // Seen when the data before it was taken.
  EXPECT_TRUE(wire.wait());
  EXPECT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
  EXPECT_EQ(wire.answer().ends, 1);
  EXPECT_EQ(wire.answer().app_status, wire.answer().status() == 200 ? 1U : 0U);  // Had the head gone out?
}

}  // namespace
}  // namespace trivet::host::testing
