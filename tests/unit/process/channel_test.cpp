#include "runtime/process/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace trivet::process {
namespace {

using Outcome = Channel::Outcome;

class Channels : public ::testing::Test {
 protected:
  Channels() {
    auto pair = Channel::make_pair();
    if (!pair) throw std::runtime_error(pair.error().message);
    ours = std::make_unique<Channel>(std::move(pair->first));
    theirs = std::make_unique<Channel>(std::move(pair->second));
  }
  std::unique_ptr<Channel> ours;
  std::unique_ptr<Channel> theirs;
  Message message;
};

TEST_F(Channels, CarryWholeMessagesInOrder) {
  ASSERT_EQ(ours->send(7, "first"), Outcome::done);
  ASSERT_EQ(ours->send(8, ""), Outcome::done);
  ASSERT_EQ(ours->send(9, std::string(Channel::most_text, 'x')), Outcome::done);
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  EXPECT_EQ(message.kind, 7U);
  EXPECT_EQ(message.text, "first");
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  EXPECT_EQ(message.kind, 8U);
  EXPECT_EQ(message.text, "");
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  EXPECT_EQ(message.text.size(), Channel::most_text);
  EXPECT_EQ(theirs->receive(message), Outcome::empty);
}

TEST_F(Channels, CarryDescriptorsThatAreTheReceiversOwn) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const int passed[] = {ends[1], ends[1]};
  ASSERT_EQ(ours->send(1, "two", passed), Outcome::done);
  ::close(ends[1]);
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  ASSERT_EQ(message.descriptors.size(), 2U);
  EXPECT_FALSE(message.lost_descriptors);
  EXPECT_EQ(::fcntl(message.descriptors[0].get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  EXPECT_EQ(::write(message.descriptors[1].get(), "x", 1), 1);
  char got = 0;
  EXPECT_EQ(::read(ends[0], &got, 1), 1);
  message.descriptors.clear();
  EXPECT_EQ(::read(ends[0], &got, 1), 0) << "a copy is left open";
  ::close(ends[0]);
}

TEST_F(Channels, CarryAsManyDescriptorsAsTheKernelAllowsAndNoMore) {
  const std::vector<int> most(Channel::most_descriptors, STDERR_FILENO);
  ASSERT_EQ(ours->send(1, "", most), Outcome::done);
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  EXPECT_EQ(message.descriptors.size(), Channel::most_descriptors);
  const std::vector<int> more(Channel::most_descriptors + 1, STDERR_FILENO);
  EXPECT_EQ(ours->send(1, "", more), Outcome::gone);
  EXPECT_EQ(ours->send(1, std::string(Channel::most_text + 1, 'x')), Outcome::gone);
}

TEST_F(Channels, TellOfDescriptorsThatTheReceiverHasNoRoomFor) {
  const std::vector<int> some(20, STDERR_FILENO);
  ASSERT_EQ(ours->send(1, "", some), Outcome::done);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(STDERR_FILENO);
  rlimit few = before;
  few.rlim_cur = static_cast<rlim_t>(next) + 5;
  ::close(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(theirs->receive(message), Outcome::done);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(message.lost_descriptors);
  EXPECT_LT(message.descriptors.size(), some.size());
}

TEST_F(Channels, TellWhenTheOtherEndIsGoneAndWhatItSaidBefore) {
  ASSERT_EQ(ours->send(5, "last words"), Outcome::done);
  ours.reset();
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  EXPECT_EQ(message.text, "last words");
  EXPECT_EQ(theirs->receive(message), Outcome::gone);
  EXPECT_EQ(theirs->send(1, ""), Outcome::gone);
}

TEST_F(Channels, AreFullWhenNobodyReads) {
  int sent = 0;
  while (ours->send(1, "x") == Outcome::done && sent < 100'000) ++sent;
  EXPECT_GT(sent, 10);
  EXPECT_EQ(ours->send(1, "x"), Outcome::full);
  ASSERT_EQ(theirs->receive(message), Outcome::done);
  EXPECT_EQ(ours->send(1, "x"), Outcome::done);
}

TEST_F(Channels, EndWithWhoeverSpeaksOtherwise) {
  ASSERT_EQ(::send(ours->descriptor(), "something else", 14, 0), 14);
  EXPECT_EQ(theirs->receive(message), Outcome::gone);
}

TEST_F(Channels, SayWhoMadeThem) {
  EXPECT_EQ(ours->maker(), ::getpid());
  EXPECT_EQ(Channel(FileDescriptor()).maker(), 0);
}

}  // namespace
}  // namespace trivet::process
