#include <algorithm>

#include "runtime/cli/conform/lab.hpp"

/// What no client should send: refused, or ignored where the specification says so, and never served as if it
/// were well.
namespace trivet::cli::conform {

namespace {

using std::chrono::milliseconds;

void put(Lab& lab, Connection& connection, std::string_view bytes) {
  static_cast<void>(connection.send(bytes, lab.patience()));
}

Request kept(Request request, std::uint16_t id = 1) {
  request.keep = true;
  request.id = id;
  return request;
}

void wrong_version(Lab& lab) {
  for (const std::uint8_t version : std::initializer_list<std::uint8_t>{0, 2, 255}) {
    Connection connection = lab.open();
    put(lab, connection, wire(lab.get(), 65528, {0, 0, version, 0}));
    expect(connection.wait_closed(lab.patience()), "version " + std::to_string(version) + ": not closed");
    expect(!connection.answer().clean(), "version " + std::to_string(version) + ": served");
  }
}

void begin_of_another_length(Lab& lab) {
  for (const std::size_t size : {0, 7, 9, 65535}) {
    std::string content("\0\1\0\0\0\0\0\0", 8);
    content.resize(size);
    const Request request = lab.get();
    Connection connection = lab.open();
    put(lab, connection,
        record(kind_begin, content) + stream(kind_params, pairs(request.params)) + record(kind_stdin, ""));
    lab.refused(connection, "BEGIN_REQUEST of " + std::to_string(size) + " bytes");
  }
}

void begin_of_id_0(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, begin(role_responder, true, 0));
  expect(
      connection.wait(lab.patience(), [&] { return connection.closed() || !connection.unknown().empty(); }),
      "neither closed nor answered with UNKNOWN_TYPE");
}

void unknown_role(Lab& lab) {
  for (const std::uint16_t role : std::initializer_list<std::uint16_t>{0, 4, 65535}) {
    Request request = kept(lab.get());
    request.role = role;
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    expect(connection.wait_end(lab.patience()), "role " + std::to_string(role) + ": no END_REQUEST");
    expect(connection.answer().protocol_status == 3, "role " + std::to_string(role) + ": protocolStatus " +
                                                         std::to_string(connection.answer().protocol_status) +
                                                         ", expected 3");
    lab.serves(connection);
  }
}

void inactive_ids(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection,
      stream(kind_params, pair("A", "b"), 77) + stream(kind_stdin, "body", 77) +
          stream(kind_data, "data", 77) + record(kind_abort, "", 77));
  lab.serves(connection);
  expect(!connection.answer(77).ended(), "an id that never began was ended");
}

void late_records(Lab& lab) {
  const Request request = kept(lab.get());
  Connection connection = lab.open();
  put(lab, connection, wire(request));
  lab.same(connection, request);
  put(lab, connection,
      record(kind_abort, "") + stream(kind_params, pair("A", "b")) + stream(kind_stdin, "late") +
          record(kind_abort, ""));
  lab.serves(connection);
  expect(connection.answer().ends == 1, "late records ended the request a second time");
}

void begin_twice(Lab& lab) {
  const Request request = kept(lab.get());
  Connection connection = lab.open();
  put(lab, connection, begin(role_responder, true) + wire(request));
  expect(connection.wait(lab.patience(), [&] { return connection.closed() || connection.answer().ended(); }),
         "neither closed nor ended");
  static_cast<void>(connection.wait_closed(milliseconds(100)));
  expect(connection.answer().ends <= 1, "one id was ended twice");
}

void streams_in_another_order(Lab& lab) {
  const Request request = lab.post("in another order");
  const std::string params = pairs(request.params);
  {
    Connection connection = lab.open();
    put(lab, connection,
        begin(role_responder) + stream(kind_stdin, request.body) + stream(kind_params, params));
    expect(
        connection.wait(lab.patience(), [&] { return connection.closed() || connection.answer().ended(); }),
        "STDIN before PARAMS: neither closed nor ended");
  }
  {
    Connection connection = lab.open();
    put(lab, connection,
        begin(role_responder) + stream(kind_params, params) +
            stream(kind_params, pair("REQUEST_METHOD", "DELETE") + pair("X_LATE", "late")) +
            stream(kind_stdin, request.body));
    lab.settle(connection);
    expect(connection.answer().out.find("X_LATE") == std::string::npos,
           "PARAMS after their end had an effect");
    expect(connection.closed() || connection.answer().ended(),
           "PARAMS after their end: neither closed nor ended");
  }
  Connection connection = lab.open();
  put(lab, connection, wire(request) + stream(kind_stdin, "surplus-of-the-tester"));
  lab.settle(connection);
  expect(connection.closed() || connection.answer().ended(), "STDIN after its end: neither closed nor ended");
  expect(connection.answer().out.find("surplus-of-the-tester") == std::string::npos,
         "STDIN after its end was read");
}

void data_to_a_responder(Lab& lab) {
  const Request request = lab.get();
  Connection connection = lab.open();
  put(lab, connection,
      begin(role_responder) + stream(kind_params, pairs(request.params)) + stream(kind_data, "data") +
          record(kind_stdin, ""));
  lab.settle(connection);
  if (connection.answer().ended()) lab.same(connection, request);
  expect(connection.closed() || connection.answer().ended(), "neither ignored nor closed");
}

/// Exactly one END_REQUEST with protocolStatus 0, and the connection serves on.
void aborted(Lab& lab, const std::string& bytes) {
  Connection connection = lab.open();
  put(lab, connection, bytes);
  expect(connection.wait_end(lab.patience()), "no END_REQUEST for the aborted request");
  expect(connection.answer().protocol_status == 0,
         "protocolStatus " + std::to_string(connection.answer().protocol_status) + ", expected 0");
  lab.serves(connection);
  expect(connection.answer().ends == 1, "the aborted request was ended twice");
}

void abort_in_params(Lab& lab) {
  aborted(lab, begin(role_responder, true) + pieces(kind_params, pairs(lab.get().params).substr(0, 30)) +
                   record(kind_abort, ""));
}

void abort_in_stdin(Lab& lab) {
  const Request request = kept(lab.post("a body that is never whole"));
  aborted(lab, begin(role_responder, true) + stream(kind_params, pairs(request.params)) +
                   pieces(kind_stdin, "a body") + record(kind_abort, ""));
}

void abort_that_races(Lab& lab) { aborted(lab, wire(kept(lab.get())) + record(kind_abort, "")); }

void abort_with_content(Lab& lab) {
  aborted(lab, begin(role_responder, true) + stream(kind_params, pairs(lab.get().params)) +
                   record(kind_abort, "no content is defined for this", 1, {9, 0}));
}

void cut_pair(Lab& lab) {
  for (const std::string& tail :
       {std::string("\x0A\x05NAME", 6), std::string("\x80\x00\x00", 3), std::string("\x04", 1)}) {
    Connection connection = lab.open();
    put(lab, connection,
        begin(role_responder) + stream(kind_params, pairs(lab.get().params) + tail) + record(kind_stdin, ""));
    lab.refused(connection, "a pair that ends in its middle");
  }
}

void lengths_of_2_gib(Lab& lab) {
  const auto before = lab.memory();
  for (const std::string& bad :
       {std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFNAME", 12), std::string("\x01\xFF\xFF\xFF\xFFN", 6),
        std::string("\xFF\xFF\xFF\xFF\x01N", 6)}) {
    Connection connection = lab.open();
    put(lab, connection,
        begin(role_responder) + stream(kind_params, bad + pairs(lab.get().params)) + record(kind_stdin, ""));
    lab.refused(connection, "a length of 2 GiB");
  }
  lab.memory_within(before, 16);
}

void odd_names_and_values(Lab& lab) {
  const std::pair<std::string, std::string> odd[] = {{"HTTP_X\r\nForged", "1"},
                                                     {"HTTP_X", "1\r\nForged: 1"},
                                                     {"QUERY_STRING", "a\r\n\r\nForged: 1"},
                                                     {std::string("HTTP_\0X", 7), "1"},
                                                     {"", "no name"},
                                                     {"HTTP_PROXY", "http://127.0.0.1:1"},
                                                     {std::string(300, 'N'), std::string(300, 'v')},
                                                     {"HTTP_X", "\x1b[31m\xff\xfe"}};
  for (const auto& [name, value] : odd) {
    Request request = lab.get();
    request.params.emplace_back(name, value);
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.settle(connection);
    expect(connection.closed() || connection.answer().ended(), "neither answered nor refused");
    expect(connection.answer().head().find("\nForged") == std::string::npos, "a parameter became a header");
  }
}

void no_parameters(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, begin(role_responder) + record(kind_params, "") + record(kind_stdin, ""));
  lab.settle(connection);
  expect(connection.closed() || connection.answer().ended(), "neither answered nor refused");
}

void many_pairs(Lab& lab) {
  const auto before = lab.memory();
  std::string params = pairs(lab.get().params);
  for (int count = 0; count < 100'000; ++count) params += pair("N" + std::to_string(count), "");
  Connection connection = lab.open();
  put(lab, connection, begin(role_responder) + stream(kind_params, params) + record(kind_stdin, ""));
  lab.settle(connection);
  expect(connection.closed() || connection.answer().ended(), "neither answered nor refused");
  lab.memory_within(before, 64);
}

void params_of_64_mib(Lab& lab) {
  const auto before = lab.memory();
  Connection connection = lab.open();
  put(lab, connection, begin(role_responder) + pieces(kind_params, pairs(lab.get().params)));
  const std::string large = pieces(kind_params, pair("LARGE", std::string((1U << 20U) - 16, 'x')));
  bool taken = true;
  for (int count = 0; taken && count < 64; ++count) taken = connection.send(large, lab.patience());
  lab.memory_within(before, 32);
  if (taken) put(lab, connection, record(kind_params, "") + record(kind_stdin, ""));
  lab.refused(connection, "64 MiB of PARAMS");
}

void other_protocols(Lab& lab) {
  lab.reseed(20);
  std::string noise("\2", 1);
  for (int count = 0; count < 2000; ++count) noise += static_cast<char>(lab.random(256));
  const std::pair<const char*, std::string> others[] = {
      {"HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11) + std::string(512, 'r')},
      {"zeros", std::string(4096, '\0')},
      {"0xFF", std::string(4096, '\xFF')},
      {"noise", noise}};
  for (const auto& [name, bytes] : others) {
    Connection connection = lab.open();
    put(lab, connection, bytes);
    expect(connection.wait_closed(lab.patience()), std::string(name) + ": not closed");
    expect(connection.broken().empty(), std::string(name) + ": " + connection.broken());
  }
}

void gone_after_each_byte(Lab& lab) {
  const std::string bytes = wire(lab.post("gone"));
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    Connection connection = lab.open();
    static_cast<void>(connection.push(std::string_view(bytes).substr(0, size), lab.patience()));
    if (size % 2 == 0) connection.vanish();
  }
  lab.serves();
}

void with_length(Request& request, const std::string& length) {
  for (auto& [name, value] : request.params) {
    if (name == "CONTENT_LENGTH") value = length;
  }
}

void length_too_large(Lab& lab) {
  Request request = lab.post("shorter than it says");
  with_length(request, "1000");
  Connection connection = lab.open();
  put(lab, connection, wire(request));
  lab.refused(connection, "20 bytes where CONTENT_LENGTH says 1000");
}

void length_too_small(Lab& lab) {
  const std::string smuggled = wire(kept(lab.get(), 2));
  Request request = kept(lab.post("abcdef" + smuggled));
  with_length(request, "6");
  Connection connection = lab.open();
  put(lab, connection, wire(request));
  lab.settle(connection);
  expect(connection.closed() || connection.answer().ended(), "neither answered nor refused");
  expect(!connection.answer(2).ended(), "the surplus was taken for a request");
  expect(!connection.answer().clean() || connection.answer().body().find(smuggled) == std::string::npos,
         "the surplus was read as body");
}

void length_of_nonsense(Lab& lab) {
  for (const char* length : {"12abc", "-1", "1e3", "0x10", "99999999999999999999999", " ", "+5"}) {
    Request request = lab.post("body");
    with_length(request, length);
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.settle(connection);
    expect(connection.closed() || connection.answer().ended(),
           "CONTENT_LENGTH \"" + std::string(length) + "\": neither answered nor refused");
  }
}

void odd_paths(Lab& lab) {
  for (const char* uri : {"", "x", "//", "/..", "/../../etc/passwd", "/%2e%2e/%2e%2e", "/%", "/%zz", "/%00",
                          "/a%0ab", "/\\..\\", "/a;/../b", "*", "http://host/", "http://host",
                          "/%c0%ae%c0%ae/", "/\x80\xff", "/a?b?c#d"}) {
    Connection connection = lab.open();
    put(lab, connection, wire(lab.get(role_responder, uri)));
    lab.settle(connection);
    expect(connection.closed() || connection.answer().ended(),
           "REQUEST_URI \"" + std::string(uri) + "\": neither answered nor refused");
  }
}

void mutations(Lab& lab) {
  const std::string good = wire(kept(lab.post("a body to break")));
  for (std::uint32_t seed = 1; seed <= 600; ++seed) {
    lab.reseed(seed);
    std::string bytes = good;
    for (std::uint32_t count = 1 + lab.random(6); count > 0; --count)
      bytes[lab.random(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(lab.random(256));
    Connection connection = lab.open();
    static_cast<void>(connection.push(bytes, lab.patience()));
    connection.half_close();
    static_cast<void>(connection.wait(milliseconds(20), [&] { return connection.ends() > 0; }));
  }
  lab.serves();
}

void half_close_in_params(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, begin(role_responder) + pieces(kind_params, pairs(lab.get().params)));
  connection.half_close();
  lab.settle(connection);
  expect(!connection.answer().clean(), "PARAMS that never ended were served");
}

void half_close_in_stdin(Lab& lab) {
  Request request = lab.post(std::string(100, 'x'));
  Connection connection = lab.open();
  put(lab, connection,
      begin(role_responder) + stream(kind_params, pairs(request.params)) + pieces(kind_stdin, "ten bytes!"));
  connection.half_close();
  lab.settle(connection);
  expect(!connection.answer().clean(), "half a body was served as a whole one");
}

void padded_terminators(Lab& lab) {
  const Request request = lab.post("padded");
  Connection connection = lab.open();
  put(lab, connection,
      begin(role_responder) + pieces(kind_params, pairs(request.params)) +
          record(kind_params, "", 1, {255, 0}) + pieces(kind_stdin, request.body) +
          record(kind_stdin, "", 1, {255, 7}));
  lab.same(connection, request);
}

void empty_record_of_another_id(Lab& lab) {
  const Request request = lab.post("nothing is lost");
  const std::string params = pairs(request.params);
  Connection connection = lab.open();
  put(lab, connection,
      begin(role_responder) + pieces(kind_params, params.substr(0, 25)) + record(kind_params, "", 2) +
          stream(kind_params, params.substr(25)) + pieces(kind_stdin, "nothing ") +
          record(kind_stdin, "", 3) + stream(kind_stdin, "is lost"));
  lab.same(connection, request);
}

}  // namespace

Section violations() {
  return {"violations",
          role_responder,
          {{"P01", "another version than 1 closes the connection", wrong_version},
           {"P02", "BEGIN_REQUEST of another length than 8 is not served", begin_of_another_length},
           {"P03", "BEGIN_REQUEST with the id 0", begin_of_id_0},
           {"P04", "an unknown role ends with FCGI_UNKNOWN_ROLE, the connection is kept", unknown_role},
           {"P05", "records of ids that never began are ignored", inactive_ids},
           {"P06", "records after END_REQUEST are ignored", late_records},
           {"P07", "BEGIN_REQUEST twice for one id", begin_twice},
           {"P08", "streams in another order, and more after their end", streams_in_another_order},
           {"P09", "DATA to a responder", data_to_a_responder},
           {"P10", "ABORT_REQUEST within PARAMS", abort_in_params},
           {"P11", "ABORT_REQUEST within STDIN", abort_in_stdin},
           {"P12", "ABORT_REQUEST that races with the answer", abort_that_races},
           {"P13", "ABORT_REQUEST with content", abort_with_content},
           {"P14", "a pair that ends in its middle is refused", cut_pair},
           {"P15", "lengths of 2 GiB are refused and cost nothing", lengths_of_2_gib},
           {"P16", "odd names and values forge no header", odd_names_and_values},
           {"P17", "a request without parameters is answered", no_parameters},
           {"P18", "100,000 pairs are answered or refused", many_pairs},
           {"P19", "64 MiB of PARAMS are refused at the limit", params_of_64_mib},
           {"P20", "HTTP, TLS, zeros, 0xFF and noise close the connection", other_protocols},
           {"P21", "a client that is gone after each byte of its request", gone_after_each_byte},
           {"P22", "fewer bytes than CONTENT_LENGTH are no whole body", length_too_large},
           {"P23", "more bytes than CONTENT_LENGTH are neither body nor request", length_too_small},
           {"P24", "a CONTENT_LENGTH that is no number", length_of_nonsense},
           {"P25", "odd paths are answered", odd_paths},
           {"P26", "600 broken requests", mutations},
           {"P27", "PARAMS that end with the connection are not served", half_close_in_params},
           {"P28", "STDIN that ends with the connection is no whole body", half_close_in_stdin},
           {"P29", "padding in the records that end streams", padded_terminators},
           {"P30", "an empty record of another id ends nothing", empty_record_of_another_id}}};
}

}  // namespace trivet::cli::conform
