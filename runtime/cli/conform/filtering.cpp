#include "runtime/cli/conform/lab.hpp"

/// The role FILTER (FastCGI 1.0, 6.4).
namespace trivet::cli::conform {

namespace {

void put(Lab& lab, Connection& connection, std::string_view bytes) {
  static_cast<void>(connection.send(bytes, lab.patience()));
}

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t line = 0; text.size() < size; ++line)
    text += "line " + std::to_string(line) + " of the document\n";
  text.resize(size);
  return text;
}

void set(Request& request, std::string_view name, const std::string& to) {
  for (auto& [key, value] : request.params) {
    if (key == name) value = to;
  }
}

void with_a_body(Lab& lab) {
  const Request request = lab.filtering(text_of(100 << 10), "a body beside the data");
  Connection connection = lab.open();
  put(lab, connection, wire(request, 997, {3}));
  lab.same(connection, request);
  expect(lab.plain(request).protocol_status == 0, "refused");
}

void short_data(Lab& lab) {
  Request request = lab.filtering(text_of(1000));
  set(request, "FCGI_DATA_LENGTH", "5000");
  Connection connection = lab.open();
  put(lab, connection, wire(request));
  lab.refused(connection, "1000 bytes of DATA where FCGI_DATA_LENGTH says 5000");
}

void long_data(Lab& lab) {
  const Request whole = lab.filtering(text_of(1000));
  Request request = whole;
  request.data += "surplus of the tester";
  Connection connection = lab.open();
  put(lab, connection, wire(request));
  lab.settle(connection);
  if (!connection.answer().clean()) {
    lab.refused(connection, "more DATA than announced");
    return;
  }
  lab.same(connection, whole, "the surplus is dropped");
}

void length_of_nonsense(Lab& lab) {
  for (const char* length : {"12abc", "-1", "1e3", "99999999999999999999999", " ", ""}) {
    Request request = lab.filtering("data");
    set(request, "FCGI_DATA_LENGTH", length);
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.settle(connection);
    expect(connection.closed() || connection.answer().ended(),
           "FCGI_DATA_LENGTH \"" + std::string(length) + "\": neither answered nor refused");
  }
}

void data_first(Lab& lab) {
  const Request request = lab.filtering(text_of(5000), "a body");
  Connection connection = lab.open();
  put(lab, connection,
      begin(role_filter) + stream(kind_params, pairs(request.params)) + pieces(kind_stdin, "a ") +
          pieces(kind_data, request.data) + stream(kind_stdin, "body") + record(kind_data, ""));
  lab.settle(connection);
  expect(connection.closed() || connection.answer().ended(), "neither answered nor refused");
  if (connection.answer().clean()) lab.same(connection, request, "DATA before the end of STDIN");
}

void abort_in_data(Lab& lab) {
  const Request request = lab.filtering(text_of(5000));
  Connection connection = lab.open();
  put(lab, connection,
      begin(role_filter, true) + stream(kind_params, pairs(request.params)) + record(kind_stdin, "") +
          pieces(kind_data, "some") + record(kind_abort, ""));
  expect(connection.wait_end(lab.patience()), "no END_REQUEST");
  expect(connection.answer().protocol_status == 0,
         "protocolStatus " + std::to_string(connection.answer().protocol_status) + ", expected 0");
  lab.serves(connection);
  expect(connection.answer().ends == 1, "ended twice");
}

void sixteen_mebibytes(Lab& lab) {
  const auto before = lab.memory();
  const Request request = lab.filtering(text_of(16U << 20U));
  const std::string bytes = wire(request);
  Connection connection = lab.open();
  put(lab, connection, bytes);
  static_cast<void>(connection.wait_end(lab.patience() * 10));
  expect(connection.answer().clean(), "16 MiB were not filtered");
  lab.memory_within(before, 32);
}

void two_hundred_vanish(Lab& lab) {
  const std::string bytes = wire(lab.filtering(text_of(2000)));
  lab.reseed(91);
  for (int count = 0; count < 200; ++count) {
    Connection connection = lab.open();
    const std::size_t size = lab.random(static_cast<std::uint32_t>(bytes.size() + 1));
    static_cast<void>(connection.push(std::string_view(bytes).substr(0, size), lab.patience()));
    connection.vanish();
  }
  lab.serves();
}

void no_data(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, wire(lab.filtering("")));
  expect(connection.wait_end(lab.patience()), "no END_REQUEST");
  expect(connection.answer().clean(), "no data at all were not filtered");
}

void nothing_unset(Lab& lab) {
  Request refused = lab.get();
  refused.role = 4;
  for (const Request& each : {lab.get(), lab.post("x"), lab.post("some more of a body"), refused})
    static_cast<void>(lab.ask(each));
  Connection connection = lab.open();
  put(lab, connection, record(kind_get_values, pair("FCGI_MAX_CONNS", ""), 0) + record(99, "", 0));
  static_cast<void>(connection.wait(lab.patience(), [&] { return !connection.unknown().empty(); }));
  expect(lab.seen().unset == 0, std::to_string(lab.seen().unset) + " of " +
                                    std::to_string(lab.seen().records) +
                                    " records carried bytes in reserved or padding places");
}

}  // namespace

Section filtering() {
  return {"filter",
          role_filter,
          {{"F01", "100 KiB of DATA beside a body", with_a_body},
           {"F02", "DATA shorter than announced is no clean answer", short_data},
           {"F03", "DATA longer than announced: the surplus is dropped", long_data},
           {"F04", "an FCGI_DATA_LENGTH that is no number", length_of_nonsense},
           {"F05", "DATA before the end of STDIN: no deadlock, nothing mixed", data_first},
           {"F06", "ABORT_REQUEST within DATA", abort_in_data},
           {"F07", "16 MiB are streamed", sixteen_mebibytes},
           {"F08", "200 clients that vanish", two_hundred_vanish},
           {"F09", "no data at all", no_data}}};
}

Section leaks() {
  return {"leaks", role_responder, {{"L01", "no record of this run carried unset bytes", nothing_unset}}};
}

}  // namespace trivet::cli::conform
