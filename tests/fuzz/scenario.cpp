#include "tests/fuzz/scenario.hpp"

#include <chrono>

#include "runtime/protocol/encoder.hpp"

namespace trivet::fuzz {
namespace {

using host::testing::Names;

constexpr std::pair<const char*, const char*> usual_params[] = {
    {"HTTP_X_KEY", "good"},
    {"REQUEST_METHOD", "GET"},
    {"REQUEST_METHOD", "POST"},
    {"REQUEST_METHOD", "HEAD"},
    {"REQUEST_URI", "/secret/x"},
    {"REQUEST_URI", "/both/x?y"},
    {"REQUEST_URI", "/never/x"},
    {"REQUEST_URI", "/upload/x"},
    {"REQUEST_URI", "/posts/x"},
    {"REQUEST_URI", "/count/x"},
    {"REQUEST_URI", "/blind/x"},
    {"REQUEST_URI", "/pour/x"},
    {"REQUEST_URI", "/burst/x"},
    {"REQUEST_URI", "/head/x"},
    {"REQUEST_URI", "/filter/x"},
    {"REQUEST_URI", "/bad/x"},
    {"REQUEST_URI", "/nowhere"},
    {"REQUEST_URI", "/count/../secret/x"},
    {"REQUEST_URI", "/count//x"},
    {"HTTP_X_KEY", "bad"},
    {"HTTP_X_KEY", "throw"},
    {"HTTP_X_KEY", "nothing"},
    {"HTTP_X_KEY", "redirect"},
    {"HTTP_X_KEY", "deny200"},
    {"HTTP_X_KEY", "challenge"},
    {"HTTP_X_DENY", "1"},
    {"REMOTE_USER", "yes-forged"},
    {"AUTH_TYPE", "yes-forged"},
    {"TRIVET_ROLE", "authorizer"},
    {"TRIVET_ROLE", "filter"},
    {"TRIVET_ROUTE", "secret"},
    {"TRIVET_ROUTE", "count"},
    {"TRIVET_ROUTE", ""},
    {"TRIVET_PATH", "/secret/y"},
    {"TRIVET_METHOD", "POST"},
    {"SCRIPT_NAME", "/secret/z"},
    {"SCRIPT_NAME", "/never/z"},
    {"PATH_INFO", "/p"},
    {"CONTENT_LENGTH", "0"},
    {"CONTENT_LENGTH", "100"},
    {"CONTENT_LENGTH", "70000"},
    {"FCGI_DATA_LENGTH", "100"},
    {"FCGI_DATA_LENGTH", "1000"},
    {"FCGI_APACHE_ROLE", "AUTHORIZER"},
    {"SERVER_SOFTWARE", "nginx/1.22.1"},
    {"QUERY_STRING", "30000"},
    {"QUERY_STRING", "100000"},
    {"QUERY_STRING", "204"},
    {"QUERY_STRING", "304"},
    {"QUERY_STRING", "short"},
    {"QUERY_STRING", "long"},
    {"QUERY_STRING", "huge"},
    {"QUERY_STRING", "none"},
    {"QUERY_STRING", "throw"},
    {"QUERY_STRING", "throw-late"},
    {"QUERY_STRING", "sendfile"},
    {"QUERY_STRING", "location"},
    {"REQUEST_URI", "/mute/x"},
};
constexpr std::size_t sizes[] = {0, 1, 100, 1000, 4095, 9000, 30000, 65535};
constexpr int times_ms[] = {1, 20, 500, 2000, 5000, 60000};

std::size_t read_size(Script& script) { return sizes[script.below(std::size(sizes))]; }
std::uint16_t read_id(Script& script) {
  constexpr std::uint16_t ids[] = {1, 2, 3, 65535, 256, 0};
  return ids[script.below(std::size(ids))];
}

std::string record(std::size_t type, unsigned id, std::string_view content, unsigned padding) {
  std::string made = {1,
                      static_cast<char>(type),
                      static_cast<char>(id >> 8U),
                      static_cast<char>(id),
                      static_cast<char>(content.size() >> 8U),
                      static_cast<char>(content.size()),
                      static_cast<char>(padding),
                      0};
  made += content;
  return made + std::string(padding, 'p');
}

}  // namespace

std::string Scenario::bytes_of(Step step, Script& script) {
  using namespace host::testing;
  const std::uint16_t id = read_id(script);
  const auto read_params = [&] {
    Names names;
    for (std::size_t left = script.below(8); left > 0; --left) {
      const auto& [name, value] = usual_params[script.below(std::size(usual_params))];
      names.emplace_back(name, value);
    }
    names.emplace_back("HTTP_X_TAG", scene_.next_tag());
    return names;
  };
  switch (step) {
    case Step::begin: {
      const auto role = static_cast<std::uint16_t>(script.below(5));
      return host::testing::begin(id, role, script.below(4) != 0);
    }
    case Step::params:
      return params(id, read_params());
    case Step::params_end:
      return stream_end(id, 4);
    case Step::body:
      return stream(id, 5, std::string(read_size(script), 'b'));
    case Step::body_end:
      return stream_end(id, 5);
    case Step::data:
      return stream(id, 8, std::string(read_size(script), 'd'));
    case Step::data_end:
      return stream_end(id, 8);
    case Step::abort:
      return host::testing::abort(id);
    case Step::request: {
      Ask ask;
      ask.id = id;
      ask.role = static_cast<std::uint16_t>(1 + script.below(3));
      const std::size_t flags = script.byte();
      ask.keep = flags % 4 != 0;
      ask.end_body = flags / 4 % 8 != 0;
      ask.end_data = flags / 32 != 0;
      ask.body = std::string(read_size(script), 'b');
      if (ask.role == 3) ask.data = std::string(read_size(script), 'd');
      ask.params = read_params();
      return host::testing::request("/secret/usual", ask);
    }
    case Step::record: {
      const std::size_t type = script.below(13);
      const unsigned padding = script.byte();
      return record(type, id, base::as_text(script.take(script.byte())), padding);
    }
    case Step::bytes:
      return std::string(base::as_text(script.take(script.byte())));
    case Step::get_values: {
      base::Buffer pairs;
      constexpr const char* names[] = {"FCGI_MAX_CONNS", "FCGI_MAX_REQS", "FCGI_MPXS_CONNS", "X"};
      for (std::size_t left = script.below(16); left > 0; --left)
        protocol::append_pair(pairs, names[script.below(4)], "");
      return record(9, 0, base::as_text(pairs.bytes()), 0);
    }
    case Step::take:
    case Step::read_at_most:
    case Step::advance:
    case Step::end:
      break;
  }
  return {};
}

void Scenario::run(Script script) {
  while (!script.empty()) step(script);
}

void Scenario::step(Script& script) {
  using Pieces = model::Scene::Pieces;
  const unsigned byte = script.byte();
  const auto what = static_cast<Step>(byte % 16);
  const std::size_t side = byte / 64 % 2;
  switch (what) {
    case Step::take:
      scene_.take(side, script.below(2) == 0 ? SIZE_MAX : read_size(script));
      break;
    case Step::read_at_most:
      scene_.read_at_most(side, read_size(script));
      break;
    case Step::advance:
      scene_.advance(std::chrono::milliseconds(times_ms[script.below(std::size(times_ms))]));
      break;
    case Step::end: {
      const std::size_t how = script.below(8);
      if (how >= 6) {
        scene_.stop(side);
      } else {
        scene_.end(side, how % 2 == 1, how < 3);
      }
      break;
    }
    default: {
      const auto pieces = static_cast<Pieces>(byte / 16 % 4);
      const std::size_t cut = pieces == Pieces::two ? script.byte() : 0;
      scene_.send(side, bytes_of(what, script), pieces, cut);
    }
  }
}

}  // namespace trivet::fuzz
