#include <algorithm>
#include <thread>

#include "runtime/cli/conform/lab.hpp"

/// Clients that cost more than they should, in numbers that every host has to stand.
namespace trivet::cli::conform {

namespace {

using std::chrono::milliseconds;

/// So many clients that stop after these bytes, and then a good request.
void waiting_clients(Lab& lab, const std::string& bytes) {
  std::vector<Connection> waiting;
  for (int count = 0; count < 200; ++count) {
    waiting.push_back(lab.open());
    static_cast<void>(waiting.back().push(bytes, lab.patience()));
  }
  lab.serves();
}

void silent(Lab& lab) { waiting_clients(lab, ""); }
void half_header(Lab& lab) { waiting_clients(lab, begin(role_responder).substr(0, 4)); }
void half_params(Lab& lab) {
  const std::string params = pairs(lab.get().params);
  waiting_clients(lab, begin(role_responder) + pieces(kind_params, params.substr(0, params.size() / 2)));
}
void half_stdin(Lab& lab) {
  const Request request = lab.post(std::string(1000, 'x'));
  waiting_clients(
      lab, begin(role_responder) + stream(kind_params, pairs(request.params)) + pieces(kind_stdin, "half"));
}

void begins_alone(Lab& lab) {
  const auto before = lab.memory();
  std::string bytes;
  for (std::uint32_t id = 1; id <= 65535; ++id)
    bytes += begin(role_responder, true, static_cast<std::uint16_t>(id));
  // Its answer tells that all before it was looked at.
  bytes += record(kind_get_values, pair("FCGI_MPXS_CONNS", ""), 0);
  Connection connection = lab.open();
  static_cast<void>(connection.send(bytes, lab.patience()));
  const std::size_t wanted = 65535 - 1024;
  static_cast<void>(connection.wait(
      lab.patience(), [&] { return connection.ends() >= wanted || !connection.values().empty(); }));
  expect(connection.closed() || connection.ends() >= wanted,
         std::to_string(65535 - connection.ends()) +
             " requests are open on one connection, expected at most 1024");
  for (const auto& [id, answer] : connection.answers()) {
    expect(!answer.ended() || answer.protocol_status == 1 || answer.protocol_status == 2 ||
               answer.protocol_status == 0,
           "a refusal with protocolStatus " + std::to_string(answer.protocol_status));
  }
  lab.memory_within(before, 64);
  lab.serves();
}

void begins_and_aborts(Lab& lab) {
  constexpr std::uint16_t count = 20'000;
  Connection connection = lab.open();
  for (std::uint16_t at = 0; at < count; at += 1000) {
    std::string bytes;
    for (std::uint16_t id = at + 1; id <= at + 1000; ++id)
      bytes += begin(role_responder, true, id) + record(kind_abort, "", id);
    if (!connection.send(bytes, lab.patience())) break;
    if (at % 5000 == 0) lab.serves();
  }
  static_cast<void>(connection.wait(lab.patience(), [&] { return connection.ends() >= count; }));
  expect(connection.closed() || connection.ends() == count,
         std::to_string(connection.ends()) + " END_REQUEST for 20,000 requests");
}

void requests_and_aborts(Lab& lab) {
  constexpr std::uint16_t count = 2'000;
  Connection connection = lab.open();
  for (std::uint16_t id = 1; id <= count; ++id) {
    Request request = lab.get();
    request.keep = true;
    request.id = id;
    if (!connection.send(wire(request) + record(kind_abort, "", id), lab.patience())) break;
  }
  static_cast<void>(connection.wait(lab.patience(), [&] { return connection.ends() >= count; }));
  expect(connection.closed() || connection.ends() == count,
         std::to_string(connection.ends()) + " END_REQUEST for 2,000 requests");
  for (const auto& [id, answer] : connection.answers())
    expect(answer.ends <= 1, "request " + std::to_string(id) + " was ended twice");
}

void thousand_vanish(Lab& lab) {
  const std::string bytes = wire(lab.post(std::string(500, 'x')));
  lab.reseed(8);
  for (int count = 0; count < 1000; ++count) {
    Connection connection = lab.open();
    const std::size_t size = lab.random(static_cast<std::uint32_t>(bytes.size() + 1));
    static_cast<void>(connection.push(std::string_view(bytes).substr(0, size), lab.patience()));
    connection.vanish();
  }
  lab.serves();
}

void many_connects(Lab& lab) {
  for (int count = 0; count < 2000; ++count) static_cast<void>(lab.open());
  lab.serves();
}

void readers_that_stop(Lab& lab) {
  const auto before = lab.memory();
  const std::string bytes = wire(lab.post(std::string(4U << 20U, 'x')));
  std::vector<Connection> stopped;
  for (int count = 0; count < 8; ++count) {
    stopped.push_back(lab.open());
    static_cast<void>(stopped.back().push(bytes, milliseconds(100)));
  }
  lab.serves();
  lab.memory_within(before, 64);
}

void empty_records(Lab& lab) {
  std::string some;
  for (int count = 0; count < 1000; ++count) some += record(kind_stdin, "", 5);
  Connection connection = lab.open();
  bool taken = true;
  for (int count = 0; taken && count < 200; ++count) taken = connection.send(some, lab.patience());
  if (!connection.closed()) lab.serves(connection);
}

void one_byte_records(Lab& lab) {
  const Request request = lab.post(std::string(40'000, 'b'));
  Connection connection = lab.open();
  expect(connection.send(wire(request, 1), lab.patience()), "the request was not taken whole");
  lab.same(connection, request);
}

void four_hundred_at_once(Lab& lab) {
  const Request request = lab.get();
  const std::string bytes = wire(request);
  std::vector<Connection> all;
  for (int count = 0; count < 400; ++count) {
    all.push_back(lab.open());
    static_cast<void>(all.back().push(bytes, lab.patience()));
  }
  for (Connection& each : all) lab.same(each, request, "one of 400 at once");
}

void idle_half_request(Lab& lab) {
  if (!lab.target().idle_timeout) throw Failed{"skip: --idle-timeout says how long the application waits"};
  Connection connection = lab.open();
  static_cast<void>(
      connection.push(begin(role_responder) + pieces(kind_params, "\x04\x04NAME"), lab.patience()));
  const milliseconds most = *lab.target().idle_timeout + lab.patience();
  expect(connection.wait_closed(most),
         "a half request is still open after " + std::to_string(most.count()) + " ms");
}

}  // namespace

Section resources() {
  return {"resources",
          role_responder,
          {{"R01", "200 silent clients", silent},
           {"R02", "200 clients that stop within a record header", half_header},
           {"R03", "200 clients that stop within PARAMS", half_params},
           {"R04", "200 clients that stop within STDIN", half_stdin},
           {"R05", "65,535 BEGIN_REQUEST: at most 1,024 stay open", begins_alone},
           {"R06", "20,000 times BEGIN_REQUEST and ABORT_REQUEST", begins_and_aborts},
           {"R07", "2,000 requests that are aborted at once have one END_REQUEST each", requests_and_aborts},
           {"R08", "1,000 clients that vanish", thousand_vanish},
           {"R09", "2,000 connections without a byte", many_connects},
           {"R10", "8 clients that read nothing of 4 MiB", readers_that_stop},
           {"R11", "200,000 empty records", empty_records},
           {"R12", "40,000 records of one byte", one_byte_records},
           {"R13", "400 requests at once are all answered", four_hundred_at_once},
           {"R14", "a half request is given up within the application's idle time", idle_half_request}}};
}

}  // namespace trivet::cli::conform
