// release(), ids that come back, and calls from inside calls.

#include <gtest/gtest.h>

#include <string>

#include "runtime/protocol/demultiplexer.hpp"
#include "runtime/protocol/encoder.hpp"
#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

TEST(Release, C16_MakesTheIdFreeForTheNextRequestAtOnce) {
  std::string bytes;
  Outcome expected;
  for (int i = 0; i < 3; ++i) {
    bytes += wire::request(1, wire::responder);
    for (const char* event :
         {"1 begin responder keep", "1 params \1\1Ab", "1 params_end", "1 body body", "1 body_end"}) {
      expected.events.emplace_back(event);
    }
  }
  expected.at_boundary = true;
  EXPECT_EQ(however_cut(bytes, release_when_over), expected);
}

TEST(Release, C17_LetsLateRecordsBeIgnored) {
  const std::string bytes = wire::request(1, wire::authorizer) + wire::record(wire::standard_in, 1, "late") +
                            wire::record(wire::standard_in, 1, "") +
                            wire::record(wire::abort_request, 1, "") + wire::record(wire::params, 1, "late") +
                            wire::begin(1, wire::filter);
  EXPECT_EQ(however_cut(bytes, release_when_over),
            (Outcome{{"1 begin authorizer keep", "1 params \1\1Ab", "1 params_end", "1 begin filter keep"},
                     "",
                     "",
                     1,
                     4,
                     true}));
}

TEST(Release, C18_IsWhatMakesTheSameIdLegalAgain) {
  Recorder kept, released;
  kept.feed(wire::request(1, wire::authorizer));
  released.feed(wire::request(1, wire::authorizer));
  released.release(1);
  kept.feed(wire::begin(1, wire::authorizer));
  released.feed(wire::begin(1, wire::authorizer));
  EXPECT_EQ(kept.outcome().failure, "FCGI_BEGIN_REQUEST for an active request id");
  EXPECT_EQ(released.outcome().failure, "");
}

TEST(Release, OfAnIdThatIsNotOpenDoesNothing) {
  Recorder recorder;
  recorder.release(0);
  recorder.release(7);
  recorder.feed(wire::begin(7, wire::responder).substr(0, 12));
  recorder.release(7);
  recorder.feed(wire::begin(7, wire::responder).substr(12));
  EXPECT_EQ(recorder.outcome(), (Outcome{{"7 begin responder keep"}, "", "", 1, 0, true}));
}

/// The input is freed in the middle of its record; what follows of the record has nobody to go to.
TEST(Release, InsideAPieceOfARecordDropsTheRestOfIt) {
  const std::string before = wire::begin(1, wire::responder) + wire::record(wire::params, 1, "");
  const std::string body = wire::record(wire::standard_in, 1, "0123456789");
  const std::string after = wire::begin(1, wire::authorizer);
  for (std::size_t cut = 9; cut < body.size(); ++cut) {
    SCOPED_TRACE(cut);
    Recorder recorder([](Recorder& self, std::string_view what, std::uint16_t id) {
      if (what == "body") self.release(id);
    });
    recorder.feed(before + body.substr(0, cut));
    EXPECT_EQ(recorder.outcome().open, 0U);
    recorder.feed(body.substr(cut) + after);
    EXPECT_EQ(recorder.outcome(), (Outcome{{"1 begin responder keep", "1 params_end",
                                            "1 body " + body.substr(8, cut - 8), "1 begin authorizer keep"},
                                           "",
                                           "",
                                           1,
                                           0,
                                           true}));
  }
}

TEST(Release, BetweenTwoPiecesOfARecordDropsTheRestOfIt) {
  for (const unsigned type : {wire::standard_in, wire::abort_request}) {
    SCOPED_TRACE(type);
    const std::string record = wire::record(type, 1, "0123");
    for (std::size_t cut = 1; cut < record.size(); ++cut) {
      Recorder recorder;
      recorder.feed(wire::begin(1, wire::responder) + wire::record(wire::params, 1, "") +
                    record.substr(0, cut));
      recorder.release(1);
      const std::size_t events = recorder.outcome().events.size();
      recorder.feed(record.substr(cut));
      EXPECT_EQ(recorder.outcome().events.size(), events) << cut;
      EXPECT_TRUE(recorder.outcome().at_boundary);
    }
  }
}

struct WhenCase {
  std::string_view when;
  std::string bytes;  ///< Records of id 1 whose last brings that event.
};

const WhenCase when_cases[] = {
    {"begin", wire::begin(1, wire::responder)},
    {"params", wire::begin(1, wire::filter) + wire::record(wire::params, 1, "p")},
    {"params_end", wire::begin(1, wire::responder) + wire::record(wire::params, 1, "")},
    {"body_end", wire::request(1, wire::responder)},
    {"data", wire::begin(1, wire::filter) + wire::record(wire::params, 1, "") +
                 wire::record(wire::standard_in, 1, "") + wire::record(wire::data, 1, "d")},
    {"data_end", wire::request(1, wire::filter)},
    {"aborted", wire::begin(1, wire::filter) + wire::record(wire::abort_request, 1, "")},
    {"violation", wire::begin(1, wire::filter) + wire::record(wire::data, 1, "")},
};

TEST(Release, OfAllLeavesNobodyForTheRestOfARecord) {
  const std::string begun = wire::begin(1, wire::responder) + wire::begin(2, wire::responder);
  const std::string record = wire::record(wire::params, 1, "some");
  for (std::size_t cut = 0; cut <= record.size(); ++cut) {
    Recorder recorder;
    recorder.feed(begun + record.substr(0, cut));
    recorder.release_all();
    const std::size_t events = recorder.outcome().events.size();
    recorder.feed(record.substr(cut) + wire::begin(2, wire::authorizer));
    const Outcome outcome = recorder.outcome();
    EXPECT_EQ(outcome.failure, "") << cut;
    EXPECT_EQ(outcome.open, 1U) << cut;
    ASSERT_EQ(outcome.events.size(), events + 1) << cut;
    EXPECT_EQ(outcome.events.back(), "2 begin authorizer keep");
  }
}

TEST(Release, OfAllDoesNotTouchABeginThatIsStillComing) {
  const std::string next = wire::begin(2, wire::responder);
  for (std::size_t cut = 0; cut <= next.size(); ++cut) {
    Recorder recorder;
    recorder.feed(wire::begin(1, wire::responder) + next.substr(0, cut));
    recorder.release_all();
    recorder.feed(next.substr(cut));
    EXPECT_EQ(recorder.outcome().events.back(), "2 begin responder keep") << cut;
    EXPECT_EQ(recorder.outcome().open, cut < next.size() ? 1U : 0U) << cut;
  }
}

/// Many ids, so that the table has grown; all of them released from inside one call, in an order of their
/// own.
TEST(Release, OfEveryIdIsSafeInsideEveryCall) {
  constexpr unsigned count = 40;
  for (const auto& [when, bytes] : when_cases) {
    SCOPED_TRACE(when);
    std::string all;
    for (unsigned i = 0; i < count; ++i) all += wire::begin(100 + i * 257, wire::responder);
    all += bytes + wire::begin(100, wire::authorizer);
    bool is_done = false;
    Recorder recorder([&, moment = when](Recorder& self, std::string_view what, std::uint16_t id) {
      if (id != 1 || what != moment || is_done) return;
      is_done = true;
      for (unsigned i = 0; i < count; ++i)
        self.release(static_cast<std::uint16_t>(100 + i * 7 % count * 257));
      if (what != "begin") self.release(1);
    });
    recorder.feed(all);
    EXPECT_TRUE(is_done);
    const Outcome outcome = recorder.outcome();
    EXPECT_EQ(outcome.failure, "");
    EXPECT_EQ(outcome.open, when == "begin" ? 2U : 1U);
    EXPECT_EQ(outcome.events.back(), "100 begin authorizer keep");
  }
}

TEST(Forgetting, KeepsTheIdActiveAndTellsNobodyOfAnAbort) {
  const auto forget = [](Recorder& self, std::string_view what, std::uint16_t id) {
    EXPECT_EQ(self.demultiplexer().forget(id), what == "params_end") << what;
  };
  const std::string bytes = wire::request(1, wire::authorizer) + wire::record(wire::standard_in, 1, "") +
                            wire::record(wire::abort_request, 1, "why") +
                            wire::record(wire::standard_in, 1, "") + wire::begin(1, wire::authorizer);
  EXPECT_EQ(however_cut(bytes, forget),
            (Outcome{{"1 begin authorizer keep", "1 params \1\1Ab", "1 params_end"},
                     "",
                     "FCGI_BEGIN_REQUEST for an active request id",
                     1,
                     1,
                     false}));
}

TEST(Refusal, C47_LeavesTheIdInactiveAndTheNextBeginWelcome) {
  const auto refuse_first = [](Recorder& self, std::string_view what, std::uint16_t) {
    if (what == "refused") self.refuse(0);
  };
  Recorder recorder(refuse_first);
  recorder.refuse(1);
  recorder.feed(wire::request(1, wire::authorizer) + wire::begin(1, wire::authorizer));
  EXPECT_EQ(recorder.outcome(), (Outcome{{"1 refused", "1 begin authorizer keep"}, "", "", 1, 2, true}));
}

TEST(ManyIds, C19_AreServedByTheirNumbersUpToTheLargest) {
  Recorder recorder;
  // 1024 ids spread over the whole range, then all of them fed in another order.
  constexpr unsigned count = 1024, stride = 64;
  for (unsigned i = 0; i < count; ++i) recorder.feed(wire::begin(i * stride + 1, wire::responder));
  EXPECT_EQ(recorder.outcome().open, count);
  for (unsigned i = 0; i < count; ++i) {
    const unsigned id = i * 389 % count * stride + 1;
    recorder.feed(wire::record(wire::params, id, std::to_string(id)));
    EXPECT_EQ(recorder.outcome().events.back(), std::to_string(id) + " params " + std::to_string(id));
  }
  for (unsigned i = 0; i < count; ++i) recorder.release(static_cast<std::uint16_t>(i * stride + 1));
  EXPECT_EQ(recorder.outcome().open, 0U);
  EXPECT_EQ(recorder.outcome().ignored, 0U);
}

}  // namespace
}  // namespace trivet::protocol
