#include <algorithm>

#include "runtime/cli/conform/lab.hpp"

/// The role AUTHORIZER (FastCGI 1.0, 6.3): a yes comes from the authorizer, or there is none.
namespace trivet::cli::conform {

namespace {

void put(Lab& lab, Connection& connection, std::string_view bytes) {
  static_cast<void>(connection.send(bytes, lab.patience()));
}

std::string first_records(const Request& request) {
  return begin(role_authorizer, request.keep, request.id) +
         stream(kind_params, pairs(request.params), request.id);
}

void allows(Lab& lab, Connection& connection, const std::string& told, std::uint16_t id = 1) {
  lab.settle(connection, id);
  const Answer& answer = connection.answer(id);
  expect(answer.ended() && answer.protocol_status == 0 && answer.status() == 200,
         told + ": expected a yes, came " +
             (answer.ended() ? "status " + std::to_string(answer.status()) : std::string("no END_REQUEST")));
}

void denies(Lab& lab, Connection& connection, const std::string& told, std::uint16_t id = 1) {
  lab.not_granted(connection, told, id);
  const Answer& answer = connection.answer(id);
  expect(answer.ended() && answer.protocol_status == 0, told + ": no verdict");
  expect(answer.has_status(), told + ": a denial without a Status, which web servers take for a yes");
}

void allow(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, wire(lab.asking(true)));
  allows(lab, connection, "what it grants");
  expect(connection.answer().has_status(), "a yes without a Status");
}

void deny(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, wire(lab.asking(false)));
  denies(lab, connection, "what it denies");
}

void without_stdin(Lab& lab) {
  for (const bool granted : {true, false}) {
    Connection connection = lab.open();
    put(lab, connection, first_records(lab.asking(granted)));
    if (granted) {
      allows(lab, connection, "without a STDIN record");
    } else {
      denies(lab, connection, "without a STDIN record");
    }
  }
}

void unexpected_body(Lab& lab) {
  for (const bool granted : {true, false}) {
    const Request request = lab.asking(granted);
    Connection connection = lab.open();
    put(lab, connection, first_records(request) + stream(kind_stdin, std::string(100'000, 'b')));
    if (granted) {
      allows(lab, connection, "with a body of 100 KB");
    } else {
      denies(lab, connection, "with a body of 100 KB");
    }
  }
}

void no_parameters(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, begin(role_authorizer) + record(kind_params, "") + record(kind_stdin, ""));
  lab.not_granted(connection, "without parameters");
}

void cut_pair(Lab& lab) {
  const std::string params = pairs(lab.asking(true).params);
  for (const std::string& tail : {std::string("\x0A\x05NAME", 6), std::string("\x80\x00\x00", 3)}) {
    Connection connection = lab.open();
    put(lab, connection,
        begin(role_authorizer) + stream(kind_params, params + tail) + record(kind_stdin, ""));
    lab.not_granted(connection, "parameters that end in the middle of a pair");
  }
}

void duplicates(Lab& lab) {
  expect(!lab.target().grant.empty(), "--grant names no parameter that could come twice");
  for (const bool good_first : {true, false}) {
    Request request = lab.asking(good_first);
    for (const auto& [name, value] : lab.target().grant) request.params.emplace_back(name, "not " + value);
    if (!good_first)
      request.params.insert(request.params.end(), lab.target().grant.begin(), lab.target().grant.end());
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    // Which of the two counts is the application's to say, the same each time; for a path it must be neither.
    lab.settle(connection);
    expect(connection.closed() || connection.answer().ended(), "a parameter twice: no verdict");
  }
  for (const char* name : {"REQUEST_URI", "SCRIPT_NAME"}) {
    Request request = lab.asking(false);
    request.params.emplace_back(name, "/");
    request.params.emplace_back(name, lab.target().authorizer);
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.not_granted(connection, std::string(name) + " twice");
  }
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  const std::size_t at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

void spellings(Lab& lab) {
  const std::string path = lab.target().authorizer.substr(0, lab.target().authorizer.find('?'));
  const std::string second = path.size() > 1 ? path.substr(1, 1) : "x";
  const char* const digits = "0123456789ABCDEF";
  const auto code = static_cast<unsigned char>(second[0]);
  const std::string escaped = std::string("%") + digits[code >> 4U] + digits[code & 15U];
  std::string upper = path;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  const std::string all[] = {"/" + path,
                             "/." + path,
                             "/x/.." + path,
                             "/x/%2e%2e" + path,
                             "/x/%252e%252e" + path,
                             "/x/..;" + path,
                             "/%2e" + path,
                             "/;x" + path,
                             "/x/..%2f" + path.substr(1),
                             "%2f" + path.substr(1),
                             "\\" + path.substr(1),
                             path + "/",
                             path + "//",
                             path + "/.",
                             path + "/x/..",
                             path + "%00",
                             path + "%00.html",
                             path + ";x=1",
                             path + "%20",
                             path + "?x",
                             path + "#x",
                             "http://localhost" + path,
                             replaced(path, second, escaped),
                             upper};
  for (const std::string& uri : all) {
    Request request = lab.get(role_authorizer, uri);
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.not_granted(connection, "the path \"" + uri + "\"");
  }
}

void line_breaks(Lab& lab) {
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"HTTP_X", "a\r\nStatus: 200"},
                                    {"QUERY_STRING", "a\r\n\r\nStatus: 200 OK"},
                                    {"REMOTE_USER", "a\nVariable-REMOTE_USER: root"},
                                    {"HTTP_X\r\nStatus", "200"}}) {
    Request request = lab.asking(false);
    request.params.emplace_back(name, value);
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.not_granted(connection, "CR LF in a parameter");
    expect(connection.answer().head().find("Variable-REMOTE_USER: root") == std::string::npos,
           "a parameter became a variable of the request");
  }
}

void forged_names(Lab& lab) {
  for (const char* name :
       {"Variable-REMOTE_USER", "REMOTE_USER", "AUTH_TYPE", "FCGI_ROLE", "FCGI_APACHE_ROLE", "TRIVET_ROLE",
        "REDIRECT_STATUS", "HTTP_STATUS", "Status", "AUTHORIZED", "HTTP_X_REMOTE_USER"}) {
    Request request = lab.asking(false);
    request.params.emplace_back(name, std::string_view(name).ends_with("ROLE") ? "RESPONDER" : "200");
    Connection connection = lab.open();
    put(lab, connection, wire(request));
    lab.not_granted(connection, std::string("the parameter ") + name);
  }
}

void aborts(Lab& lab) {
  const std::string params = pairs(lab.asking(false).params);
  for (const std::string& bytes :
       {begin(role_authorizer, true) + record(kind_abort, ""),
        begin(role_authorizer, true) + pieces(kind_params, pairs(lab.asking(true).params)) +
            record(kind_abort, ""),
        begin(role_authorizer, true) + stream(kind_params, params) + record(kind_abort, "")}) {
    Connection connection = lab.open();
    put(lab, connection, bytes);
    lab.settle(connection);
    const Answer& answer = connection.answer();
    // The specification wants an END_REQUEST; what a client gets for what it gave up, it does not look at.
    // But nothing in it may be a yes.
    expect(!(answer.ended() && answer.has_status() && answer.status() == 200),
           "an aborted question was granted");
    expect(connection.closed() || answer.ended(), "an aborted question was not ended");
  }
}

void no_authorizer_there(Lab& lab) {
  Request request = lab.get(role_authorizer, lab.target().responder);
  Connection connection = lab.open();
  put(lab, connection, wire(request));
  lab.not_granted(connection, "a path that no authorizer guards");
}

void params_without_end(Lab& lab) {
  Connection connection = lab.open();
  put(lab, connection, begin(role_authorizer) + pieces(kind_params, pairs(lab.asking(true).params)));
  connection.half_close();
  lab.not_granted(connection, "PARAMS that never ended");
}

void open_at_once(Lab& lab) {
  std::string bytes;
  const std::string some = pairs(lab.asking(false).params).substr(0, 20);
  for (std::uint16_t id = 1; id <= 3000; ++id)
    bytes += begin(role_authorizer, true, id) + record(kind_params, some, id);
  Connection connection = lab.open();
  put(lab, connection, bytes);
  static_cast<void>(connection.wait(std::chrono::milliseconds(300), [] { return false; }));
  for (const auto& [id, answer] : connection.answers()) {
    if (!answer.ended()) continue;
    expect(
        answer.has_status() && answer.status() >= 300,
        "question " + std::to_string(id) + " was refused without a Status, which web servers take for a yes");
  }
  lab.serves();
}

void mixed_verdicts(Lab& lab) {
  std::vector<Connection> all;
  for (int count = 0; count < 20; ++count) all.push_back(lab.open());
  lab.reseed(13);
  for (int count = 0; count < 25; ++count) {
    std::vector<bool> granted;
    for (Connection& each : all) {
      granted.push_back(lab.random(2) == 0);
      Request request = lab.asking(granted.back());
      request.keep = true;
      each.answer() = {};
      expect(each.push(wire(request), lab.patience()), "a kept connection was closed");
    }
    for (std::size_t at = 0; at < all.size(); ++at) {
      if (granted[at]) {
        allows(lab, all[at], "one of 500 mixed questions");
      } else {
        denies(lab, all[at], "one of 500 mixed questions");
      }
    }
  }
}

}  // namespace

Section authorizing() {
  return {"authorizer",
          role_authorizer,
          {{"A01", "a yes is Status 200", allow},
           {"A02", "a denial has an explicit Status", deny},
           {"A03", "a verdict needs no STDIN record", without_stdin},
           {"A04", "a body that nobody expects changes no verdict", unexpected_body},
           {"A05", "without parameters", no_parameters},
           {"A06", "a pair that ends in its middle", cut_pair},
           {"A07", "parameters that come twice", duplicates},
           {"A08", "24 spellings of a path that is denied", spellings},
           {"A09", "CR LF in parameters", line_breaks},
           {"A10", "parameters with telling names", forged_names},
           {"A11", "aborted questions", aborts},
           {"A12", "a path that no authorizer guards", no_authorizer_there},
           {"A13", "500 mixed verdicts on 20 kept connections are all right", mixed_verdicts},
           {"A14", "PARAMS that never end", params_without_end},
           {"A15", "3,000 questions open at once: each refusal has a Status", open_at_once}}};
}

}  // namespace trivet::cli::conform
