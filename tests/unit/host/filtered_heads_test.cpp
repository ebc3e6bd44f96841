#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>

#include "tests/unit/host/harness.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::host::testing {
namespace {

/// What a source says, and how it was asked.
struct Page {
  static constexpr bool never_blocks = true;
  static inline std::uint32_t status = 200;
  static inline Names fields;
  static inline std::string body;
  static inline int asked = 0;
  static inline std::map<std::string, std::string> seen;

  void handle(trivet::Request& request, trivet::Response& out) {
    ++asked;
    seen.clear();
    for (const auto& [name, value] : request.params()) seen[std::string(name)] = std::string(value);
    out.status(status);
    for (const auto& [name, value] : fields) out.header(name, value);
    out << body;
  }
};

/// The same from a plugin thread, in pieces.
struct ThreadPage {
  void handle(trivet::Request&, trivet::Response& out) {
    out.status(Page::status);
    for (const auto& [name, value] : Page::fields) out.header(name, value);
    for (const char c : Page::body) out << c;
  }
};

/// What all filters here count. Pools may be on threads.
struct Seen {
  static inline std::mutex mutex;
  static inline std::map<std::string, int> opened;
  static inline std::map<std::string, int> closed;
  static inline std::map<std::string, int> given;
  static inline std::map<std::string, std::string> said;  ///< By the head, as the filter found it.

  static void count(std::map<std::string, int>& where, const std::string& name) {
    const std::lock_guard lock(mutex);
    ++where[name];
  }
  static void clear() {
    opened.clear();
    closed.clear();
    given.clear();
    said.clear();
  }
};

/// Puts its mark in front of the body and says so in the head; passes where HTTP_X_PASS has its mark.
template <char mark, bool is_pure, bool on_loop>
struct Mark {
  static constexpr bool never_blocks = on_loop;
  static constexpr bool pure = is_pure;
  struct Filter {
    Filter(trivet::Request& request, trivet::Output& out) {
      Seen::count(Seen::opened, name);
      {
        const std::lock_guard lock(Seen::mutex);
        Seen::said[name] = std::string(out.find_header("Content-Length").value_or("-")) + " " +
                           std::string(out.find_header("ETag").value_or("-")) + " " +
                           std::string(request.param("HTTP_ACCEPT_ENCODING"));
      }
      out.header("X-" + name, "seen");
      if (request.param("HTTP_X_PASS").find(mark) != std::string_view::npos) out.pass();
    }
    Filter(const Filter&) = delete;
    Filter& operator=(const Filter&) = delete;
    ~Filter() { Seen::count(Seen::closed, name); }
    void data(std::string_view chunk, trivet::Output& out, bool) {
      Seen::count(Seen::given, name);
      if (!marked) out << mark;
      marked = true;
      out << chunk;
    }
    std::string name{mark};
    bool marked = false;
  };
};

/// Says everything of its output itself.
struct OwnHead {
  static constexpr bool never_blocks = true;
  void data(std::string_view chunk, trivet::Output& out, bool last) {
    kept += chunk;
    if (!last) return;
    out.header("ETag", "\"own\"").header("Content-Length", std::to_string(kept.size() + 1));
    out << kept << "!";
    kept.clear();
  }
  std::string kept;
};

/// Asks to pass where that is too late.
struct LatePass {
  static constexpr bool never_blocks = true;
  static inline std::string said;
  struct Filter {
    explicit Filter(trivet::Request& request, trivet::Output& out) {
      if (request.query() == "after-write") {
        out << "x";
        try_it(out);
      } else if (request.query() == "write-after") {
        out.pass();
        try {
          out << "lost";
        } catch (const std::exception&) {
          said = "refused";
        }
      }
    }
    void data(std::string_view chunk, trivet::Output& out, bool) {
      try_it(out);
      out << chunk;
    }
    static void try_it(trivet::Output& out) {
      try {
        out.pass();
      } catch (const std::exception&) {
        said = "refused";
      }
    }
  };
};

/// Reads a body that is coded.
struct AnyCoding {
  static constexpr bool never_blocks = true;
  static constexpr bool any_encoding = true;
  void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk; }
};

/// Changes what the conditions of later ones look at.
struct ToHtml {
  static constexpr bool never_blocks = true;
  struct Filter {
    Filter(trivet::Request&, trivet::Output& out) {
      out.header("Content-Type", "text/html");
      out.status(404);
    }
    void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk; }
  };
};

/// Wants to see a short end, and passes.
struct SeesShort {
  static constexpr bool wants_short = true;
  struct Filter {
    Filter(trivet::Request&, trivet::Output& out) { out.pass(); }
    void data(std::string_view, trivet::Output&, bool) {}
  };
};
struct LoopSeesShort : SeesShort {
  static constexpr bool never_blocks = true;
};

struct Throws {
  struct Filter {
    explicit Filter(trivet::Request&) { throw std::runtime_error("on purpose"); }
    void data(std::string_view, trivet::Output&, bool) {}
  };
};
struct LoopThrows : Throws {
  static constexpr bool never_blocks = true;
};

class FilteredHeads : public ::testing::Test {
 protected:
  FilteredHeads() {
    Seen::clear();
    Page::status = 200;
    Page::asked = 0;
    Page::body = "body";
    Page::fields = {{"Content-Type", "text/html; charset=utf-8"},
                    {"Content-Length", "4"},
                    {"ETag", "\"v1\""},
                    {"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"},
                    {"Accept-Ranges", "bytes"},
                    {"Content-Digest", "sha-256=:AA==:"},
                    {"Cache-Control", "max-age=60"}};
    bench.add<Page>("page");
    bench.add<ThreadPage>("thread-page", 1);
    bench.add<Mark<'a', true, true>>("a");
    bench.add<Mark<'b', true, true>>("b");
    bench.add<Mark<'t', true, false>>("t", 1);
    bench.add<Mark<'u', true, false>>("u", 1);
    bench.add<Mark<'i', false, true>>("i");
    bench.add<OwnHead>("own");
    bench.add<LatePass>("late");
    bench.add<AnyCoding>("any");
    bench.add<BodyFirst>("body-first");
  }

  config::Route& route(const std::string& name, std::vector<config::FilterStage> filters,
                       std::optional<std::string> source = "page") {
    config::Route& added = bench.route(name, "/" + name + "/**");
    added.respond = std::move(source);
    added.filter = std::move(filters);
    return added;
  }

  Answer ask(const std::string& name, Names params = {}, std::string data = {}, std::uint16_t role = 1) {
    Bench::Wire& wire = bench.connect();
    wire.send(
        request("/" + name + "/x", {.role = role, .params = std::move(params), .data = std::move(data)}));
    EXPECT_TRUE(wire.wait()) << name;
    EXPECT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; })) << name;
    return wire.answer();
  }

  static std::string all_of(const Answer& answer) {
    return answer.header("Content-Length") + "|" + answer.header("ETag") + "|" +
           answer.header("Last-Modified") + "|" + answer.header("Accept-Ranges") + "|" +
           answer.header("Content-Digest");
  }
  static constexpr const char* untouched = "4|\"v1\"|Sun, 06 Nov 1994 08:49:37 GMT|bytes|sha-256=:AA==:";

  Bench bench;
};

// --- conditions ---

TEST_F(FilteredHeads, AStageWhoseConditionsDoNotFitIsLeftOut) {
  struct Case {
    const char* name;
    config::FilterStage stage;
    bool runs;
  };
  using Encoded = config::FilterStage::OnEncoded;
  const Case cases[] = {
      {"type", {.plugin = "a", .types = {"text/html"}}, true},
      {"tree", {.plugin = "a", .types = {"image/png", "text/*"}}, true},
      {"other-type", {.plugin = "a", .types = {"image/*", "text/css"}}, false},
      {"tree-is-no-prefix", {.plugin = "a", .types = {"tex/*"}}, false},
      {"method", {.plugin = "a", .methods = {"POST", "GET"}}, true},
      {"other-method", {.plugin = "a", .methods = {"POST"}}, false},
      {"status", {.plugin = "a", .status = {404, 200}}, true},
      {"other-status", {.plugin = "a", .status = {404}}, false},
      {"size", {.plugin = "a", .min_size = 4}, true},
      {"small", {.plugin = "a", .min_size = 5}, false},
      {"all", {.plugin = "a", .types = {"text/*"}, .methods = {"GET"}, .status = {200}, .min_size = 1}, true},
      {"one-wrong",
       {.plugin = "a", .types = {"text/*"}, .methods = {"GET"}, .status = {200}, .min_size = 9},
       false},
      {"encoded", {.plugin = "a", .on_encoded = Encoded::skip}, true},
  };
  for (const Case& each : cases) route(each.name, {each.stage});
  bench.open();
  for (const Case& each : cases) {
    Seen::clear();
    const Answer answer = ask(each.name);
    EXPECT_EQ(answer.body(), each.runs ? "abody" : "body") << each.name;
    EXPECT_EQ(Seen::opened["a"], each.runs ? 1 : 0) << each.name;
    if (!each.runs) {
      EXPECT_EQ(all_of(answer), untouched) << each.name;
    }
  }
}

TEST_F(FilteredHeads, ALengthThatIsNotKnownIsLargeEnoughAndATypeThatIsNotSaidIsPlainText) {
  route("size", {{.plugin = "a", .min_size = 1000}});
  route("plain", {{.plugin = "a", .types = {"text/plain"}}});
  bench.open();
  Page::fields = {};
  EXPECT_EQ(ask("size").body(), "abody");
  EXPECT_EQ(ask("plain").body(), "abody");
  Page::fields = {{"Content-Type", "Text/PLAIN ;charset=x"}};
  EXPECT_EQ(ask("plain").body(), "abody");
}

TEST_F(FilteredHeads, ConditionsAreHeldAgainstTheHeadAsItIsWhenTheTurnComes) {
  bench.add<ToHtml>("to-html");
  route("chain", {{.plugin = "to-html"},
                  {.plugin = "a", .types = {"text/html"}, .status = {404}},
                  {.plugin = "b", .types = {"text/markdown"}}});
  bench.open();
  Page::fields = {{"Content-Type", "text/markdown"}};
  EXPECT_EQ(ask("chain").body(), "abody");
}

TEST_F(FilteredHeads, ABodyWithACodingIsRefusedLeftAloneOrGivenToWhoReadsIt) {
  route("fail", {{.plugin = "a"}});
  route("skip", {{.plugin = "a", .on_encoded = config::FilterStage::OnEncoded::skip}, {.plugin = "any"}});
  route("not-for-it", {{.plugin = "a", .types = {"image/*"}}});
  bench.open();
  Page::fields.push_back({"Content-Encoding", "gzip"});
  EXPECT_EQ(ask("fail").status(), 502);
  EXPECT_TRUE(bench.log.contains("has Content-Encoding gzip, which plugin"));
  EXPECT_EQ(Seen::opened["a"], 0);
  EXPECT_EQ(ask("skip").body(), "body");
  EXPECT_EQ(ask("skip").header("Content-Encoding"), "gzip");
  EXPECT_EQ(all_of(ask("not-for-it")), untouched);
  Page::fields.back().second = " Identity ";
  EXPECT_EQ(ask("fail").body(), "abody");
}

TEST_F(FilteredHeads, AFileThatTheWebServerSendsIsRefusedOnlyWhereAFilterIsBehindIt) {
  route("filtered", {{.plugin = "a", .types = {"image/*"}}, {.plugin = "b"}});
  route("not-for-it", {{.plugin = "a", .types = {"image/*"}}});
  bench.open();
  Page::fields.push_back({"X-Accel-Redirect", "/secret"});
  EXPECT_EQ(ask("filtered").status(), 502);
  EXPECT_EQ(ask("not-for-it").header("X-Accel-Redirect"), "/secret");
}

// --- passing ---

TEST_F(FilteredHeads, AFilterThatPassesLeavesBodyAndValidatorsAlone) {
  const char* chains[] = {"a", "t", "ab", "tu", "at", "ta", "tau"};
  for (const char* source : {"page", "thread-page"}) {
    for (const std::string chain : chains) {
      std::vector<config::FilterStage> filters;
      for (const char c : chain) filters.push_back({.plugin = std::string(1, c)});
      route(std::string(source) + "-" + chain, std::move(filters), source);
    }
  }
  bench.open();
  for (const std::size_t size : {std::size_t{4}, std::size_t{200000}}) {
    Page::body.clear();
    for (std::size_t i = 0; i < size; ++i) Page::body += static_cast<char>('A' + i % 26);
    Page::fields[1].second = std::to_string(size);
    for (const char* source : {"page", "thread-page"}) {
      for (const std::string chain : chains) {
        // Each subset of them passes.
        for (unsigned subset = 0; subset < 1U << chain.size(); ++subset) {
          std::string passing;
          std::string marks;
          for (std::size_t i = 0; i < chain.size(); ++i) {
            if ((subset >> i & 1U) != 0) passing += chain[i];
            if ((subset >> i & 1U) == 0) marks.insert(0, 1, chain[i]);
          }
          Seen::clear();
          const Answer answer = ask(std::string(source) + "-" + chain, {{"HTTP_X_PASS", "-" + passing}});
          const std::string what = std::string(source) + " " + chain + " passing " + passing;
          EXPECT_TRUE(answer.body() == marks + Page::body) << what;
          for (const char c : chain) {
            const std::string name(1, c);
            EXPECT_EQ(Seen::opened[name], 1) << what;
            EXPECT_EQ(Seen::closed[name], 1) << what;
            EXPECT_EQ(answer.header("X-" + name), "seen") << what;
            if (passing.find(c) != std::string::npos) {
              EXPECT_EQ(Seen::given[name], 0) << what;
            }
          }
          if (marks.empty()) {
            EXPECT_EQ(all_of(answer).substr(answer.header("Content-Length").size()),
                      std::string(untouched).substr(1))
                << what;
            EXPECT_EQ(answer.header("Content-Length"), std::to_string(size)) << what;
          } else {
            EXPECT_EQ(answer.header("Last-Modified") + answer.header("Accept-Ranges") +
                          answer.header("Content-Digest"),
                      "")
                << what;
          }
        }
      }
    }
  }
}

TEST_F(FilteredHeads, DataOfAFilterRequestGoesPastOnesThatPassInItsOrder) {
  route("a", {{.plugin = "a"}}, {});
  route("t", {{.plugin = "t"}}, {});
  route("tu", {{.plugin = "t"}, {.plugin = "u"}}, {});
  bench.open();
  std::string data;
  for (int i = 0; i < 40000; ++i) data += std::to_string(i) + ",";
  for (const std::string chain : {"a", "t", "tu"}) {
    for (const std::string passing : {"-", "t", "u", "at", "tu"}) {
      std::string marks;
      for (const char c : chain) {
        if (passing.find(c) == std::string::npos) marks.insert(0, 1, c);
      }
      const Answer answer =
          ask(chain, {{"HTTP_X_PASS", passing}, {"FCGI_DATA_LENGTH", std::to_string(data.size())}}, data, 3);
      EXPECT_TRUE(answer.body() == marks + data) << chain << " passing " << passing;
      EXPECT_EQ(answer.header("Content-Length"), marks.empty() ? std::to_string(data.size()) : "")
          << chain << " passing " << passing;
    }
  }
}

TEST_F(FilteredHeads, ShortDataIsNoCleanAnswerBecauseAFilterPasses) {
  bench.add<SeesShort>("thread-short", 1);
  bench.add<LoopSeesShort>("loop-short");
  for (const char* name : {"thread-short", "loop-short"}) route(name, {{.plugin = name}}, {});
  bench.open();
  for (const char* name : {"thread-short", "loop-short"}) {
    const Answer answer = ask(name, {{"FCGI_DATA_LENGTH", "100"}}, "few", 3);
    EXPECT_EQ(answer.status(), 400) << name;
  }
}

TEST_F(FilteredHeads, PassingIsForTheOpeningOfAFilterThatHasNotWritten) {
  route("late", {{.plugin = "late"}});
  bench.open();
  for (const std::string query : {"", "after-write", "write-after"}) {
    LatePass::said.clear();
    const Answer answer = ask("late", {{"QUERY_STRING", query}});
    EXPECT_EQ(answer.body(), query == "after-write" ? "xbody" : "body") << query;
    EXPECT_EQ(LatePass::said, "refused") << query;
    EXPECT_EQ(answer.header("ETag"), query == "write-after" ? "\"v1\"" : "") << query;
  }
}

TEST_F(FilteredHeads, TheBodyOfAFilterRequestIsDroppedWithTheFilterItIsFor) {
  route("left-out", {{.plugin = "body-first", .types = {"image/*"}}, {.plugin = "a"}}, {});
  bench.open();
  Bench::Wire& wire = bench.connect();
  wire.send(request("/left-out/x", {.role = 3, .body = std::string(200000, 'b'), .data = "data"}));
  EXPECT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().body(), "adata");
}

// --- the head of a changed body ---

TEST_F(FilteredHeads, WhatIsTrueOfTheOldBytesGoesWhenAFilterChangesThem) {
  route("impure", {{.plugin = "i"}});
  route("own", {{.plugin = "own"}});
  bench.open();
  const Answer answer = ask("impure");
  EXPECT_EQ(answer.body(), "ibody");
  EXPECT_EQ(all_of(answer), "5||||");
  EXPECT_EQ(answer.header("Cache-Control"), "max-age=60");
  EXPECT_EQ(Seen::said["i"], "4 \"v1\" ");
  EXPECT_EQ(all_of(ask("own")), "5|\"own\"|||");
}

TEST_F(FilteredHeads, FiltersSeeWhatIsHiddenFromTheirSource) {
  route("all", {{.plugin = "a"}});
  route("none", {{.plugin = "a", .methods = {"POST"}}});
  bench.open();
  const Names sent = {{"HTTP_ACCEPT_ENCODING", "gzip"}, {"HTTP_RANGE", "bytes=0-1"},
                      {"HTTP_IF_RANGE", "\"v\""},       {"HTTP_IF_MATCH", "*"},
                      {"HTTP_IF_NONE_MATCH", "\"v\""},  {"HTTP_OTHER", "x"}};
  ask("all", sent);
  EXPECT_EQ(Seen::said["a"], "4 \"v1\" gzip");
  for (const auto& [name, value] : sent) EXPECT_EQ(Page::seen.contains(name), name == "HTTP_OTHER") << name;
  ask("none", sent);
  for (const auto& [name, value] : sent) EXPECT_EQ(Page::seen[name], value) << name;
  // Only the source can refuse before it acts.
  Names post = sent;
  post.push_back({"REQUEST_METHOD", "POST"});
  Bench::Wire& wire = bench.connect();
  wire.send(request("/all/x", {.params = post}));
  EXPECT_TRUE(wire.wait());
  EXPECT_EQ(wire.answer().status(), 200);
  for (const auto& [name, value] : sent)
    EXPECT_EQ(Page::seen.contains(name),
              name == "HTTP_OTHER" || name == "HTTP_IF_MATCH" || name == "HTTP_IF_NONE_MATCH")
        << name;
}

// --- conditional requests ---

TEST_F(FilteredHeads, PureFiltersGetATagAndWhatTheClientHasIsNotMadeAgain) {
  for (const std::string chain : {"a", "t", "ab", "at"}) {
    std::vector<config::FilterStage> filters;
    for (const char c : chain) filters.push_back({.plugin = std::string(1, c)});
    route(chain, std::move(filters));
  }
  bench.open();
  std::map<std::string, std::string> tags;
  for (const std::string chain : {"a", "t", "ab", "at"}) {
    const Answer first = ask(chain);
    const std::string tag = first.header("ETag");
    EXPECT_EQ(tag.substr(0, 3), "W/\"") << chain;
    EXPECT_TRUE(tags.emplace(tag, chain).second) << chain << " has the tag of " << tags[tag];
    EXPECT_EQ(first.header("Last-Modified"), "") << chain;
    Seen::clear();
    for (const std::string method : {"GET", "HEAD"}) {
      Bench::Wire& wire = bench.connect();
      wire.send(request("/" + chain + "/x",
                        {.params = {{"REQUEST_METHOD", method}, {"HTTP_IF_NONE_MATCH", "\"x\", " + tag}}}));
      EXPECT_TRUE(wire.wait());
      const Answer again = wire.answer();
      EXPECT_EQ(again.status(), 304) << chain;
      EXPECT_EQ(again.header("ETag"), tag) << chain;
      EXPECT_EQ(again.header("Cache-Control"), "max-age=60") << chain;
      EXPECT_EQ(again.header("Last-Modified") + again.header("Content-Length") + again.header("Content-Type"),
                "");
      EXPECT_EQ(again.body(), "") << chain;
    }
    EXPECT_TRUE(Seen::opened.empty()) << chain;
    EXPECT_EQ(ask(chain, {{"HTTP_IF_NONE_MATCH", "\"v1\""}}).status(), 200) << chain;
    Page::fields[2].second = "\"v2\"";
    const Answer changed = ask(chain, {{"HTTP_IF_NONE_MATCH", tag}});
    EXPECT_EQ(changed.status(), 200) << chain;
    EXPECT_NE(changed.header("ETag"), tag) << chain;
    Page::fields[2].second = "\"v1\"";
    EXPECT_EQ(ask(chain).header("ETag"), tag) << chain;
  }
}

TEST_F(FilteredHeads, WithoutATagOfTheSourceItsDateAndLengthMakeOne) {
  route("a", {{.plugin = "a"}});
  bench.open();
  std::erase_if(Page::fields, [](const auto& field) { return field.first == "ETag"; });
  const std::string tag = ask("a").header("ETag");
  EXPECT_EQ(tag.substr(0, 3), "W/\"");
  EXPECT_EQ(ask("a", {{"HTTP_IF_NONE_MATCH", tag}}).status(), 304);
  Page::fields[1].second = "3";
  EXPECT_NE(ask("a").header("ETag"), tag);
  Page::fields[1].second = "4";
  Page::fields[2].second = "Sun, 06 Nov 1994 08:49:38 GMT";
  EXPECT_NE(ask("a").header("ETag"), tag);
  std::erase_if(Page::fields, [](const auto& field) { return field.first == "Content-Length"; });
  EXPECT_EQ(ask("a").header("ETag"), "");
}

TEST_F(FilteredHeads, AFilterThatMayHaveAPartAndIsNotPureLeavesNoTag) {
  route("pure-first", {{.plugin = "a"}, {.plugin = "i"}});
  route("impure-later", {{.plugin = "a"}, {.plugin = "i", .types = {"image/*"}}});
  route("impure-out", {{.plugin = "i", .types = {"image/*"}}, {.plugin = "a"}});
  route("impure-method", {{.plugin = "a"}, {.plugin = "i", .methods = {"POST"}}});
  bench.open();
  EXPECT_EQ(ask("pure-first").header("ETag"), "");
  EXPECT_EQ(ask("impure-later").header("ETag"), "");  // The first could make an image of it.
  EXPECT_NE(ask("impure-out").header("ETag"), "");
  EXPECT_NE(ask("impure-method").header("ETag"), "");
}

TEST_F(FilteredHeads, ConditionsAreDecidedByWhatTheClientIsToldInTheEnd) {
  route("out", {{.plugin = "i", .types = {"image/*"}}});
  route("pass", {{.plugin = "t"}});
  route("own", {{.plugin = "own"}});
  route("impure", {{.plugin = "i"}});
  bench.open();
  const std::string day = "Sun, 06 Nov 1994 08:49:37 GMT";
  struct Case {
    const char* route;
    Names params;
    int status;
  };
  const Case cases[] = {
      {"out", {{"HTTP_IF_NONE_MATCH", "\"v1\""}}, 304},
      {"out", {{"HTTP_IF_NONE_MATCH", "W/\"v1\""}}, 304},
      {"out", {{"HTTP_IF_NONE_MATCH", "\"v2\""}, {"HTTP_IF_MODIFIED_SINCE", day}}, 200},
      {"out", {{"HTTP_IF_MODIFIED_SINCE", day}}, 304},
      {"out", {{"HTTP_IF_MODIFIED_SINCE", "Sun, 06 Nov 1994 08:49:36 GMT"}}, 200},
      {"out", {{"HTTP_IF_MATCH", "\"v2\""}}, 412},
      {"out", {{"HTTP_IF_MATCH", "\"v1\""}}, 200},
      {"out", {{"HTTP_IF_UNMODIFIED_SINCE", "Sunday, 06-Nov-94 08:49:36 GMT"}}, 412},
      {"pass", {{"HTTP_X_PASS", "t"}, {"HTTP_IF_NONE_MATCH", "\"v1\""}}, 304},
      {"pass", {{"HTTP_X_PASS", "t"}, {"HTTP_IF_MATCH", "\"v1\""}}, 200},
      {"pass", {{"HTTP_X_PASS", "t"}, {"HTTP_IF_MODIFIED_SINCE", day}}, 304},
      {"pass", {{"HTTP_IF_NONE_MATCH", "\"v1\""}}, 200},
      {"pass", {{"HTTP_IF_MODIFIED_SINCE", day}}, 200},
      {"pass", {{"HTTP_IF_MATCH", "\"v1\""}}, 412},
      {"own", {{"HTTP_IF_NONE_MATCH", "\"own\""}}, 304},
      {"own", {{"HTTP_IF_MATCH", "\"own\""}}, 200},
      {"impure", {{"HTTP_IF_NONE_MATCH", "\"v1\""}}, 200},
      {"impure", {{"HTTP_IF_MODIFIED_SINCE", day}}, 200},
      {"impure", {{"HTTP_IF_NONE_MATCH", "*"}}, 304},
      {"impure", {{"HTTP_IF_MATCH", "*"}}, 200},
      {"impure", {{"HTTP_IF_NONE_MATCH", ""}, {"HTTP_IF_MODIFIED_SINCE", "nonsense"}}, 200},
  };
  for (const Case& each : cases) {
    const Answer answer = ask(each.route, each.params);
    EXPECT_EQ(answer.status(), each.status) << each.route << " " << each.params.back().second;
    EXPECT_EQ(answer.ends, 1);
    EXPECT_EQ(answer.app_status, 0U);
    if (each.status == 304) {
      EXPECT_EQ(answer.body(), "");
    }
  }
  // What is not a success is answered as if there were no conditions.
  Page::status = 404;
  EXPECT_EQ(ask("out", {{"HTTP_IF_NONE_MATCH", "\"v1\""}}).status(), 404);
  EXPECT_EQ(ask("pass", {{"HTTP_IF_MATCH", "\"v2\""}}).status(), 404);
}

TEST_F(FilteredHeads, AFilterRequestIsAnsweredByWhatTheWebServerSaysOfTheData) {
  route("a", {{.plugin = "a"}}, {});
  route("out", {{.plugin = "i", .types = {"image/*"}}}, {});
  bench.open();
  const Names file = {
      {"SCRIPT_FILENAME", "/srv/a.html"}, {"FCGI_DATA_LAST_MOD", "784111777"}, {"FCGI_DATA_LENGTH", "4"}};
  const Answer whole = ask("out", file, "data", 3);
  EXPECT_EQ(all_of(whole), "4||Sun, 06 Nov 1994 08:49:37 GMT||");
  EXPECT_EQ(whole.body(), "data");
  Names since = file;
  since.push_back({"HTTP_IF_MODIFIED_SINCE", "Sun, 06 Nov 1994 08:49:37 GMT"});
  EXPECT_EQ(ask("out", since, "data", 3).status(), 304);
  const Answer changed = ask("a", file, "data", 3);
  EXPECT_EQ(changed.body(), "adata");
  EXPECT_EQ(changed.header("Last-Modified"), "");
  Names tagged = file;
  tagged.push_back({"HTTP_IF_NONE_MATCH", changed.header("ETag")});
  Seen::clear();
  const Answer again = ask("a", tagged, "data", 3);
  EXPECT_EQ(again.status(), 304);
  EXPECT_EQ(again.ends, 1);
  EXPECT_TRUE(Seen::opened.empty());
  tagged[1].second = "784111778";
  EXPECT_EQ(ask("a", tagged, "data", 3).status(), 200);
  tagged[1].second = "yesterday";
  EXPECT_EQ(ask("a", tagged, "data", 3).header("ETag"), "");
}

// --- answers without a body of their own ---

TEST_F(FilteredHeads, HeadIsAnsweredWithTheHeadThatFiltersWouldMake) {
  for (const std::string chain : {"a", "t", "ab", "tu", "at", "ta"}) {
    std::vector<config::FilterStage> filters;
    for (const char c : chain) filters.push_back({.plugin = std::string(1, c)});
    route("p" + chain, filters);
    route("q" + chain, filters, "thread-page");
    route("f" + chain, std::move(filters), {});
  }
  bench.open();
  for (const std::string chain : {"a", "t", "ab", "tu", "at", "ta"}) {
    for (const char* source : {"p", "q", "f"}) {
      for (const std::string passing : {"-", "a", "t", "abtu"}) {
        const std::string name = source + chain;
        const std::uint16_t role = *source == 'f' ? 3 : 1;
        const Names params = {{"HTTP_X_PASS", passing}, {"FCGI_DATA_LENGTH", "4"}};
        const Answer get = ask(name, params, "data", role);
        Seen::clear();
        Bench::Wire& wire = bench.connect();
        Names head_params = params;
        head_params.push_back({"REQUEST_METHOD", "HEAD"});
        wire.send(request("/" + name + "/x", {.role = role, .params = head_params, .data = "data"}));
        EXPECT_TRUE(wire.wait()) << name << passing;
        EXPECT_TRUE(bench.loop.wait_until([&] { return bench.environment().in_use() == 0; }));
        const Answer head = wire.answer();
        EXPECT_EQ(head.status(), 200) << name << passing;
        EXPECT_EQ(head.body(), "") << name << passing;
        EXPECT_EQ(head.header("ETag"), get.header("ETag")) << name << passing;
        bool changed = false;
        for (const char c : chain) {
          const std::string filter(1, c);
          EXPECT_EQ(head.header("X-" + filter), "seen") << name << passing;
          EXPECT_EQ(Seen::opened[filter], 1) << name << passing;
          EXPECT_EQ(Seen::closed[filter], 1) << name << passing;
          EXPECT_EQ(Seen::given[filter], 0) << name << passing;
          changed = changed || passing.find(c) == std::string::npos;
        }
        EXPECT_EQ(head.header("Content-Length"), changed ? "" : "4") << name << passing;
      }
    }
  }
}

TEST_F(FilteredHeads, APartAnd304And204GoOnWithoutFilters) {
  route("a", {{.plugin = "a"}});
  route("i", {{.plugin = "i"}});
  bench.open();
  Page::status = 206;
  Page::fields.push_back({"Content-Range", "bytes 0-3/9"});
  for (int i = 0; i < 2; ++i) {
    const Answer part = ask("a");
    EXPECT_EQ(part.status(), 206);
    EXPECT_EQ(part.body(), "body");
    EXPECT_EQ(all_of(part), "4||||");
    EXPECT_EQ(part.header("Content-Range"), "bytes 0-3/9");
  }
  EXPECT_TRUE(bench.log.contains("a part that nobody asked it for"));
  Page::status = 304;
  EXPECT_EQ(ask("a").status(), 304);
  EXPECT_EQ(ask("a").header("ETag").substr(0, 3), "W/\"");
  EXPECT_EQ(ask("i").header("ETag"), "");
  Page::status = 204;
  EXPECT_EQ(ask("a").status(), 204);
  EXPECT_TRUE(Seen::opened.empty());
}

TEST_F(FilteredHeads, FailuresOfAFilterOnHeadAreFailures) {
  bench.add<Throws>("thread-throws", 1);
  bench.add<LoopThrows>("loop-throws");
  for (const char* name : {"thread-throws", "loop-throws"}) route(name, {{.plugin = name}});
  bench.open();
  for (const std::string name : {"thread-throws", "loop-throws"}) {
    Bench::Wire& wire = bench.connect();
    wire.send(request("/" + name + "/x", {.params = {{"REQUEST_METHOD", "HEAD"}}}));
    EXPECT_TRUE(wire.wait());
    EXPECT_EQ(wire.answer().status(), 500) << name;
  }
}

}  // namespace
}  // namespace trivet::host::testing
