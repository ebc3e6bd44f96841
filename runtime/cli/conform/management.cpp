#include <algorithm>
#include <cctype>

#include "runtime/cli/conform/lab.hpp"

/// Management records (FastCGI 1.0, 4).
namespace trivet::cli::conform {

namespace {

std::string get_values(const std::string& content) { return record(kind_get_values, content, 0); }

/// The pairs of the first GET_VALUES_RESULT.
Params result(Lab& lab, Connection& connection, const std::string& told) {
  expect(connection.wait(lab.patience(), [&] { return !connection.values().empty(); }),
         told + ": no GET_VALUES_RESULT");
  Params read;
  expect(read_pairs(connection.values().front(), read), told + ": the result is cut");
  return read;
}

void three_names(Lab& lab) {
  Connection connection = lab.open();
  static_cast<void>(connection.send(
      get_values(pair("FCGI_MAX_CONNS", "") + pair("FCGI_MAX_REQS", "") + pair("FCGI_MPXS_CONNS", "")),
      lab.patience()));
  const Params read = result(lab, connection, "three names");
  for (const char* name : {"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS"}) {
    const auto found =
        std::find_if(read.begin(), read.end(), [&](const auto& each) { return each.first == name; });
    expect(found != read.end(), std::string(name) + " is not answered");
    const bool digits = !found->second.empty() &&
                        std::all_of(found->second.begin(), found->second.end(),
                                    [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
    expect(digits, std::string(name) + " is no decimal number");
  }
}

void unknown_names(Lab& lab) {
  Connection connection = lab.open();
  static_cast<void>(connection.send(get_values(pair("FCGI_NO_SUCH", "") + pair("X", "y")), lab.patience()));
  expect(result(lab, connection, "unknown names").empty(),
         "a name that the application cannot know is answered");
}

void no_names(Lab& lab) {
  Connection connection = lab.open();
  static_cast<void>(connection.send(get_values(""), lab.patience()));
  expect(result(lab, connection, "no names").empty(), "nothing was asked for, something is answered");
}

void duplicates(Lab& lab) {
  for (const int count : {4, 10, 1000}) {
    std::string content;
    for (int at = 0; at < count; ++at) content += pair("FCGI_MPXS_CONNS", "");
    Connection connection = lab.open();
    static_cast<void>(connection.send(get_values(content), lab.patience()));
    static_cast<void>(result(lab, connection, std::to_string(count) + " times one name"));
    lab.serves();
  }
}

void bad_lengths(Lab& lab) {
  const auto before = lab.memory();
  for (const std::string& bad : {std::string("\x05\x00X", 3), std::string("\xFF\xFF\xFF\xFF", 4),
                                 std::string("\x01\xFF\xFF\xFF\xFFX", 6), std::string("\x80", 1)}) {
    Connection connection = lab.open();
    static_cast<void>(connection.send(get_values(pair("FCGI_MPXS_CONNS", "") + bad), lab.patience()));
    expect(
        connection.wait(lab.patience(), [&] { return connection.closed() || !connection.values().empty(); }),
        "neither answered nor closed");
  }
  lab.memory_within(before, 16);
}

void unknown_types(Lab& lab) {
  Connection connection = lab.open();
  std::string wanted;
  for (const int type : {12, 100, 255}) {
    static_cast<void>(
        connection.send(record(static_cast<std::uint8_t>(type), "some body", 0), lab.patience()));
    wanted += static_cast<char>(type);
    expect(connection.wait(lab.patience(), [&] { return connection.unknown().size() >= wanted.size(); }),
           "type " + std::to_string(type) + ": no UNKNOWN_TYPE");
    expect(connection.unknown() == wanted, "UNKNOWN_TYPE names another type than " + std::to_string(type));
  }
  lab.serves(connection);
}

void amid_params(Lab& lab) {
  Request request = lab.get();
  const std::string params = pairs(request.params);
  Connection connection = lab.open();
  static_cast<void>(connection.send(begin(role_responder) + pieces(kind_params, params.substr(0, 20)) +
                                        get_values(pair("FCGI_MPXS_CONNS", "")) +
                                        stream(kind_params, params.substr(20)) + record(kind_stdin, ""),
                                    lab.patience()));
  lab.same(connection, request);
  static_cast<void>(result(lab, connection, "GET_VALUES within PARAMS"));
}

void unknown_amid_streams(Lab& lab) {
  const Request request = lab.post("a body in two parts");
  const std::string params = pairs(request.params);
  const std::string odd = record(100, pair("SCRIPT_NAME", "/other") + pair("REQUEST_METHOD", "PUT"), 0);
  Connection connection = lab.open();
  static_cast<void>(connection.send(begin(role_responder) + pieces(kind_params, params.substr(0, 20)) + odd +
                                        stream(kind_params, params.substr(20)) +
                                        pieces(kind_stdin, request.body.substr(0, 6)) + odd +
                                        stream(kind_stdin, request.body.substr(6)),
                                    lab.patience()));
  lab.same(connection, request);
}

void unread_answers(Lab& lab) {
  const auto before = lab.memory();
  std::string some;
  for (int count = 0; count < 1000; ++count) some += get_values(pair("FCGI_MPXS_CONNS", ""));
  Connection connection = lab.open();
  for (int count = 0; count < 100; ++count) {
    // A peer that takes no more has back-pressure: that is what is wanted.
    if (!connection.push(some, std::chrono::milliseconds(300))) break;
  }
  lab.memory_within(before, 32);
  lab.serves();
}

void answers_from_the_client(Lab& lab) {
  for (const std::uint16_t id : std::initializer_list<std::uint16_t>{0, 1}) {
    for (const std::uint8_t kind :
         {kind_end, kind_stdout, kind_stderr, kind_get_values_result, kind_unknown}) {
      Connection connection = lab.open();
      for (int count = 0; count < 20; ++count)
        static_cast<void>(connection.send(record(kind, std::string(8, '\0'), id), lab.patience()));
      static_cast<void>(connection.wait_closed(std::chrono::milliseconds(50)));
      expect(connection.received() <= 20U * 16U,
             "type " + std::to_string(kind) + ": more records came back than were sent");
    }
  }
}

}  // namespace

Section management() {
  return {"management",
          role_responder,
          {{"M01", "GET_VALUES with three names is answered with decimal numbers", three_names},
           {"M02", "unknown names are left out of the result", unknown_names},
           {"M03", "GET_VALUES without names has an empty result", no_names},
           {"M04", "4, 10 and 1000 times one name", duplicates},
           {"M05", "lengths beyond the record", bad_lengths},
           {"M06", "UNKNOWN_TYPE names each unknown type, and the connection serves on", unknown_types},
           {"M07", "GET_VALUES within PARAMS: both are answered", amid_params},
           {"M08", "the body of an unknown record within PARAMS and STDIN is skipped", unknown_amid_streams},
           {"M09", "100,000 GET_VALUES whose answers nobody reads", unread_answers},
           {"M10", "records that only applications send cause no storm", answers_from_the_client}}};
}

}  // namespace trivet::cli::conform
