#include "runtime/cli/admin_command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli {
namespace {

using testing::HasSubstr;

/// A host that says the same to everybody.
class AdminCommands : public testing::Test {
 protected:
  AdminCommands() { folder_ = ::mkdtemp(folder_.data()); }
  ~AdminCommands() override { std::filesystem::remove_all(folder_); }

  process::FileDescriptor listen() const {
    process::FileDescriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_path().data(), socket_path().size());
    EXPECT_EQ(::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);  // NOLINT
    EXPECT_EQ(::listen(made.get(), 5), 0);
    return made;
  }
  [[nodiscard]] std::string socket_path() const { return folder_ + "/a"; }

  struct Outcome {
    int code;
    std::string out;
    std::string err;
  };
  static Outcome run(const AdminCommand& command) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = run_admin(command);
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  Outcome ask(const std::string& answer, const host::AdminRequest& request, std::string* line = nullptr) {
    const auto listening = listen();
    std::string asked;
    std::thread host([&] {
      const process::FileDescriptor link(::accept(listening.get(), nullptr, nullptr));
      std::array<char, 256> bytes{};
      const ssize_t got = ::recv(link.get(), bytes.data(), bytes.size(), 0);
      asked.assign(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      for (const char each : answer) ::send(link.get(), &each, 1, MSG_NOSIGNAL);
    });
    const Outcome outcome = run({request, socket_path(), {}});
    host.join();
    ::unlink(socket_path().c_str());
    if (line != nullptr) *line = asked;
    return outcome;
  }

  std::string folder_ = "/tmp/trivet-cli-XXXXXX";
};

constexpr host::AdminRequest of(host::AdminRequest::Command command) {
  host::AdminRequest request;
  request.command = command;
  return request;
}

TEST_F(AdminCommands, GiveWhatTheHostSays) {
  std::string line;
  Outcome got = ask("trivet/1 0 0 9\nall well\n", of(host::AdminRequest::Command::status), &line);
  EXPECT_EQ(line, "trivet/1 status text\n");
  EXPECT_EQ(got.code, 0);
  EXPECT_EQ(got.out, "all well\n");
  EXPECT_EQ(got.err, "");
  got = ask("trivet/1 78 7 0\nbroken\n", of(host::AdminRequest::Command::reload));
  EXPECT_EQ(got.code, 78);
  EXPECT_EQ(got.out, "");
  EXPECT_EQ(got.err, "broken\n");
  EXPECT_EQ(ask("trivet/1 0 0 0\n", of(host::AdminRequest::Command::stop)).code, 0);
}

TEST_F(AdminCommands, AnAnswerThatIsCutIsNone) {
  const std::string answer = "trivet/1 0 3 3\nab\ncd\n";
  for (std::size_t cut = 0; cut < answer.size(); ++cut) {
    const Outcome got = ask(answer.substr(0, cut), of(host::AdminRequest::Command::reload));
    EXPECT_EQ(got.code, exit_failed) << cut;
    EXPECT_EQ(got.out, "");
    EXPECT_THAT(got.err, HasSubstr("without an answer"));
  }
}

TEST_F(AdminCommands, WhatIsNoHostIsToldSo) {
  const Outcome got = ask("HTTP/1.1 400 Bad Request\r\n\r\n", of(host::AdminRequest::Command::status));
  EXPECT_EQ(got.code, exit_failed);
  EXPECT_THAT(got.err, HasSubstr("no admin socket of a Trivet host"));
}

TEST_F(AdminCommands, WhereNobodyIsReachedTheReasonAndACureAreTold) {
  const AdminCommand command{of(host::AdminRequest::Command::status), socket_path(), {}};
  Outcome got = run(command);
  EXPECT_EQ(got.code, exit_unreachable);
  EXPECT_THAT(got.err,
              HasSubstr("unix:" + socket_path() + " is not reachable: No such file or directory (there "));
  listen();
  got = run(command);
  EXPECT_EQ(got.code, exit_unreachable);
  EXPECT_THAT(got.err, HasSubstr("Connection refused (nobody listens there any more"));
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  got = run(command);
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(got.code, exit_unreachable);
  EXPECT_THAT(got.err, HasSubstr("Permission denied (only root and the user of the host may ask it)"));
}

TEST_F(AdminCommands, TheSocketIsTheOneThatAConfigurationNamesWhateverElseIsWrongWithIt) {
  const std::string file = folder_ + "/t.toml";
  const auto with = [&](const std::string& text) {
    std::ofstream(file) << text;
    return run({of(host::AdminRequest::Command::stop), {}, file});
  };
  EXPECT_THAT(with("[server]\nruntime_dir = \"" + folder_ + "\"\nproceses = 3\n").err,
              HasSubstr("unix:" + folder_ + "/admin.sock is not reachable"));
  EXPECT_THAT(with("[server]\nadmin = \"unix:" + folder_ + "/x\"\n[[route]]\nrespond = 7\n").err,
              HasSubstr("unix:" + folder_ + "/x is not reachable"));
  Outcome got = with("[server]\nadmin = \"off\"\n");
  EXPECT_EQ(got.code, exit_unreachable);
  EXPECT_THAT(got.err, HasSubstr("`admin` is \"off\""));
  got = with("[server]\nadmin = 7\n");
  EXPECT_EQ(got.code, exit_configuration);
  EXPECT_THAT(got.err, HasSubstr("`admin` expects a text"));
  got = with("[server\n");
  EXPECT_EQ(got.code, exit_configuration);
  std::filesystem::remove(file);
  got = run({of(host::AdminRequest::Command::stop), {}, file});
  EXPECT_EQ(got.code, exit_configuration);
  EXPECT_THAT(got.err, HasSubstr("cannot read the file"));
}

}  // namespace
}  // namespace trivet::cli
