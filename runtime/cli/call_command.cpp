#include "runtime/cli/call_command.hpp"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "runtime/cli/call_address.hpp"
#include "runtime/cli/call_params.hpp"
#include "runtime/cli/connect.hpp"
#include "runtime/cli/fastcgi_client.hpp"
#include "runtime/cli/head_parser.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/trace.hpp"

namespace trivet::cli {
namespace {

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
  void on_error_output(base::Bytes bytes) override { tell(base::as_text(bytes)); }
  void on_sent(base::Bytes bytes) override {
    if (command_.trace) tell(sent_.feed(bytes));
  }
  void on_received(base::Bytes bytes) override {
    if (command_.trace) tell(received_.feed(bytes));
  }
  /// Nothing more is sent or received.
  void end() {
    if (command_.trace) tell(sent_.end() + received_.end());
  }

  HeadParser head;
  std::string problem;

 private:
  /// What goes to standard error and cannot be written there is lost: the answer matters more.
  static void tell(std::string_view text) { static_cast<void>(write_all(STDERR_FILENO, text)); }

  bool write(std::string_view text) {
    if (write_all(STDOUT_FILENO, text)) return true;
    problem = base::system_error("the answer cannot be written to standard output", errno).message;
    return false;
  }

  const CallCommand& command_;
  Trace sent_{'>'};
  Trace received_{'<'};
};

/// Why there is no answer that could be judged; empty when there is one.
std::string problem_of(const CallCommand& command, const Show& show, const Outcome& outcome) {
  if (!show.problem.empty()) return show.problem;
  if (!outcome.ended) return outcome.problem;
  if (outcome.protocol_status != 0 || outcome.app_status != 0) {
    return "the request ended with protocol status " + protocol_status_name(outcome.protocol_status) +
           " and application status " + std::to_string(outcome.app_status);
  }
  if (show.head.state() == HeadParser::State::complete) return {};
  if (show.head.begun()) return "the request ended within the head of the answer";
  return command.role == protocol::Role::authorizer
             ? "the request ended without an answer: some web servers take this for allow"
             : "the request ended without an answer";
}

/// What the answer is worth to a script.
int judge(const CallCommand& command, const Show& show, const Outcome& outcome) {
  if (const std::string problem = problem_of(command, show, outcome); !problem.empty()) {
    say(problem);
    return exit_failed;
  }
  const bool authorizer = command.role == protocol::Role::authorizer;
  if (!show.head.status()) {
    if (authorizer) {
      say("the answer has no Status: some web servers take this for allow");
      return command.fail_on_status ? exit_failed : exit_ok;
    }
    say(show.head.has_location() ? "note: the answer has no Status; its Location makes that 302"
                                 : "note: the answer has no Status; web servers take this for 200");
    return exit_ok;
  }
  const int status = *show.head.status();
  const bool failed = authorizer ? status != 200 : status >= 400;
  return command.fail_on_status && failed ? exit_failed : exit_ok;
}

/// Opens what is sent. Gives the parameters too, which tell how long it is.
base::Result<ClientRequest> prepare(const CallCommand& command) {
  ClientRequest request;
  request.role = command.role;
  CallLengths lengths;
  if (command.body) {
    auto opened = InputSource::open(*command.body);
    if (!opened) return opened.error();
    request.body = std::move(opened).value();
    lengths.has_body = true;
    lengths.body = request.body.length();
  }
  if (command.role == protocol::Role::filter) {
    const std::string data = command.data.value_or("");
    auto opened = data == "-" ? InputSource::standard_input() : InputSource::open(data);
    if (!opened) return opened.error();
    request.data = std::move(opened).value();
    lengths.data = request.data.length();
    lengths.data_modified = request.data.modified().value_or(std::time(nullptr));
  }
  request.params = call_params(command, lengths);
  return request;
}

}  // namespace

int run_call(const CallCommand& command) {
  const auto address = call_address(command.address);
  if (const auto* wrong = std::get_if<std::string>(&address)) {
    say(*wrong);
    return exit_usage;
  }
  auto request = prepare(command);
  if (!request) {
    say(request.error().message);
    return exit_failed;
  }
  auto socket = connect_to(std::get<config::Address>(address), command.timeout);
  if (!socket) {
    say(socket.error().message);
    return exit_unreachable;
  }
  Show show(command);
  FastcgiClient client(std::move(socket).value(), std::move(request).value(), show, command.timeout);
  const Outcome outcome = client.run();
  show.end();
  return judge(command, show, outcome);
}

}  // namespace trivet::cli
