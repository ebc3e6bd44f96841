#include "runtime/cli/call_command.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "runtime/cli/call_params.hpp"
#include "runtime/cli/fastcgi_client.hpp"
#include "runtime/cli/head_parser.hpp"
#include "runtime/cli/trace.hpp"
#include "runtime/config/load.hpp"
#include "runtime/process/signal_mask.hpp"

namespace trivet::cli {
namespace {

void say(const std::string& text) { std::fputs(("trivet: " + text + "\n").c_str(), stderr); }

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(descriptor, text.data(), text.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

/// The answer on its way to a person or a pipe.
class Show final : public AnswerSink {
 public:
  explicit Show(const CallCommand& command) : command_(command) {}

  bool on_output(base::Bytes bytes) override {
    const bool was_reading = head.state() == HeadParser::State::reading;
    const base::Bytes body = head.feed(bytes);
    if (head.state() == HeadParser::State::malformed) {
      problem = head.problem();
      return false;
    }
    if (was_reading && head.state() == HeadParser::State::complete && command_.show_head) {
      if (!write(head.text() + "\n")) return false;
    }
    return body.empty() || write(base::as_text(body));
  }
  void on_error_output(base::Bytes bytes) override { write_all(STDERR_FILENO, base::as_text(bytes)); }
  void on_sent(base::Bytes bytes) override {
    if (command_.trace) write_all(STDERR_FILENO, sent_.feed(bytes));
  }
  void on_received(base::Bytes bytes) override {
    if (command_.trace) write_all(STDERR_FILENO, received_.feed(bytes));
  }

  HeadParser head;
  std::string problem;

 private:
  bool write(std::string_view text) {
    if (write_all(STDOUT_FILENO, text)) return true;
    problem = base::system_error("standard output", errno).message;
    return false;
  }

  const CallCommand& command_;
  Trace sent_{'>'};
  Trace received_{'<'};
};

/// What the answer is worth to a script.
int judge(const CallCommand& command, const Show& show, const Outcome& outcome) {
  if (!show.problem.empty()) {
    say(show.problem);
    return exit_failed;
  }
  if (!outcome.ended) {
    say(outcome.problem);
    return exit_failed;
  }
  if (outcome.protocol_status != 0 || outcome.app_status != 0) {
    say("the request ended with protocol status " + std::to_string(outcome.protocol_status) +
        " and application status " + std::to_string(outcome.app_status));
    return exit_failed;
  }
  if (show.head.state() != HeadParser::State::complete) {
    say("the answer has no complete head");
    return exit_failed;
  }
  const bool authorizer = command.role == protocol::Role::authorizer;
  if (!show.head.status()) {
    say(authorizer ? "the answer has no Status: some web servers take that for allow"
                   : "the answer has no Status: web servers take that for 200");
    return command.fail_on_status && authorizer ? exit_failed : exit_ok;
  }
  const int status = *show.head.status();
  if (command.fail_on_status && (authorizer ? status != 200 : status >= 400)) return exit_failed;
  return exit_ok;
}

}  // namespace

int run_call(const CallCommand& command) {
  if (auto ignored = process::ignore_sigpipe(); !ignored) {
    say(ignored.error().message);
    return exit_internal;
  }
  const auto address = config::parse_address(command.address);
  if (const auto* wrong = std::get_if<std::string>(&address)) {
    say(*wrong);
    return exit_usage;
  }
  ClientRequest request;
  request.role = command.role;
  CallLengths lengths;
  if (command.body) {
    auto opened = InputSource::open(*command.body, "@-");
    if (!opened) {
      say(opened.error().message);
      return exit_failed;
    }
    request.body = std::move(opened).value();
    lengths.has_body = true;
    lengths.body = request.body.length();
  }
  if (command.role == protocol::Role::filter) {
    auto opened = InputSource::open(command.data.value_or(""), "-");
    if (!opened) {
      say(opened.error().message);
      return exit_failed;
    }
    request.data = std::move(opened).value();
    lengths.data = request.data.length();
    lengths.data_modified = request.data.modified().value_or(std::time(nullptr));
  }
  request.params = call_params(command, lengths);
  const auto socket = connect_to(std::get<config::Address>(address));
  if (!socket.ok()) {
    say(socket.error().message + " (is `trivet serve` running, and may you connect?)");
    return exit_unreachable;
  }
  Show show(command);
  FastcgiClient client(socket.value(), std::move(request), show, command.timeout);
  return judge(command, show, client.run());
}

}  // namespace trivet::cli
