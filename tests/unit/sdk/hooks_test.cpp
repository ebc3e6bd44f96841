#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <trivet/plugin.hpp>
#include <trivet/testing.hpp>
#include <vector>

namespace {

using trivet::Answer;
using trivet::FakeHost;
using trivet::Output;
using trivet::Request;
using trivet::Response;
using trivet::sdk::entry;

// --- which roles a class has ---

struct Answers {
  void handle(Request& request, Response& out) { out << request.method() << ' ' << 42 << ' ' << -7L << '\n'; }
};
struct Judges {
  trivet::Verdict check(Request&) { return trivet::allow(); }
};
struct Filters {
  void data(std::string_view chunk, Output& out, bool) { out << '<' << chunk << '>'; }
};
struct DoesAll : Answers, Judges, Filters {
  static constexpr bool never_blocks = true;
  static constexpr bool shared_instance = true;
  static constexpr bool wants_short = false;
};

constexpr trivet_plugin answers = entry<Answers>("answers", "1");
constexpr trivet_plugin judges = entry<Judges>("judges", "1");
constexpr trivet_plugin filters = entry<Filters>("filters", "1");
constexpr trivet_plugin does_all = entry<DoesAll>("does_all", "1");

std::string roles(const trivet_plugin& plugin) {
  std::string names;
  if (plugin.responder != nullptr) names += 'r';
  if (plugin.authorizer != nullptr) names += 'a';
  if (plugin.filter != nullptr) names += 'f';
  return names;
}

TEST(Hooks, RolesAreSeenFromWhatAClassHas) {
  EXPECT_EQ(roles(answers), "r");
  EXPECT_EQ(roles(judges), "a");
  EXPECT_EQ(roles(filters), "f");
  EXPECT_EQ(roles(does_all), "raf");
}

TEST(Hooks, FlagsAreFalseUnlessTheClassSaysTrue) {
  EXPECT_EQ(answers.flags, trivet_flags{0});
  EXPECT_EQ(does_all.flags, trivet_flags{TRIVET_NEVER_BLOCKS | TRIVET_SHARED_INSTANCE});
}

struct LeavesText {
  static constexpr bool exclusive = true;
  static constexpr bool pure = true;
  static constexpr bool any_encoding = true;
  struct Filter {
    explicit Filter(Request& request, Output& out) {
      out.header("X-Seen", "1");
      if (request.param("LEAVE") == "1") out.pass();
    }
    void data(std::string_view chunk, Output& out, bool) { out << '<' << chunk << '>'; }
  };
};
constexpr trivet_plugin leaves = entry<LeavesText>("leaves", "1");

TEST(Hooks, FlagsOfZeroPointThreeAreTakenFromTheClass) {
  EXPECT_EQ(leaves.flags, trivet_flags{TRIVET_EXCLUSIVE | TRIVET_PURE | TRIVET_ANY_ENCODING});
}

TEST(Hooks, AFilterMayPassTheBodyOnAndStillChangeTheHead) {
  FakeHost host(leaves);
  const Answer passed = host.filter({.params = {{"LEAVE", "1"}}, .data = {"a", "b"}});
  EXPECT_TRUE(passed.passed);
  EXPECT_EQ(passed.body, "ab");
  EXPECT_EQ(passed.header("X-Seen"), "1");
  const Answer changed = host.filter({.data = {"a", "b"}});
  EXPECT_FALSE(changed.passed);
  EXPECT_EQ(changed.body, "<a><b><>");
}

TEST(Hooks, OneClassMayHaveEveryRole) {
  FakeHost host(does_all);
  const Answer answer = host.respond({.params = {{"REQUEST_METHOD", "GET"}}});
  EXPECT_EQ(answer.body, "GET 42 -7\n");
  EXPECT_EQ(host.check({}).allowed, true);
  EXPECT_EQ(host.filter({.data = {"a", "b"}}).body, "<a><b><>");
}

TEST(Hooks, AFilterWithoutMembersNeedsNoStatePerRequest) {
  EXPECT_EQ(filters.filter->open, nullptr);
  EXPECT_EQ(filters.filter->close, nullptr);
}

// --- state per request ---

struct Counts {
  int chunks = 0;
  std::string sign;
  explicit Counts(trivet::Settings& settings) : sign(settings.text("sign", "#")) {}
  void data(std::string_view chunk, Output& out, bool last) {
    out << chunk;
    if (last) out << sign << ++chunks;
    ++chunks;
  }
};
constexpr trivet_plugin counts = entry<Counts>("counts", "1");

TEST(Hooks, AFilterWithMembersBeginsEachRequestAsItWasConstructed) {
  FakeHost host(counts);
  host.set("sign", "!");
  for (int round = 0; round < 3; ++round) EXPECT_EQ(host.filter({.data = {"a", "b"}}).body, "ab!3");
}

struct Tally {
  int open = 0;
  int closed = 0;
  std::string last_path;

  struct Responder {
    Responder(Tally& around, Request& request, Response& out) : tally(around), asked(request) {
      ++tally.open;
      out.header("X-Path", request.param("PATH"));
    }
    ~Responder() { ++tally.closed; }
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;

    void body(std::string_view chunk, Response& out, trivet::End end) {
      size += chunk.size();
      if (end == trivet::End::too_long) out << "too long, ";
      if (end != trivet::End::not_yet) tally.last_path = asked.param("PATH");
    }
    bool room(Response& out) {
      out << --left << ' ';
      if (left == 0) out << size;
      return left == 0;
    }

    Tally& tally;
    Request& asked;
    std::size_t size = 0;
    int left = 3;
  };
  void data(std::string_view chunk, Output& out, bool last) {
    out << chunk;
    if (last) out << open << '/' << closed;
  }
};
constexpr trivet_plugin tally = entry<Tally>("tally", "1");

TEST(Hooks, ANestedResponderLivesFromTheFirstByteToTheLast) {
  FakeHost host(tally);
  const Answer answer =
      host.respond({.params = {{"PATH", "/p"}}, .body = {"four", "five!"}, .ends = trivet::End::too_long});
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.header("x-path"), "/p");
  EXPECT_EQ(answer.body, "too long, 2 1 0 9");
}

struct Aggregate {
  std::string prefix = ">";
  struct Filter {
    Aggregate& around;
    bool started = false;
    void data(std::string_view chunk, Output& out, bool) {
      if (!started) out << around.prefix;
      started = true;
      out << chunk;
    }
    void body(std::string_view chunk, Output&, bool) { around.prefix += chunk; }
  };
};
constexpr trivet_plugin aggregate = entry<Aggregate>("aggregate", "1");

TEST(Hooks, ANestedFilterMayBeAnAggregateAndSeeTheBodyBeforeTheData) {
  FakeHost host(aggregate);
  EXPECT_EQ(host.filter({.body = {"b", "c"}, .data = {"x", "y"}}).body, ">bcxy");
}

struct FromRequest {
  struct Responder {
    explicit Responder(Request& request) : number(request.number()) {}
    bool room(Response& out) {
      out << number;
      return true;
    }
    std::uint64_t number;
  };
  struct Filter {
    Filter(Request&, Output& out) { out.header("X-Seen", "yes").remove_header("X-Gone").status(203); }
    void data(std::string_view, Output&, bool) {}
  };
};
constexpr trivet_plugin from_request = entry<FromRequest>("from_request", "1");

TEST(Hooks, AResponderMayHaveRoomAlone) { EXPECT_EQ(FakeHost(from_request).respond({}).body, "1"); }

TEST(Hooks, AFilterChangesTheHeadBeforeItWrites) {
  FakeHost host(from_request);
  const Answer answer = host.filter({.headers = {{"X-Gone", "1"}, {"X-Kept", "2"}}});
  EXPECT_EQ(answer.status, 203U);
  EXPECT_EQ(answer.header("X-Seen"), "yes");
  EXPECT_EQ(answer.header("X-Kept"), "2");
  EXPECT_EQ(answer.header("X-Gone"), std::nullopt);
}

// --- exceptions ---

struct Odd {};
enum class What { error, odd, cancelled };

struct Fails {
  What what = What::error;
  explicit Fails(trivet::Settings& settings) : what(static_cast<What>(settings.integer("what", 0))) {
    if (settings.has("create")) fail();
  }
  [[noreturn]] void fail() const {
    if (what == What::odd) throw Odd();
    if (what == What::cancelled) throw trivet::Cancelled();
    throw std::runtime_error("as asked");
  }
  trivet::Verdict check(Request&) { fail(); }
  struct Responder {
    Responder(Fails& around, Request& request) : fails(around) {
      if (request.query() == "open") fails.fail();
    }
    void body(std::string_view, Response&, bool) { fails.fail(); }
    Fails& fails;
  };
  struct Filter {
    Fails& fails;
    void data(std::string_view, Output&, bool) { fails.fail(); }
  };
};
constexpr trivet_plugin fails = entry<Fails>("fails", "1");

struct FailCase {
  const char* name;
  What what;
  trivet_status result;
  const char* failure;
};

class HooksThatThrow : public testing::TestWithParam<FailCase> {
 protected:
  void SetUp() override { host_.set("what", static_cast<int>(GetParam().what)); }
  static void expect_failed(const Answer& answer) {
    EXPECT_EQ(answer.result, GetParam().result);
    EXPECT_EQ(answer.failure, GetParam().failure);
    EXPECT_EQ(answer.allowed, std::nullopt);
  }

  FakeHost host_{fails};
};

TEST_P(HooksThatThrow, GiveAStatusAndTheReason) {
  expect_failed(host_.check({}));
  expect_failed(host_.filter({.data = {"x"}}));
  expect_failed(host_.respond({.body = {"x"}}));
  expect_failed(host_.respond({.params = {{"QUERY_STRING", "open"}}}));
}

INSTANTIATE_TEST_SUITE_P(Exceptions, HooksThatThrow,
                         testing::Values(FailCase{"Error", What::error, TRIVET_E_FAILED, "as asked"},
                                         FailCase{"NoException", What::odd, TRIVET_E_FAILED,
                                                  "it threw something that is no std::exception"},
                                         FailCase{"Cancelled", What::cancelled, TRIVET_E_CANCELLED, ""}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Hooks, AConstructorThatThrowsIsAnErrorOfTheSettings) {
  FakeHost host(fails);
  host.set("create", true);
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(), std::vector<std::string>{"as asked"});
  EXPECT_EQ(host.respond({}).result, TRIVET_E_STATE);
}

TEST(Hooks, AConstructorThatThrowsNoExceptionIsToo) {
  FakeHost host(fails);
  host.set("create", true).set("what", static_cast<int>(What::odd));
  EXPECT_FALSE(host.start());
  EXPECT_EQ(host.errors(),
            std::vector<std::string>{"its constructor threw something that is no std::exception"});
}

// --- what the host refuses ---

struct Refused {
  void handle(Request& request, Response& out) {
    const std::string_view what = request.query();
    if (what == "header") out.header("X-Bad", "a\r\nSet-Cookie: b");
    if (what == "name") out.add_header("X Bad", "a");
    if (what == "status") out.status(199);
    if (what == "late") out.flush().header("X-Late", "1");
    if (what == "read") static_cast<void>(request.read());
    out << "fine";
  }
};
constexpr trivet_plugin refused = entry<Refused>("refused", "1");

struct RefusedCase {
  const char* query;
  const char* failure;
};
class HooksWithABadAnswer : public testing::TestWithParam<RefusedCase> {};

TEST_P(HooksWithABadAnswer, FailNamingIt) {
  FakeHost host(refused);
  const Answer answer = host.respond({.params = {{"QUERY_STRING", GetParam().query}}, .may_wait = false});
  EXPECT_EQ(answer.result, TRIVET_E_FAILED);
  EXPECT_EQ(answer.failure, GetParam().failure);
  EXPECT_TRUE(answer.headers.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Answers, HooksWithABadAnswer,
    testing::Values(RefusedCase{"header", "setting header \"X-Bad\": the value is not allowed"},
                    RefusedCase{"name", "adding header \"X Bad\": the value is not allowed"},
                    RefusedCase{"status", "setting the status: the value is not allowed"},
                    RefusedCase{"late", "setting header \"X-Late\": not at this time"},
                    RefusedCase{"read", "reading the body: not at this time"}),
    [](const auto& test) { return std::string(test.param.query); });

struct Endless {
  void handle(Request&, Response& out) {
    for (;;) out << "more";
  }
};
constexpr trivet_plugin endless = entry<Endless>("endless", "1");

TEST(Hooks, AWriteToAClientThatIsGoneEndsTheHook) {
  FakeHost host(endless);
  const Answer answer = host.respond({.cancel_after = 4000});
  EXPECT_EQ(answer.result, TRIVET_E_CANCELLED);
  EXPECT_EQ(answer.failure, "");
  EXPECT_EQ(answer.body.size(), 4000U);
}

}  // namespace
