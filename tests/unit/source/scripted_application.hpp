#pragma once

#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "runtime/log/memory_log.hpp"
#include "runtime/source/application.hpp"
#include "tests/unit/host/harness.hpp"
#include "tests/unit/protocol/wire.hpp"

/// An application that the test plays, over connections in memory, and a request that it answers.
namespace trivet::source::testing {

/// One connection, as the application sees it.
struct Wire {
  io::TransportEvents* events = nullptr;
  std::string received;  ///< What the host wrote, all of it.
  std::string to_host;   ///< What the host has not read.
  std::size_t accepts = SIZE_MAX;
  std::size_t read_at_most = SIZE_MAX;
  bool ends = false;    ///< The application closed it: after what was sent.
  int write_error = 0;  ///< Of every write.
  int read_error = 0;   ///< Once what was sent is read.
  bool closed = false;  ///< The host closed it.
  bool wants_read = false;
  bool wants_write = false;

  /// The bodies of all FCGI_STDIN records that came.
  [[nodiscard]] std::string body() const;
  [[nodiscard]] bool body_ended() const;
  [[nodiscard]] std::string params() const;   ///< As `NAME=value\n`, of the last request.
  [[nodiscard]] unsigned request_id() const;  ///< Of the last request; 0 before the first.
};

class ScriptedDialer final : public Dialer {
 public:
  Dialed dial(io::TransportEvents& events) override;
  [[nodiscard]] std::span<std::uint8_t> read_buffer() noexcept override { return buffer_; }

  std::deque<int> errors;  ///< Of the next connections; 0: it works.
  Wire plain;              ///< What a new connection starts as.
  std::vector<std::unique_ptr<Wire>> wires;

 private:
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(4096);
};

/// What the rest of a chain would be.
class RecordingSink final : public roles::StageSink {
 public:
  cgi::ResponseHead* head(std::size_t) noexcept override {
    return output.empty() && flushes == 0 ? &answer : nullptr;
  }
  void on_output(std::size_t, base::Bytes bytes) override { output += base::as_text(bytes); }
  void on_flush(std::size_t) override { ++flushes; }
  void on_done(std::size_t) override { ++done; }
  void on_failed(std::size_t, roles::StageFailure why) override {
    ++failed;
    failure = std::move(why);
  }
  [[nodiscard]] bool has_room_after(std::size_t) const noexcept override { return room; }
  void on_progress(std::size_t) override {}

  cgi::ResponseHead answer;
  std::string output;
  int flushes = 0;
  int done = 0;
  int failed = 0;
  roles::StageFailure failure{0, {}};
  bool room = true;
};

/// One request and its stage.
class Stageplay {
 public:
  Stageplay() { limits.stall_time = std::chrono::seconds(60); }

  /// After the configuration is as it should be.
  void open(std::string_view pattern = "/**");
  [[nodiscard]] ScriptedDialer& dialer() { return *dialer_; }
  [[nodiscard]] Wire& wire(std::size_t number = 0) { return *dialer_->wires.at(number); }
  [[nodiscard]] const LinkPool& pool() const { return application->pool(); }
  /// Tells stages what they wait for, until nothing more happens.
  void settle();
  /// The application sends; `settle` follows. Whole records that are written for the id 1 go out for the last
  /// request's.
  void say(std::string_view bytes, std::size_t number = 0);
  void hang_up(std::size_t number = 0);

  host::testing::FakeLoop loop;
  log::MemoryLog log;
  base::Limits limits;
  host::testing::FakeSpools spools;
  roles::Journal journal;
  config::Application config;
  std::unique_ptr<Application> application;

 private:
  ScriptedDialer* dialer_ = nullptr;
};

class Play {
 public:
  explicit Play(Stageplay& bench, std::vector<std::pair<std::string, std::string>> params = {},
                std::string_view path = "/x.php");
  void start();
  /// A whole body, and its end.
  void body(std::string_view bytes);
  void end_body();

  Stageplay& bench;
  std::vector<std::pair<std::string, std::string>> texts;
  cgi::Params params;
  cgi::RequestPath path;
  roles::CallFacts facts;
  RecordingSink sink;
  std::unique_ptr<roles::Stage> stage;
};

/// A whole answer: output, its end, END_REQUEST.
[[nodiscard]] std::string answer(std::string_view output);
[[nodiscard]] std::string out(std::string_view bytes);
[[nodiscard]] std::string err(std::string_view bytes);
[[nodiscard]] std::string end(std::uint32_t app_status = 0, unsigned protocol_status = 0);

}  // namespace trivet::source::testing
