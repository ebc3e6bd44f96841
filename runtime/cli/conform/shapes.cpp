#include "runtime/cli/conform/lab.hpp"

/// Good requests in odd shapes: each is answered as the same request in its plainest shape.
namespace trivet::cli::conform {

namespace {

void send_all(Lab& lab, Connection& connection, std::string_view bytes) {
  expect(connection.send(bytes, lab.patience()), "the request was not taken whole");
}

void alone(Lab& lab, const Request& request, const std::string& bytes, const std::string& told = {}) {
  Connection connection = lab.open();
  send_all(lab, connection, bytes);
  lab.same(connection, request, told);
}

void closes_after_the_answer(Lab& lab) {
  const Request request = lab.get();
  Connection connection = lab.open();
  send_all(lab, connection, wire(request));
  lab.same(connection, request);
  expect(connection.wait_closed(lab.patience()), "without FCGI_KEEP_CONN the connection stays open");
}

void twenty_on_one_connection(Lab& lab) {
  Request request = lab.get();
  request.keep = true;
  Connection connection = lab.open();
  for (int count = 1; count <= 20; ++count) {
    connection.answer() = {};
    expect(connection.send(wire(request), lab.patience()), "closed before request " + std::to_string(count));
    lab.same(connection, request, "request " + std::to_string(count));
  }
}

void byte_by_byte(Lab& lab) {
  const Request request = lab.post("byte by byte");
  Connection connection = lab.open();
  for (const char each : wire(request)) send_all(lab, connection, {&each, 1});
  lab.same(connection, request);
}

void any_cut(Lab& lab) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    lab.reseed(seed);
    const Request request = lab.post("any cut, any padding");
    const std::string bytes = wire(request, 1 + lab.random(40), {static_cast<std::uint8_t>(lab.random(256))});
    Connection connection = lab.open();
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(1 + lab.random(90), bytes.size() - at);
      send_all(lab, connection, std::string_view(bytes).substr(at, size));
      at += size;
    }
    lab.same(connection, request, "seed " + std::to_string(seed));
  }
}

void one_byte_records(Lab& lab) {
  const Request request = lab.post("one byte per record");
  alone(lab, request, wire(request, 1, {255}));
}

void long_lengths(Lab& lab) {
  const Request request = lab.get();
  alone(lab, request,
        begin(role_responder) + stream(kind_params, pairs(request.params, true)) + record(kind_stdin, ""));
}

void any_id(Lab& lab) {
  Connection connection = lab.open();
  for (const std::uint16_t id : std::initializer_list<std::uint16_t>{1, 255, 256, 32768, 65535, 1}) {
    Request request = lab.get();
    request.keep = true;
    request.id = id;
    connection.answer(id) = {};
    send_all(lab, connection, wire(request));
    lab.same(connection, request, "id " + std::to_string(id));
  }
}

void largest_record(Lab& lab) {
  const Request request = lab.post(std::string(largest_content, 'x'));
  alone(lab, request, wire(request, largest_content, {255}));
}

void reserved_bits(Lab& lab) {
  const Request request = lab.post("reserved");
  const Odd odd{7, 0xA5, 1, 0xFF};
  alone(lab, request,
        record(kind_begin, std::string("\0\1\xFE\xFF\xFF\xFF\xFF\xFF", 8), 1, odd) +
            stream(kind_params, pairs(request.params), 1, 100, odd) +
            stream(kind_stdin, request.body, 1, 3, odd));
}

void two_in_one_write(Lab& lab) {
  Request first = lab.post("the first");
  Request second = lab.post("the second");
  first.keep = second.keep = true;
  second.id = 2;
  Connection connection = lab.open();
  send_all(lab, connection, wire(first) + wire(second));
  lab.same(connection, first, "the first");
  lab.same(connection, second, "the second");
}

void half_close(Lab& lab) {
  // Large enough that an echo is still under way when the end is seen.
  const Request request = lab.post(std::string(1U << 20U, 'h'));
  Connection connection = lab.open();
  send_all(lab, connection, wire(request));
  connection.half_close();
  lab.same(connection, request);
}

void one_mebibyte(Lab& lab) {
  const Request probe = lab.post("a short body of the tester");
  const bool echoes = lab.plain(probe).out.find(probe.body) != std::string::npos;
  std::string body;
  while (body.size() < 1U << 20U) body += "line " + std::to_string(body.size()) + "\n";
  const Request request = lab.post(body);
  alone(lab, request, wire(request, 1000));
  expect(!echoes || lab.plain(request).out.find(body) != std::string::npos,
         "the application echoes a short body, not one of a MiB");
}

void interleaved(Lab& lab) {
  std::vector<Request> requests;
  std::string begins;
  std::string params;
  std::string bodies;
  for (std::uint16_t id = 1; id <= 32; ++id) {
    Request request = lab.post("body of request " + std::to_string(id));
    request.id = id;
    request.keep = true;
    begins += begin(role_responder, true, id);
    params += stream(kind_params, pairs(request.params), id, 50);
    bodies += stream(kind_stdin, request.body, id, 5);
    requests.push_back(std::move(request));
  }
  Connection connection = lab.open();
  send_all(lab, connection, begins + params + bodies);
  for (const Request& each : requests) {
    static_cast<void>(connection.wait_end(lab.patience(), each.id));
    const Answer& answer = connection.answer(each.id);
    if (answer.ended() && (answer.protocol_status == 1 || answer.protocol_status == 2)) continue;
    lab.same(connection, each, "request " + std::to_string(each.id));
  }
}

void no_content_length(Lab& lab) {
  const int wanted = lab.plain(lab.get()).status();
  for (const char* length : {"", "0", "absent"}) {
    Request request = lab.get();
    if (std::string_view(length) != "absent") request.params.emplace_back("CONTENT_LENGTH", length);
    const Answer answer = lab.ask(request);
    const std::string told = "CONTENT_LENGTH \"" + std::string(length) + "\"";
    expect(answer.ended() && answer.protocol_status == 0, told + ": not answered");
    expect(answer.status() == wanted, told + ": status " + std::to_string(answer.status()));
  }
}

}  // namespace

Section shapes() {
  return {
      "shapes",
      role_responder,
      {{"G01", "without FCGI_KEEP_CONN the application closes after END_REQUEST", closes_after_the_answer},
       {"G02", "twenty requests on one kept connection", twenty_on_one_connection},
       {"G03", "one byte in each write", byte_by_byte},
       {"G04", "thirty ways to cut and pad", any_cut},
       {"G05", "records of one byte with 255 of padding", one_byte_records},
       {"G06", "lengths of four bytes for short strings", long_lengths},
       {"G07", "the request ids 1, 255, 256, 32768, 65535 and 1 again", any_id},
       {"G08", "the largest record with the largest padding", largest_record},
       {"G09", "reserved bits and padding that are not zero are ignored", reserved_bits},
       {"G10", "two requests in one write", two_in_one_write},
       {"G11", "the client closes its side after the request", half_close},
       {"G12", "a body of a MiB arrives whole", one_mebibyte},
       {"G13", "32 interleaved requests get each its own answer, or are refused", interleaved},
       {"G14", "an empty, an absent and a zero CONTENT_LENGTH", no_content_length}}};
}

}  // namespace trivet::cli::conform
