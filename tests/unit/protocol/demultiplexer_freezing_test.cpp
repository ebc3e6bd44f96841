#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "runtime/protocol/demultiplexer.hpp"
#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t most = 1000;

std::string kept_by(Recorder& recorder) {
  EXPECT_TRUE(recorder.demultiplexer().can_move());
  return wire::text(recorder.demultiplexer().take_kept().bytes());
}

/// Request 1 is open and wants its body.
class FrozenDemultiplexer : public testing::Test {
 protected:
  FrozenDemultiplexer() {
    recorder_.feed(wire::begin(1, wire::responder) + wire::record(wire::params, 1, ""));
    demultiplexer_.freeze(most);
  }

  const std::string end_ = wire::record(wire::standard_in, 1, "");
  const std::string other_ = wire::request(2, wire::responder);
  Recorder recorder_{release_when_over};
  Demultiplexer& demultiplexer_ = recorder_.demultiplexer();
};

TEST_F(FrozenDemultiplexer, ServesWhatIsOpenAndKeepsWhatBeginsAside) {
  recorder_.feed(other_ + wire::record(wire::standard_in, 1, "late") + end_);
  EXPECT_THAT(recorder_.outcome().events,
              ElementsAre("1 begin responder keep", "1 params_end", "1 body late", "1 body_end"));
  EXPECT_EQ(kept_by(recorder_), other_);
}

TEST_F(FrozenDemultiplexer, AnswersManagementRecordsAsEver) {
  recorder_.feed(other_ + wire::record(99, 0, "what"));
  EXPECT_EQ(recorder_.outcome().out,
            wire::record(wire::unknown_type, 0, std::string(1, 99) + std::string(7, '\0')));
}

TEST_F(FrozenDemultiplexer, KeepsEveryByteAsItCame) {
  const std::string odd =
      wire::record(wire::begin_request, 7, std::string("\0\1\1abcde", 8), {"padding", 0x55}) +
      wire::record(99, 7, "unknown", {"p", 1}) + wire::record(wire::abort_request, 7, "", {"", 2}) +
      wire::record(wire::get_values, 7, "x");
  for (const char byte : odd) recorder_.feed(std::string_view(&byte, 1));
  recorder_.feed(end_);
  EXPECT_EQ(kept_by(recorder_), odd);
  EXPECT_EQ(recorder_.outcome().ignored, 0U) << "whoever begins these judges them";
}

TEST_F(FrozenDemultiplexer, CanMoveOnceNothingIsOpenHoweverTheLastRecordIsCut) {
  EXPECT_FALSE(demultiplexer_.can_move());
  recorder_.feed(end_);
  for (std::size_t cut = 0; cut <= other_.size(); ++cut) {
    SCOPED_TRACE(cut);
    Recorder recorder(release_when_over);
    recorder.feed(wire::begin(1, wire::authorizer));
    recorder.demultiplexer().freeze(most);
    recorder.feed(wire::record(wire::params, 1, "") + other_.substr(0, cut));
    EXPECT_EQ(kept_by(recorder), other_.substr(0, cut));
    EXPECT_FALSE(recorder.demultiplexer().is_frozen());
  }
}

TEST_F(FrozenDemultiplexer, DoesNotMoveInTheMiddleOfARecordThatItTakes) {
  demultiplexer_.release(1);
  recorder_.feed(end_);
  Recorder recorder;
  recorder.feed(wire::begin(1, wire::responder) + wire::record(wire::params, 1, ""));
  recorder.demultiplexer().freeze(most);
  const std::string body = wire::record(wire::standard_in, 1, "body", {"pad", 0});
  recorder.feed(body.substr(0, 10));
  recorder.release(1);  // Answered early.
  EXPECT_FALSE(recorder.demultiplexer().can_move());
  recorder.feed(body.substr(10, 4));
  EXPECT_FALSE(recorder.demultiplexer().can_move()) << "its padding is still to come";
  recorder.feed(body.substr(14));
  EXPECT_EQ(kept_by(recorder), "");
}

TEST_F(FrozenDemultiplexer, TakesABeginThatHadBegunToArriveForOneThatHasNot) {
  const std::string begin =
      wire::record(wire::begin_request, 9, std::string("\0\1\1\0\0\0\0\0", 8), {"pp", 3});
  for (std::size_t cut = 0; cut < begin.size(); ++cut) {
    SCOPED_TRACE(cut);
    Recorder recorder;
    recorder.feed(begin.substr(0, cut));
    recorder.demultiplexer().freeze(most);
    recorder.feed(begin.substr(cut));
    if (cut < begin.size() - 2) {
      EXPECT_THAT(recorder.outcome().events, IsEmpty());
      EXPECT_EQ(kept_by(recorder), begin);
    } else {  // Only its padding was still to come.
      EXPECT_THAT(recorder.outcome().events, ElementsAre("9 begin responder keep"));
    }
  }
}

TEST_F(FrozenDemultiplexer, BeginsWhatItKeptWhenItThaws) {
  recorder_.feed(other_);
  EXPECT_EQ(demultiplexer_.thaw(), "");
  EXPECT_FALSE(demultiplexer_.is_frozen());
  const Outcome thawed = recorder_.outcome();
  EXPECT_EQ(std::count(thawed.events.begin(), thawed.events.end(), "2 begin responder keep"), 1);
  EXPECT_EQ(thawed.open, 1U) << "request 1 is open still";
  recorder_.feed(end_);
  EXPECT_TRUE(recorder_.outcome().at_boundary);
  EXPECT_EQ(recorder_.outcome().open, 0U);
}

TEST_F(FrozenDemultiplexer, GoesOnWithTheRecordThatItThawedIn) {
  const std::string body = wire::record(wire::standard_in, 1, "body", {"pad", 0});
  for (std::size_t cut = 0; cut <= body.size(); ++cut) {
    SCOPED_TRACE(cut);
    Recorder recorder(release_when_over);
    recorder.feed(wire::begin(1, wire::responder) + wire::record(wire::params, 1, ""));
    recorder.demultiplexer().freeze(most);
    recorder.feed(other_ + body.substr(0, cut));
    EXPECT_EQ(recorder.demultiplexer().thaw(), "");
    recorder.feed(body.substr(cut) + end_);
    const Outcome outcome = recorder.outcome();
    EXPECT_EQ(outcome.failure, "");
    EXPECT_EQ(outcome.events.back(), "1 body_end");
    EXPECT_EQ(outcome.open, 0U);
    std::string got;
    for (const std::string& event : outcome.events) {
      if (event.starts_with("1 body ")) got += event.substr(7);
    }
    EXPECT_EQ(got, "body");
  }
}

TEST_F(FrozenDemultiplexer, HasRoomForWhatItMayHaveToKeepAndForTheRecordItTakes) {
  EXPECT_EQ(demultiplexer_.room(), most);
  recorder_.feed(other_);
  EXPECT_EQ(demultiplexer_.room(), most - other_.size());
  recorder_.feed(std::string_view(end_).substr(0, 3));
  EXPECT_EQ(demultiplexer_.room(), most - other_.size() - 3);
  recorder_.feed(std::string_view(end_).substr(3));
  EXPECT_EQ(demultiplexer_.room(), most - other_.size());
}

TEST_F(FrozenDemultiplexer, KeepsNoMoreThanItsBoundWhateverTheRoomIsFilledWith) {
  const std::string upload =
      wire::record(wire::standard_in, 1, std::string(5000, 'u'), {std::string(200, 'p'), 0});
  std::string bytes = other_ + upload;
  while (bytes.size() < 20 * most) bytes += wire::request(4, wire::responder);
  std::size_t fed = 0;
  while (demultiplexer_.room() != 0) {
    const std::size_t now = std::min(demultiplexer_.room(), bytes.size() - fed);
    recorder_.feed(std::string_view(bytes).substr(fed, now));
    fed += now;
  }
  EXPECT_EQ(fed, most + upload.size()) << "the upload takes no room";
  demultiplexer_.release(1);
  EXPECT_EQ(kept_by(recorder_), other_ + bytes.substr(other_.size() + upload.size(), most - other_.size()));
}

TEST_F(FrozenDemultiplexer, BeginsWhatItKeptBeforeItFails) {
  for (const std::string_view fault :
       {std::string_view("\2", 1), std::string_view("\1\6\0\3\0\0\0\0", 8),
        std::string_view("\1\1\0\3\0\7\0\0", 8), std::string_view("\1\1\0\1\0\x8\0\0", 8)}) {
    SCOPED_TRACE(testing::PrintToString(fault));
    Recorder recorder;
    recorder.feed(wire::begin(1, wire::responder));
    recorder.demultiplexer().freeze(most);
    recorder.feed(other_ + std::string(fault));
    Recorder plain;
    plain.feed(wire::begin(1, wire::responder) + other_ + std::string(fault));
    EXPECT_EQ(recorder.outcome(), plain.outcome());
    EXPECT_NE(recorder.outcome().failure, "");
  }
}

TEST_F(FrozenDemultiplexer, TellsWhatIsWrongWithWhatItKept) {
  recorder_.feed(wire::begin(5, wire::responder) + wire::begin(5, wire::responder));
  EXPECT_EQ(recorder_.outcome().failure, "");
  EXPECT_EQ(demultiplexer_.thaw(), "FCGI_BEGIN_REQUEST for an active request id");
  EXPECT_FALSE(demultiplexer_.can_move());
}

TEST_F(FrozenDemultiplexer, IsFrozenOnce) {
  recorder_.feed(other_);
  demultiplexer_.freeze(1);
  EXPECT_EQ(demultiplexer_.room(), most - other_.size());
}

TEST(Demultiplexer, ThatIsNotFrozenCanMoveWithACutHeader) {
  Recorder recorder(release_when_over);
  recorder.feed(wire::request(1, wire::filter) + std::string("\1\1\0", 3));
  EXPECT_EQ(kept_by(recorder), std::string("\1\1\0", 3));
  EXPECT_EQ(recorder.demultiplexer().thaw(), "");
}

}  // namespace
}  // namespace trivet::protocol
