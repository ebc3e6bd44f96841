// The worker's side of moving connections, against a supervisor that the test plays over a real channel.

#include "runtime/host/mover.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "tests/unit/host/harness.hpp"

namespace trivet::host::testing {
namespace {

using process::Channel;
using process::FileDescriptor;
using process::Message;
using ::testing::ElementsAre;

/// Connections that are nothing but a descriptor and what would be read first.
class FakeWorker final : public Mover::Owner {
 public:
  struct Served {
    std::uint32_t listen;
    FileDescriptor socket;
    std::string payload;
  };

  void give(Batch& batch) override {
    while (!at_rest.empty() && batch.has_room(at_rest.front().listen)) {
      base::Buffer payload;
      payload.append(at_rest.front().payload);
      batch.add(at_rest.front().listen, at_rest.front().socket.release(), payload);
      at_rest.pop_front();
    }
  }
  void serve(std::uint32_t listen, FileDescriptor socket, const io::Peer& peer,
             base::Bytes payload) override {
    EXPECT_TRUE(peer.local);
    if (when_served) when_served();
    served.push_back({listen, std::move(socket), std::string(base::as_text(payload))});
  }
  [[nodiscard]] std::string_view refusal(std::uint32_t, const io::Peer&) const override { return refuses; }
  void freeze_busy() override { ++freezes; }
  void on_reload_grace_over() override { ++ends; }
  void on_moved() override { ++moved; }

  std::deque<Served> at_rest;
  std::vector<Served> served;
  std::function<void()> when_served;
  std::string_view refuses;
  int freezes = 0;
  int ends = 0;
  int moved = 0;
};

class MoverTest : public ::testing::Test {
 protected:
  MoverTest() {
    config_.listen.resize(2);
    config_.listen[0].name = "web";
    config_.listen[1].name = "api";
    config_.server.reload_grace = std::chrono::seconds(30);
  }

  /// The web server's end.
  FileDescriptor rest(std::uint32_t listen = 0, std::string payload = {}) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    worker_.at_rest.push_back({listen, FileDescriptor(ends[0]), std::move(payload)});
    return FileDescriptor(ends[1]);
  }
  static bool is_open(const FileDescriptor& peer) {
    char byte = 0;
    return ::recv(peer.get(), &byte, 1, MSG_DONTWAIT) < 0;
  }
  /// What the worker said since.
  std::vector<Message> heard() {
    std::vector<Message> all;
    for (;;) {
      Message message;
      if (supervisor_.receive(message) != Channel::Outcome::done) return all;
      all.push_back(std::move(message));
    }
  }
  Message hear(Word word) {
    auto all = heard();
    EXPECT_EQ(all.size(), 1U);
    if (all.empty()) return {};
    EXPECT_EQ(all.front().kind, static_cast<std::uint32_t>(word));
    return std::move(all.front());
  }
  void placed(std::size_t n) {
    Message message;
    message.text = std::to_string(n);
    mover_.on_placed(message);
    loop_.run_posted();
  }
  void retire() {
    mover_.retire();
    loop_.run_posted();
  }
  static Message with(const std::vector<Parcel>& parcels, std::size_t descriptors) {
    Message message;
    message.text = pack(parcels);
    for (std::size_t i = 0; i < descriptors; ++i) {
      std::array<int, 2> ends{};
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
      message.descriptors.emplace_back(ends[0]);
      ::close(ends[1]);
    }
    return message;
  }
  void fill_the_line() {
    while (to_supervisor_.send(0, "x") == Channel::Outcome::done) {
    }
  }

  std::pair<Channel, Channel> line_ = Channel::make_pair().value();
  Channel& supervisor_ = line_.first;
  Channel& to_supervisor_ = line_.second;
  FakeLoop loop_;
  log::MemoryLog log_;
  config::Config config_;
  FakeWorker worker_;
  Mover mover_{worker_, to_supervisor_, loop_, config_, log_};
};

TEST_F(MoverTest, HandsOverWhatIsAtRestAndKeepsItsOwnUntilItIsPlaced) {
  const FileDescriptor first = rest(0), second = rest(1, "begun");
  retire();
  {
    Message message = hear(Word::hand);
    ASSERT_EQ(message.descriptors.size(), 2U);
    const auto parcels = unpack_parcels(message.text);
    ASSERT_TRUE(parcels.has_value());
    EXPECT_EQ((*parcels)[0].listener, "web");
    EXPECT_EQ((*parcels)[1].listener, "api");
    EXPECT_EQ((*parcels)[1].payload, "begun");
  }
  EXPECT_TRUE(mover_.is_busy());
  EXPECT_TRUE(is_open(first)) << "the supervisor may end before it passes it on";
  placed(2);
  EXPECT_FALSE(mover_.is_busy());
  EXPECT_EQ(worker_.moved, 1);
  EXPECT_FALSE(is_open(first));
  EXPECT_FALSE(is_open(second));
}

TEST_F(MoverTest, SendsOneBatchAtATimeAndTheNextWhenThatIsPlaced) {
  std::vector<FileDescriptor> peers;
  for (std::size_t i = 0; i < 2 * Channel::most_descriptors + 7; ++i) peers.push_back(rest());
  retire();
  EXPECT_EQ(hear(Word::hand).descriptors.size(), Channel::most_descriptors);
  mover_.on_rest();
  loop_.run_posted();
  EXPECT_TRUE(heard().empty());
  placed(Channel::most_descriptors);
  EXPECT_EQ(hear(Word::hand).descriptors.size(), Channel::most_descriptors);
  placed(Channel::most_descriptors);
  EXPECT_EQ(hear(Word::hand).descriptors.size(), 7U);
  placed(7);
  EXPECT_TRUE(heard().empty());
}

TEST_F(MoverTest, ABatchTakesAsMuchTextAsAMessageDoes) {
  std::vector<FileDescriptor> peers;
  for (int i = 0; i < 4; ++i) peers.push_back(rest(0, std::string(Parcel::most_payload, 'p')));
  peers.push_back(rest());
  retire();
  std::size_t got = 0;
  for (int batches = 0; batches < 5 && got < 5; ++batches) {
    const Message message = hear(Word::hand);
    ASSERT_LE(message.text.size(), Channel::most_text);
    got += message.descriptors.size();
    placed(message.descriptors.size());
  }
  EXPECT_EQ(got, 5U);
}

TEST_F(MoverTest, ServesOnWhatWasNotPlacedAndTriesAgainALittleLater) {
  const FileDescriptor first = rest(0), second = rest(1, "begun");
  retire();
  (void)hear(Word::hand);
  placed(1);
  EXPECT_FALSE(is_open(first));
  EXPECT_TRUE(is_open(second));
  ASSERT_EQ(worker_.served.size(), 1U);
  EXPECT_EQ(worker_.served[0].listen, 1U);
  EXPECT_EQ(worker_.served[0].payload, "begun");
  worker_.at_rest.push_back(std::move(worker_.served[0]));
  mover_.on_rest();
  loop_.run_posted();
  EXPECT_TRUE(heard().empty()) << "supervisor and worker would pass it to and fro without end";
  loop_.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(hear(Word::hand).descriptors.size(), 1U);
}

TEST_F(MoverTest, AFullLineCostsNothing) {
  const FileDescriptor peer = rest(0, "begun");
  fill_the_line();
  retire();
  ASSERT_EQ(worker_.served.size(), 1U) << "served on meanwhile";
  EXPECT_EQ(worker_.served[0].payload, "begun");
  worker_.at_rest.push_back(std::move(worker_.served[0]));
  (void)heard();
  loop_.advance(std::chrono::milliseconds(10));
  EXPECT_EQ(hear(Word::hand).descriptors.size(), 1U);
}

TEST_F(MoverTest, DoesNotHandWhileItDoesNotRetire) {
  const FileDescriptor peer = rest();
  mover_.on_rest();
  loop_.run_posted();
  EXPECT_TRUE(heard().empty());
}

TEST_F(MoverTest, AnAcknowledgementOfNothingIsLoggedAndIgnored) {
  placed(3);
  EXPECT_TRUE(log_.contains("acknowledges connections that it was not handed"));
  const FileDescriptor peer = rest();
  retire();
  (void)heard();
  Message nonsense;
  nonsense.text = "many";
  mover_.on_placed(nonsense);
  EXPECT_TRUE(is_open(peer));
  placed(99);
  EXPECT_FALSE(is_open(peer));
}

TEST_F(MoverTest, FreezesAfterAThirdOfTheGraceAndAgainUntilItIsOver) {
  retire();
  loop_.advance(std::chrono::milliseconds(9999));
  EXPECT_EQ(worker_.freezes, 0);
  loop_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(worker_.freezes, 1);
  loop_.advance(std::chrono::seconds(5));
  EXPECT_EQ(worker_.freezes, 2);
  EXPECT_EQ(worker_.ends, 0);
  loop_.advance(std::chrono::seconds(15));
  EXPECT_EQ(worker_.ends, 1);
  const int freezes = worker_.freezes;
  loop_.advance(std::chrono::hours(1));
  EXPECT_EQ(worker_.freezes, freezes);
  EXPECT_EQ(worker_.ends, 1);
}

TEST_F(MoverTest, FreezesAtOnceWhereOthersWaitForItsEnd) {
  mover_.hurry();
  EXPECT_EQ(worker_.freezes, 0) << "it does not retire";
  retire();
  mover_.hurry();
  EXPECT_EQ(worker_.freezes, 1);
  loop_.advance(std::chrono::seconds(5));
  EXPECT_EQ(worker_.freezes, 2) << "what has thawed";
  mover_.stop();
  mover_.hurry();
  EXPECT_EQ(worker_.freezes, 2);
}

TEST_F(MoverTest, ANoGraceEndsAtOnce) {
  config_.server.reload_grace = std::chrono::seconds(0);
  retire();
  loop_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(worker_.ends, 1);
}

TEST_F(MoverTest, TellsThatItAcceptsNoMoreAlsoWhenTheLineWasFull) {
  fill_the_line();
  mover_.tell_deaf();
  (void)heard();
  loop_.advance(std::chrono::milliseconds(10));
  (void)hear(Word::deaf);
  loop_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(heard().empty());
}

// Whom the supervisor does not know to be here it gives to another worker, and two would read.
TEST_F(MoverTest, TellsWhatItTookBeforeItServesAnyOfThem) {
  bool told = false;
  worker_.when_served = [&] { told = told || hear(Word::taken).text == "2"; };
  Message message = with({{"api", "begun"}, {"web", ""}}, 2);
  mover_.on_take(message);
  EXPECT_TRUE(told);
  ASSERT_EQ(worker_.served.size(), 2U);
  EXPECT_EQ(worker_.served[0].listen, 1U);
  EXPECT_EQ(worker_.served[0].payload, "begun");
  EXPECT_EQ(worker_.served[1].listen, 0U);
}

TEST_F(MoverTest, ServesNoneBeforeAFullLineTookTheAnswer) {
  fill_the_line();
  Message message = with({{"web", ""}}, 1);
  mover_.on_take(message);
  EXPECT_TRUE(worker_.served.empty());
  EXPECT_TRUE(mover_.is_busy());
  (void)heard();
  loop_.advance(std::chrono::milliseconds(10));
  EXPECT_EQ(hear(Word::taken).text, "1");
  EXPECT_EQ(worker_.served.size(), 1U);
  EXPECT_FALSE(mover_.is_busy());
}

TEST_F(MoverTest, CountsOnlyWhatArrived) {
  Message message = with({{"web", ""}, {"web", ""}, {"web", ""}}, 2);
  message.lost_descriptors = true;
  mover_.on_take(message);
  EXPECT_EQ(hear(Word::taken).text, "2");
  EXPECT_EQ(worker_.served.size(), 2U);
  EXPECT_TRUE(log_.contains("the limit of open descriptors is too low arrived=2 sent=3"));
}

// By the kernel's own doing: the receiver has no room for more descriptors.
TEST_F(MoverTest, DescriptorsThatTheKernelDroppedAreNotCounted) {
  Message sent = with({{"web", ""}, {"web", ""}, {"web", ""}}, 3);
  std::vector<int> descriptors;
  for (const FileDescriptor& each : sent.descriptors) descriptors.push_back(each.get());
  ASSERT_EQ(supervisor_.send(static_cast<std::uint32_t>(Word::take), sent.text, descriptors),
            Channel::Outcome::done);
  sent.descriptors.clear();
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const FileDescriptor next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit less = before;
  less.rlim_cur = static_cast<rlim_t>(next.get() + 3);  // Two more.
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &less), 0);
  Message message;
  const Channel::Outcome outcome = to_supervisor_.receive(message);
  ::setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_EQ(outcome, Channel::Outcome::done);
  EXPECT_TRUE(message.lost_descriptors);
  mover_.on_take(message);
  EXPECT_EQ(hear(Word::taken).text, "2");
}

TEST_F(MoverTest, ClosesWhatThisConfigurationDoesNotAllowAndCountsItAsTaken) {
  Message gone = with({{"old", ""}}, 1);
  mover_.on_take(gone);
  EXPECT_EQ(hear(Word::taken).text, "1");
  EXPECT_TRUE(log_.contains("closed reason=\"its listener is not in this configuration\""));
  worker_.refuses = "its user is not in allow_users";
  Message refused = with({{"web", ""}}, 1);
  mover_.on_take(refused);
  EXPECT_EQ(hear(Word::taken).text, "1");
  EXPECT_TRUE(log_.contains("closed reason=\"its user is not in allow_users\""));
  worker_.refuses = {};
  Message file = with({{"web", ""}}, 0);
  file.descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  mover_.on_take(file);
  EXPECT_EQ(hear(Word::taken).text, "1");
  EXPECT_TRUE(worker_.served.empty());
}

TEST_F(MoverTest, TakesNoneThatItCannotRead) {
  Message message = with({{"web", ""}}, 1);
  message.text = "nonsense";
  mover_.on_take(message);
  EXPECT_EQ(hear(Word::taken).text, "0");
}

TEST_F(MoverTest, AWorkerThatStopsTakesNoneAndHandsNone) {
  const FileDescriptor peer = rest();
  retire();
  (void)hear(Word::hand);
  mover_.stop();
  Message message = with({{"web", ""}}, 1);
  mover_.on_take(message);
  EXPECT_EQ(hear(Word::taken).text, "0");
  placed(0);
  EXPECT_EQ(worker_.served.size(), 1U) << "to be ended in order";
  loop_.advance(std::chrono::hours(1));
  EXPECT_TRUE(heard().empty());
  EXPECT_EQ(worker_.freezes + worker_.ends, 0);
}

TEST_F(MoverTest, AWorkerThatRetiresHandsOnWhatWasOnItsWayToIt) {
  retire();
  Message message = with({{"web", "begun"}}, 1);
  mover_.on_take(message);
  EXPECT_EQ(hear(Word::taken).text, "1");
  worker_.at_rest.push_back(std::move(worker_.served[0]));
  mover_.on_rest();
  loop_.run_posted();
  EXPECT_EQ(hear(Word::hand).descriptors.size(), 1U);
}

// It may have been passed on before the supervisor ended: then another worker reads from it.
TEST_F(MoverTest, WhatIsOnItsWayWhenTheSupervisorEndsIsNotServedHere) {
  const FileDescriptor peer = rest();
  retire();
  (void)heard();
  mover_.on_supervisor_gone();
  EXPECT_FALSE(mover_.is_busy());
  EXPECT_TRUE(worker_.served.empty());
}

TEST_F(MoverTest, WhatHasComeWhenTheSupervisorEndsIsServed) {
  fill_the_line();
  Message message = with({{"web", ""}}, 1);
  mover_.on_take(message);
  line_.first = Channel(FileDescriptor());
  mover_.on_supervisor_gone();
  EXPECT_EQ(worker_.served.size(), 1U);
  EXPECT_FALSE(mover_.is_busy());
}

}  // namespace
}  // namespace trivet::host::testing
