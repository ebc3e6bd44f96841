#include "runtime/host/exchange.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>

#include "runtime/log/memory_log.hpp"
#include "tests/unit/host/harness.hpp"

namespace trivet::host {
namespace {

/// A worker that writes down what it is told, and says nothing.
class Scribe final : public Partner {
 public:
  explicit Scribe(std::uint32_t slot) : slot_(slot) {}

  bool tell(Word word, std::string_view text, std::span<const int> descriptors) override {
    if (deaf) return false;
    if (word == Word::placed) placed.emplace_back(text);
    if (word == Word::take) {
      const std::vector<Parcel> parcels = unpack_parcels(text).value_or(std::vector<Parcel>());
      EXPECT_EQ(parcels.size(), descriptors.size());
      for (const Parcel& each : parcels) taken.push_back(each.listener);
      batches.push_back(descriptors.size());
    }
    return true;
  }
  void kill(int signal) const noexcept override { killed = signal; }
  [[nodiscard]] std::int64_t pid() const noexcept override { return 1000 + slot_; }
  [[nodiscard]] std::uint32_t slot() const noexcept override { return slot_; }

  std::vector<std::string> placed;
  std::vector<std::string> taken;  ///< The listeners of the connections, which tell them apart.
  std::vector<std::size_t> batches;
  bool deaf = false;
  mutable int killed = 0;

 private:
  std::uint32_t slot_;
};

class ExchangeTest : public ::testing::Test {
 protected:
  /// Connections named FIRST, FIRST+1 and so on.
  void hand(Scribe& from, int first, int count, int arrive = -1) {
    std::vector<Parcel> parcels;
    process::Message message;
    for (int i = 0; i < count; ++i) {
      parcels.push_back({std::to_string(first + i), {}});
      if (arrive < 0 || i < arrive)
        message.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    message.text = pack(parcels);
    exchange.on_hand(from, message);
  }
  void load(const Scribe& worker, std::uint64_t connections) {
    process::set(board.slot(worker.slot()).counters.connections_open, connections);
  }

  process::Board board = std::move(process::Board::make(8)).value();
  testing::FakeLoop loop;
  log::MemoryLog log;
  Exchange exchange{board, loop, log};
  Scribe old{0};
  Scribe one{1};
  Scribe two{2};
};

using Texts = std::vector<std::string>;

TEST_F(ExchangeTest, GoesToAnotherWorkerAndTheFirstIsToldHowManyArrived) {
  exchange.set_takers({&one});
  hand(old, 1, 3);
  EXPECT_EQ(old.placed, Texts{"3"});
  EXPECT_EQ(one.taken, (Texts{"1", "2", "3"}));
  EXPECT_EQ(exchange.travelling(), 3U);
  exchange.on_taken(one, "3");
  EXPECT_EQ(exchange.travelling(), 0U);
  EXPECT_EQ(exchange.moved(), 3U);
}

TEST_F(ExchangeTest, DoesNotGoBackToAWorkerThatServesAndHasTooMany) {
  exchange.set_takers({&one, &two});
  hand(two, 1, 1);  // `one` is busy with it now.
  EXPECT_EQ(one.taken, (Texts{"1"}));
  hand(two, 2, 1);
  EXPECT_EQ(exchange.waiting(), 1U);
  EXPECT_EQ(two.taken, Texts());
  exchange.on_taken(one, "1");
  EXPECT_EQ(one.taken, (Texts{"1", "2"}));
}

TEST_F(ExchangeTest, GoesBackWhereThereIsNobodyElse) {
  exchange.set_takers({&one});
  hand(one, 1, 1);
  EXPECT_EQ(one.taken, (Texts{"1"}));
}

TEST_F(ExchangeTest, CountsWhatArrivedWhenThisProcessHadNoRoomForAll) {
  exchange.set_takers({&one});
  hand(old, 1, 5, 2);
  EXPECT_EQ(old.placed, Texts{"2"});
  EXPECT_EQ(one.taken, (Texts{"1", "2"}));
}

TEST_F(ExchangeTest, KeepsConnectionsUntilSomebodyIsThereToTakeThem) {
  hand(old, 1, 2);
  EXPECT_EQ(exchange.waiting(), 2U);
  EXPECT_EQ(old.placed, Texts{"2"});
  exchange.set_takers({&one});
  EXPECT_EQ(one.taken, (Texts{"1", "2"}));
  EXPECT_EQ(exchange.waiting(), 0U);
}

TEST_F(ExchangeTest, GivesWhatATakerDidNotConfirmToAnotherWhenItDies) {
  exchange.set_takers({&one});
  hand(old, 1, 2);
  exchange.ended(one);
  EXPECT_EQ(exchange.waiting(), 2U);
  exchange.set_takers({&two});
  EXPECT_EQ(two.taken, (Texts{"1", "2"}));
}

TEST_F(ExchangeTest, GivesWhatATakerHadNoDescriptorForAgain) {
  exchange.set_takers({&one});
  hand(old, 1, 3);
  exchange.on_taken(one, "1");
  EXPECT_EQ(one.taken, (Texts{"1", "2", "3", "2", "3"}));
  exchange.on_taken(one, "0");
  EXPECT_EQ(exchange.waiting(), 2U);  // It rests, or this would go on for ever.
  EXPECT_EQ(one.batches.size(), 2U);
  loop.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(one.batches.size(), 3U);
  exchange.on_taken(one, "2");
  EXPECT_EQ(exchange.travelling() + exchange.waiting(), 0U);
}

TEST_F(ExchangeTest, SpreadsABatchOverAllAndStartsWithTheLeastLoaded) {
  load(one, 10);
  load(two, 3);
  exchange.set_takers({&one, &two});
  hand(old, 1, 5);
  EXPECT_EQ(two.taken, (Texts{"1", "2", "3"}));
  EXPECT_EQ(one.taken, (Texts{"4", "5"}));
}

TEST_F(ExchangeTest, SendsOneBatchAtATimeToEach) {
  exchange.set_takers({&one});
  hand(old, 1, 1);
  hand(old, 2, 1);
  EXPECT_EQ(one.taken, Texts{"1"});
  exchange.on_taken(one, "1");
  EXPECT_EQ(one.taken, (Texts{"1", "2"}));
}

TEST_F(ExchangeTest, FillsNoBatchBeyondWhatAMessageHolds) {
  exchange.set_takers({&one});
  std::vector<Parcel> parcels;
  process::Message message;
  for (int i = 0; i < 2; ++i) {
    // Two of these fit into no message, but into two that came from two workers.
    message.text = pack({Parcel{"x", std::string(Parcel::most_payload, 'p')}});
    message.descriptors.clear();
    message.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    exchange.on_hand(i == 0 ? old : two, message);
  }
  EXPECT_EQ(one.batches, std::vector<std::size_t>{1});
  exchange.on_taken(one, "1");
  EXPECT_EQ(one.batches, (std::vector<std::size_t>{1, 1}));
}

TEST_F(ExchangeTest, LetsWhoHandsOverWaitWhileTooManyWait) {
  int first = 1;
  while (exchange.waiting() <= Exchange::most_waiting) {
    hand(old, first, 250);
    first += 250;
  }
  const std::size_t answered = old.placed.size();
  EXPECT_EQ(answered, Exchange::most_waiting / 250);  // All but the last.
  exchange.set_takers({&one});
  EXPECT_EQ(old.placed.size(), answered + 1);
}

TEST_F(ExchangeTest, KillsAWorkerThatSpeaksOutOfTurnOrNonsense) {
  hand(old, 1, 1, 0);
  EXPECT_EQ(old.killed, 0);
  process::Message message;
  message.text = "nonsense";
  exchange.on_hand(one, message);
  EXPECT_EQ(one.killed, SIGKILL);
  hand(two, 1, 0);
  message.text.clear();
  message.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  exchange.on_hand(two, message);  // A descriptor that belongs to nothing.
  EXPECT_EQ(two.killed, SIGKILL);
}

TEST_F(ExchangeTest, IgnoresCountsThatNobodyAskedFor) {
  exchange.set_takers({&one});
  exchange.on_taken(one, "5");
  hand(old, 1, 2);
  exchange.on_taken(one, "3");
  exchange.on_taken(one, "x");
  EXPECT_EQ(exchange.travelling(), 2U);
  EXPECT_EQ(exchange.moved(), 0U);
}

TEST_F(ExchangeTest, PassesOverATakerThatDoesNotListen) {
  one.deaf = true;
  exchange.set_takers({&one, &two});
  hand(old, 1, 2);
  EXPECT_EQ(two.taken, (Texts{"1", "2"}));
}

TEST_F(ExchangeTest, ClosesWhatWaitsWhenTheHostEnds) {
  const int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(before);
  hand(old, 1, 3);
  struct stat about{};
  EXPECT_EQ(::fstat(before, &about), 0);
  exchange.close_all();
  EXPECT_NE(::fstat(before, &about), 0);
  EXPECT_EQ(exchange.waiting(), 0U);
}

TEST_F(ExchangeTest, TakesInWhatEverComesWhereWhoHandsOverHasToEndFirst) {
  exchange.set_takers({}, true);
  const int all = 2400;
  ASSERT_GT(static_cast<std::size_t>(all), Exchange::most_waiting);
  for (int first = 0; first < all; first += 100) hand(old, first, 100);
  EXPECT_EQ(exchange.waiting(), static_cast<std::size_t>(all));
  EXPECT_EQ(old.placed.size(), static_cast<std::size_t>(all / 100));
  exchange.ended(old);
  exchange.set_takers({&one});
  while (exchange.travelling() > 0) exchange.on_taken(one, std::to_string(one.batches.back()));
  EXPECT_EQ(one.taken.size(), static_cast<std::size_t>(all));
  EXPECT_TRUE(exchange.is_idle());
}

TEST_F(ExchangeTest, LeavesWhatWaitsToTheNextImageWhichGivesItToItsWorkers) {
  exchange.set_takers({}, true);
  hand(old, 1, 2);
  const auto left = exchange.inheritance();
  ASSERT_EQ(left.size(), 2U);
  Exchange next{board, loop, log};
  for (const auto& each : left)
    EXPECT_TRUE(
        next.adopt(each.parcel, process::FileDescriptor(::fcntl(each.descriptor, F_DUPFD_CLOEXEC, 0))));
  EXPECT_FALSE(next.adopt("no parcel", {}));
  EXPECT_FALSE(next.adopt(pack(std::vector<Parcel>(2)), {}));
  EXPECT_EQ(next.waiting(), 2U);
  next.set_takers({&one});
  EXPECT_EQ(one.taken, (Texts{"1", "2"}));
  EXPECT_EQ(exchange.waiting(), 2U) << "the image that goes on where exec fails has them still";
}

}  // namespace
}  // namespace trivet::host
