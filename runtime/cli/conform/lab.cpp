#include "runtime/cli/conform/lab.hpp"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>
#include <utility>

#include "runtime/cli/call_params.hpp"
#include "runtime/cli/connect.hpp"
#include "runtime/cli/trace.hpp"

namespace trivet::cli::conform {

namespace {

std::string shown(const Answer& answer) {
  if (!answer.ended())
    return "no END_REQUEST" +
           (answer.out.empty() ? "" : " after \"" + escaped(answer.out.substr(0, 60)) + "\"");
  return "protocolStatus " + std::to_string(answer.protocol_status) + ", appStatus " +
         std::to_string(answer.app_status) + ", status " + std::to_string(answer.status()) + ", " +
         std::to_string(answer.body().size()) + " bytes \"" + escaped(answer.body().substr(0, 60)) + "\"";
}

/// The fields of a head but Content-Length: an application says it when it knows the whole answer in time.
std::string without_length(std::string_view head) {
  std::string rest;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find('\n'), head.size() - 1) + 1;
    const std::string line(head.substr(0, end));
    constexpr char length[] = "content-length:";
    if (::strncasecmp(line.c_str(), length, sizeof length - 1) != 0) rest += line;
    head.remove_prefix(end);
  }
  return rest;
}

/// Where two answers differ; empty: they say the same.
std::string difference(const Answer& wanted, const Answer& came) {
  const auto at = [](std::string_view one, std::string_view other) {
    return std::to_string(std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first -
                          one.begin());
  };
  if (!came.ended()) return "that one never ended";
  if (came.protocol_status != wanted.protocol_status) return "protocolStatus";
  if (came.app_status != wanted.app_status) return "appStatus";
  if (came.body() != wanted.body()) return "byte " + at(wanted.body(), came.body()) + " of the body";
  const std::string head = without_length(wanted.head());
  const std::string other = without_length(came.head());
  return head == other ? "" : "byte " + at(head, other) + " of the head";
}

/// The parent of a process and the memory it has in use; both 0 when it is gone.
std::pair<int, std::uint64_t> look_at_process(int process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/status");
  std::pair<int, std::uint64_t> found{0, 0};
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("PPid:")) found.first = std::atoi(line.c_str() + 5);
    if (line.starts_with("VmRSS:")) found.second = std::strtoull(line.c_str() + 6, nullptr, 10) * 1024;
  }
  return found;
}

std::vector<int> processes() {
  std::vector<int> all;
  DIR* const folder = ::opendir("/proc");
  if (folder == nullptr) return all;
  while (const dirent* each = ::readdir(folder)) {  // NOLINT(concurrency-mt-unsafe)
    if (const int process = std::atoi(each->d_name); process > 0) all.push_back(process);
  }
  ::closedir(folder);
  return all;
}

}  // namespace

void expect(bool holds, const std::string& otherwise) {
  if (!holds) throw Failed{otherwise};
}

Lab::Lab(Target target) : target_(std::move(target)) {}

bool Lab::reachable(std::string& problem) {
  auto socket = connect_to(target_.address, target_.timeout);
  if (!socket) problem = socket.error().message;
  if (socket && target_.process == 0 && std::holds_alternative<config::UnixAddress>(target_.address)) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) target_.process = peer.pid;
  }
  return socket.ok();
}

Connection Lab::open() {
  auto socket = connect_to(target_.address, target_.timeout);
  if (!socket) throw Failed{"cannot connect: " + socket.error().message};
  const int on = 1;
  static_cast<void>(::setsockopt(socket->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  return {std::move(socket).value(), seen_};
}

Request Lab::get(std::uint16_t role) const {
  return get(role, role == role_authorizer ? target_.authorizer
                   : role == role_filter   ? target_.filter
                                           : target_.responder);
}

Request Lab::get(std::uint16_t role, const std::string& uri) const {
  CallCommand call;
  call.uri = uri;
  call.role = static_cast<protocol::Role>(role);
  call.params = target_.params;
  call.without = target_.without;
  Request request;
  request.role = role;
  request.params = call_params(call, {});
  return request;
}

Request Lab::post(std::string body) const {
  Request request = get();
  for (auto& [name, value] : request.params) {
    if (name == "REQUEST_METHOD") value = "POST";
  }
  request.params.emplace_back("CONTENT_LENGTH", std::to_string(body.size()));
  request.params.emplace_back("CONTENT_TYPE", "application/octet-stream");
  request.body = std::move(body);
  return request;
}

Request Lab::asking(bool granted) const {
  Request request = get(role_authorizer);
  if (granted) request.params.insert(request.params.end(), target_.grant.begin(), target_.grant.end());
  return request;
}

Request Lab::filtering(std::string data, std::string body) const {
  Request request = get(role_filter);
  request.params.emplace_back("FCGI_DATA_LENGTH", std::to_string(data.size()));
  request.params.emplace_back("FCGI_DATA_LAST_MOD", "0");
  if (!body.empty()) request.params.emplace_back("CONTENT_LENGTH", std::to_string(body.size()));
  request.data = std::move(data);
  request.body = std::move(body);
  return request;
}

Answer Lab::ask(const Request& request) {
  Connection connection = open();
  // A peer that answers early may take no more.
  static_cast<void>(connection.send(wire(request), patience()));
  static_cast<void>(connection.wait_end(patience() * 3, request.id));
  expect(connection.broken().empty(), connection.broken());
  return connection.answer(request.id);
}

const Answer& Lab::plain(const Request& request) {
  Request alone = request;
  alone.id = 1;
  alone.keep = false;
  const auto [at, is_new] = plain_.try_emplace(wire(alone));
  if (is_new) at->second = ask(alone);
  expect(at->second.ended(), "asked plainly: " + shown(at->second));
  return at->second;
}

void Lab::same(Connection& connection, const Request& request, const std::string& told) {
  static_cast<void>(connection.wait_end(patience() * 3, request.id));
  const std::string before = told.empty() ? "" : told + ": ";
  expect(connection.broken().empty(), before + connection.broken());
  const Answer& answer = connection.answer(request.id);
  const Answer& wanted = plain(request);
  const std::string differs = difference(wanted, answer);
  expect(differs.empty(),
         before + "expected " + shown(wanted) + "; came " + shown(answer) + "; they differ in " + differs);
  expect(answer.ends == 1 && !answer.late, before + "records after END_REQUEST");
}

void Lab::serves(Connection& connection, std::uint16_t id) {
  Request request = get();
  request.id = id;
  request.keep = true;
  expect(connection.send(wire(request), patience()), "the connection takes no further request");
  same(connection, request, "the next request on this connection");
}

void Lab::serves() {
  const Request request = get();
  Connection connection = open();
  static_cast<void>(connection.send(wire(request), patience()));
  static_cast<void>(connection.wait_end(patience()));
  expect(connection.answer().ended(), "a good request on a new connection was not answered within " +
                                          std::to_string(patience().count()) + " ms");
  same(connection, request, "a good request on a new connection");
}

void Lab::settle(Connection& connection, std::uint16_t id) const {
  static_cast<void>(connection.wait(patience(), [&] { return connection.answer(id).ended(); }));
}

void Lab::refused(Connection& connection, const std::string& told, std::uint16_t id) {
  settle(connection, id);
  const Answer& answer = connection.answer(id);
  expect(connection.closed() || answer.ended(), told + ": neither refused nor closed");
  expect(!answer.clean(), told + ": served, " + shown(answer));
}

void Lab::not_granted(Connection& connection, const std::string& told, std::uint16_t id) {
  settle(connection, id);
  const Answer& answer = connection.answer(id);
  // Web servers take an answer without a Status for 200.
  const bool granted =
      answer.ended() && answer.protocol_status == 0 && answer.status() >= 200 && answer.status() < 300;
  expect(!granted, told + ": granted, " + shown(answer));
}

std::optional<std::uint64_t> Lab::memory() const {
  if (target_.process == 0) return std::nullopt;
  std::map<int, std::pair<int, std::uint64_t>> all;
  for (const int each : processes()) all.emplace(each, look_at_process(each));
  std::uint64_t sum = 0;
  for (const auto& [process, found] : all) {
    for (int at = process; at > 1; at = all.contains(at) ? all.at(at).first : 0) {
      if (at != target_.process) continue;
      sum += found.second;
      break;
    }
  }
  return sum == 0 ? std::nullopt : std::optional(sum);
}

void Lab::memory_within(std::optional<std::uint64_t> before, std::uint64_t mebibytes) const {
  const auto now = memory();
  if (!before || !now) return;
  const std::uint64_t more = *now > *before ? *now - *before : 0;
  expect(more <= mebibytes << 20U,
         "uses " + std::to_string(more >> 20U) + " MiB more, expected at most " + std::to_string(mebibytes));
}

std::uint32_t Lab::random(std::uint32_t below) {
  state_ ^= state_ << 13U;
  state_ ^= state_ >> 17U;
  state_ ^= state_ << 5U;
  return state_ % below;
}

}  // namespace trivet::cli::conform
