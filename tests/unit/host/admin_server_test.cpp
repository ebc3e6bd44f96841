#include "runtime/host/admin_server.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <vector>

#include "runtime/log/memory_log.hpp"
#include "tests/unit/io/io_test_support.hpp"

namespace trivet::host {
namespace {

using testing::HasSubstr;

process::FileDescriptor connect_to(const std::string& path) {
  process::FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  EXPECT_EQ(::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);  // NOLINT
  EXPECT_EQ(::fcntl(made.get(), F_SETFL, O_NONBLOCK), 0);
  return made;
}

class AdminServing : public testing::Test, public AdminHandler {
 protected:
  void SetUp() override { ASSERT_TRUE(server_->listen(path_)); }

  void reload(AdminReply reply) override { replies_.push_back(std::move(reply)); }
  void upgrade(AdminReply reply) override { kept_ = reply.release(); }
  std::string status(bool json) override { return json ? "{}\n" : status_; }
  void end(End how) override { ends_.push_back(how); }
  bool set_level(std::string_view name) override { return name == "debug"; }

  process::FileDescriptor connect() const { return connect_to(path_); }
  static void send(const process::FileDescriptor& to, std::string_view bytes) {
    ASSERT_EQ(::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  /// What comes until the connection ends; nothing where it does not.
  std::optional<std::string> all(const process::FileDescriptor& from) {
    std::string got;
    const bool ended = io::run_until(loop_, [&] { return !read_some(from, got); });
    return ended ? std::optional(got) : std::nullopt;
  }
  /// False at the end.
  static bool read_some(const process::FileDescriptor& from, std::string& got) {
    std::array<char, 65536> bytes{};
    for (;;) {
      const ssize_t n = ::recv(from.get(), bytes.data(), bytes.size(), 0);
      if (n <= 0) return n < 0 && errno == EAGAIN;
      got.append(bytes.data(), static_cast<std::size_t>(n));
    }
  }
  std::optional<std::string> ask(std::string_view line) {
    const auto client = connect();
    send(client, line);
    return all(client);
  }
  void run_until_asked() {
    ASSERT_TRUE(io::run_until(loop_, [&] { return !replies_.empty(); }));
  }

  io::TemporaryFolder folder_;
  std::string path_ = folder_ / "admin.sock";
  io::EventLoop loop_;
  log::MemoryLog log_;
  std::string status_ = "all is well\n";
  std::vector<AdminReply> replies_;
  process::FileDescriptor kept_;
  std::vector<End> ends_;
  std::unique_ptr<AdminServer> server_ =
      std::make_unique<AdminServer>(loop_, log_, *this, std::chrono::milliseconds(100));
};

TEST_F(AdminServing, TheSocketIsForItsUserAloneAndGoesWithTheServer) {
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0600U);
  server_.reset();
  EXPECT_NE(::stat(path_.c_str(), &found), 0);
}

TEST_F(AdminServing, AnswersWhatIsKnownAtOnce) {
  EXPECT_EQ(ask("trivet/1 status text\n"), "trivet/1 0 0 12\nall is well\n");
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
  EXPECT_EQ(ask("trivet/1 log-level debug\n"), "trivet/1 0 0 0\n");
  EXPECT_THAT(ask("trivet/1 log-level loud\n").value_or(""), HasSubstr("there is no log level \"loud\""));
}

TEST_F(AdminServing, ACommandMayArriveByteByByte) {
  const auto client = connect();
  for (const char byte : std::string_view("trivet/1 status text\n")) {
    send(client, {&byte, 1});
    io::run_for(loop_, std::chrono::milliseconds(1));
  }
  EXPECT_EQ(all(client), "trivet/1 0 0 12\nall is well\n");
}

TEST_F(AdminServing, HalfACommandIsNoneWhereverItIsCut) {
  const std::string line = "trivet/1 stop now\n";
  for (std::size_t cut = 0; cut < line.size(); ++cut) {
    const auto client = connect();
    send(client, std::string_view(line).substr(0, cut));
    ::shutdown(client.get(), SHUT_WR);
    EXPECT_EQ(all(client), "") << cut;
  }
  EXPECT_TRUE(ends_.empty());
}

TEST_F(AdminServing, GarbageIsAnsweredAndDone) {
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\n"),
                                   std::string("\0\0\n", 3), std::string("trivet/1 stop\ntrivet/1 stop\n"),
                                   std::string(AdminRequest::longest_line, 'x'), std::string(100'000, 'x')}) {
    const auto answer = ask(bytes);
    ASSERT_TRUE(answer) << bytes.substr(0, 40);
    EXPECT_TRUE(answer->starts_with("trivet/1 64 ")) << *answer;
  }
  EXPECT_TRUE(ends_.empty());
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
}

TEST_F(AdminServing, WhatTakesItsTimeIsAnsweredLaterAlsoToWhoSendsNoMore) {
  const auto client = connect();
  send(client, "trivet/1 reload\n");
  ::shutdown(client.get(), SHUT_WR);
  run_until_asked();
  io::run_for(loop_, std::chrono::milliseconds(150));  // Longer than the patience for commands.
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
  replies_.front().answer(78, "t.toml:1:1: error: no\n");
  EXPECT_EQ(all(client), "trivet/1 78 22 0\nt.toml:1:1: error: no\n");
}

TEST_F(AdminServing, AReplyIsForgottenWhereTheClientHasGone) {
  auto client = connect();
  send(client, "trivet/1 reload\n");
  run_until_asked();
  client.reset();
  io::run_for(loop_, std::chrono::milliseconds(5));
  EXPECT_FALSE(replies_.front().release().is_open());
  replies_.front().answer(0);
}

TEST_F(AdminServing, AReplyThatNobodyGivesIsAFailure) {
  const auto client = connect();
  send(client, "trivet/1 reload\n");
  run_until_asked();
  replies_.clear();
  EXPECT_EQ(all(client), "trivet/1 1 42 0\ntrivet: the host ended before it was done\n");
}

TEST_F(AdminServing, AReplyThatIsMadeOfNothingOrOutlivesTheServerLeadsNowhere) {
  AdminReply nobody;
  nobody.answer(0, "x");
  EXPECT_FALSE(nobody.release().is_open());
  const auto client = connect();
  send(client, "trivet/1 reload\n");
  run_until_asked();
  server_.reset();
  replies_.front().answer(0, "x");
  EXPECT_EQ(all(client), "");
}

TEST_F(AdminServing, AClientIsKeptThroughAnUpgrade) {
  const auto client = connect();
  send(client, "trivet/1 upgrade\n");
  ASSERT_TRUE(io::run_until(loop_, [&] { return kept_.is_open(); }));
  server_.reset();
  server_ = std::make_unique<AdminServer>(loop_, log_, *this);
  server_->adopt(std::move(kept_)).answer(0, "done\n");
  EXPECT_EQ(all(client), "trivet/1 0 5 0\ndone\n");
  server_->adopt({}).answer(0);
}

TEST_F(AdminServing, WhoseCommandHasNotArrivedIsHeardAfterAnUpgrade) {
  const auto half = connect();
  send(half, "trivet/1 log-");
  const auto silent = connect();
  const auto waits = connect();
  send(waits, "trivet/1 reload\n");
  run_until_asked();
  auto unheard = server_->release_unheard();
  ASSERT_EQ(unheard.size(), 2U);
  EXPECT_EQ(unheard.front().said, "trivet/1 log-");
  EXPECT_EQ(unheard.back().said, "");
  EXPECT_TRUE(server_->release_unheard().empty());
  server_.reset();
  server_ = std::make_unique<AdminServer>(loop_, log_, *this);
  // Said while nobody read, and said after.
  send(silent, "trivet/1 status text\n");
  for (AdminWaiting& each : unheard) server_->hear(std::move(each));
  send(half, "level debug\n");
  EXPECT_EQ(all(half), "trivet/1 0 0 0\n");
  EXPECT_EQ(all(silent), "trivet/1 0 0 12\nall is well\n");
  server_->hear({});
}

TEST_F(AdminServing, AWholeCommandThatWasHeardBeforeAnUpgradeIsAskedAgain) {
  const auto client = connect();
  send(client, "trivet/1 upgrade\n");
  ASSERT_TRUE(io::run_until(loop_, [&] { return kept_.is_open(); }));
  server_->hear({std::move(kept_), "trivet/1 reload\n"});
  ASSERT_EQ(replies_.size(), 1U);
  replies_.front().answer(0, "done\n");
  EXPECT_EQ(all(client), "trivet/1 0 5 0\ndone\n");
}

TEST_F(AdminServing, WhoStopsTheHostIsAnsweredAtItsEndAndWaitsForThatOfTheProcess) {
  const auto graceful = connect();
  const auto sharp = connect();
  const auto drain = connect();
  send(graceful, "trivet/1 stop\n");
  ASSERT_TRUE(io::run_until(loop_, [&] { return ends_.size() == 1; }));
  send(sharp, "trivet/1 stop now\n");
  ASSERT_TRUE(io::run_until(loop_, [&] { return ends_.size() == 2; }));
  send(drain, "trivet/1 drain\n");
  ASSERT_TRUE(io::run_until(loop_, [&] { return ends_.size() == 3; }));
  EXPECT_EQ(ends_, (std::vector{End::graceful, End::now, End::drain}));
  std::string got;
  EXPECT_TRUE(read_some(graceful, got));
  EXPECT_EQ(got, "");
  server_.reset();
  for (const auto* each : {&graceful, &sharp, &drain}) {
    got.clear();
    EXPECT_TRUE(read_some(*each, got)) << "the connection ended before the process";
    EXPECT_EQ(got, "trivet/1 0 0 0\n");
  }
}

TEST_F(AdminServing, WhoDoesNotWantToWaitIsAnsweredAtOnce) {
  EXPECT_EQ(ask("trivet/1 stop no-wait\n"), "trivet/1 0 0 0\n");
  EXPECT_EQ(ask("trivet/1 drain no-wait\n"), "trivet/1 0 0 0\n");
  EXPECT_EQ(ends_, (std::vector{End::graceful, End::drain}));
}

TEST_F(AdminServing, WhoSaysNothingIsClosed) {
  const auto silent = connect();
  const auto half = connect();
  send(half, "trivet/1 st");
  EXPECT_EQ(all(silent), "");
  EXPECT_EQ(all(half), "");
}

TEST_F(AdminServing, WhoDoesNotTakeTheAnswerIsClosed) {
  status_.assign(8 << 20, 'x');
  const auto slow = connect();
  send(slow, "trivet/1 status text\n");
  io::run_for(loop_, std::chrono::milliseconds(250));
  const auto got = all(slow);
  ASSERT_TRUE(got);
  EXPECT_LT(got->size(), status_.size());
}

TEST_F(AdminServing, AThousandWhoSayNothingKeepNobodyOut) {
  std::vector<process::FileDescriptor> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(connect());
    if (i % 32 == 0) io::run_for(loop_, std::chrono::milliseconds(2));
  }
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
}

TEST_F(AdminServing, WhereEverybodyHasACommandThatRunsTheNextIsToldSo) {
  std::vector<process::FileDescriptor> busy;
  for (std::size_t i = 0; i < AdminServer::most_sessions; ++i) {
    busy.push_back(connect());
    send(busy.back(), "trivet/1 reload\n");
    ASSERT_TRUE(io::run_until(loop_, [&] { return replies_.size() == i + 1; }));
  }
  EXPECT_THAT(ask("").value_or(""), HasSubstr("too many commands"));
  replies_.clear();
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
}

TEST_F(AdminServing, AnotherPathTakesThePlaceOfTheFirstAndAFailureChangesNothing) {
  EXPECT_TRUE(server_->listen(path_));
  const auto failed = server_->listen(folder_ / "none/admin.sock");
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("server.admin: cannot open the folder"));
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
  ASSERT_TRUE(server_->listen(folder_ / "other.sock"));
  struct stat found{};
  EXPECT_NE(::stat(path_.c_str(), &found), 0);
  path_ = folder_ / "other.sock";
  EXPECT_EQ(ask("trivet/1 status json\n"), "trivet/1 0 0 3\n{}\n");
  EXPECT_TRUE(server_->listen({}));
  EXPECT_NE(::stat(path_.c_str(), &found), 0);
}

TEST_F(AdminServing, AnotherUserIsRefusedAndToldOnce) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(::seteuid(65534), 0);
    const auto stranger = connect();
    ASSERT_EQ(::seteuid(0), 0);
    EXPECT_EQ(all(stranger), "");
  }
  EXPECT_EQ(log_.count("somebody who may not was refused at the admin socket"), 1U);
}

}  // namespace
}  // namespace trivet::host
