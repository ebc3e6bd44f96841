#include "tests/fuzz/scenario.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <trivet/plugin.hpp>

#include "runtime/protocol/encoder.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::fuzz {
namespace {

using host::testing::Bench;
using host::testing::Names;

/// What plugins of the running scenario tell. The loop is the only thread.
struct Told {
  YesBook* yes = nullptr;
  std::size_t asked = 0;    ///< Guards.
  std::size_t started = 0;  ///< Sources.
};
Told told;

/// Says yes with a word that nobody else has, to a request that earned it.
struct TokenGuard {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) {
    ++told.asked;
    const std::string_view key = request.param("HTTP_X_KEY");
    if (!request.param("HTTP_X_DENY").empty()) return trivet::deny(403).reason("denied by name");
    if (key == "throw") throw std::runtime_error("on purpose");
    if (key == "nothing") return {};
    if (key == "redirect") return trivet::deny(302).header("Location", "https://login.example/");
    if (key == "deny200") return trivet::deny(200);
    if (key == "challenge")
      return trivet::deny(401).header("WWW-Authenticate", "Basic").body(std::string(3000, 'c'));
    if (key != "good") return trivet::deny(403);
    const std::string word = "yes-" + std::to_string(told.yes->size());
    (*told.yes)[word] = {std::string(request.param("HTTP_X_TAG"))};
    return trivet::allow().set("REMOTE_USER", word);
  }
};

/// Says yes in front of the built-in `deny`.
struct NeverGuard {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) {
    ++told.asked;
    return trivet::allow().set("REMOTE_USER", "never-");
  }
};

/// A guard in C that returns without a word: the SDK would say something.
constexpr trivet_authorizer mute_hooks = {sizeof(trivet_authorizer),
                                          [](void*, trivet_request*) -> trivet_status {
                                            ++told.asked;
                                            return TRIVET_OK;
                                          }};
constexpr trivet_plugin mute = {TRIVET_ABI_MAGIC,
                                sizeof(trivet_plugin),
                                TRIVET_ABI_MAJOR,
                                TRIVET_ABI_MINOR,
                                TRIVET_NEVER_BLOCKS,
                                {"mute", 4},
                                {"1", 1},
                                [](const trivet_host*, const trivet_settings*, void** self) -> trivet_status {
                                  *self = nullptr;
                                  return TRIVET_OK;
                                },
                                [](void*) {},
                                nullptr,
                                &mute_hooks,
                                nullptr};

struct Secret {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    ++told.started;
    out << "secret for " << request.param("REMOTE_USER") << " " << request.param("AUTH_TYPE") << "\n";
  }
};

/// How much came; only once its end came.
struct CountBody {
  static constexpr bool never_blocks = true;
  struct Responder {
    Responder() { ++told.started; }
    void body(std::string_view chunk, trivet::Response& out, bool last) {
      size += chunk.size();
      if (last) out << "body=" << size;
    }
    std::size_t size = 0;
  };
};

/// As many bytes as came, but none of them: what is answered is never what a peer made up.
struct Blind {
  static constexpr bool never_blocks = true;
  struct Responder {
    Responder() { ++told.started; }
    void body(std::string_view chunk, trivet::Response& out, bool) { out << std::string(chunk.size(), 'x'); }
  };
};

config::Guard guard(const std::string& name) {
  config::Guard made;
  made.plugin = name;
  return made;
}

void add_routes(Bench& bench) {
  bench.add<TokenGuard>("token");
  bench.add<NeverGuard>("never");
  bench.add_entry("mute", mute, 0, std::nullopt, 1);
  bench.add<Secret>("secret");
  bench.add<CountBody>("count");
  bench.add<Blind>("blind");
  bench.add<host::testing::Pour>("pour");
  bench.add<host::testing::Burst>("burst");
  bench.add<host::testing::Head>("head");
  bench.add<host::testing::Upper>("upper");
  bench.add<host::testing::BodyFirst>("body-first");
  bench.add<host::testing::BadFilter>("bad-filter");

  // Small, so that short scripts reach them.
  bench.limits.params_bytes = 4096;
  bench.limits.params_count = 40;
  bench.limits.window = 8192;
  bench.limits.head_bytes = 1024;
  bench.limits.body_bytes = 66000;
  bench.limits.data_bytes = 66000;
  bench.limits.spool_memory = 2048;
  bench.limits.drain_bytes = 50000;
  bench.limits.concurrent_per_connection = 4;
  bench.spools.bound = 100000;

  const auto guarded = [&](const std::string& name, std::vector<config::Guard> guards) -> config::Route& {
    config::Route& route = bench.route(name, "/" + name + "/**");
    route.authorize = std::move(guards);
    route.variables = {"REMOTE_USER"};
    return route;
  };
  guarded("secret", {guard("token")}).respond = "secret";
  guarded("both", {guard("allow"), guard("token")}).respond = "secret";
  guarded("never", {guard("never"), guard("deny")}).respond = "secret";
  guarded("mute", {guard("mute")}).respond = "secret";
  config::Route& upload = guarded("upload", {guard("token")});
  upload.respond = "blind";
  upload.filter = {"upper"};
  config::Route& posts = guarded("posts", {guard("token")});
  posts.methods = {"POST"};
  posts.respond = "secret";
  for (const char* name : {"count", "blind", "pour", "burst", "head"})
    bench.route(name, "/" + std::string(name) + "/**").respond = name;
  config::Route& filter = bench.route("filter", "/filter/**");
  filter.respond = "blind";
  filter.filter = {"body-first", "upper"};
  bench.route("bad", "/bad/**").filter = {"bad-filter"};
}

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

Scenario::Side::Side(Scenario& scenario) : wire(scenario.bench_.connect()), model(scenario.yes_) {}

Scenario::Scenario() : sides_{(add_routes(bench_), bench_.open(), Side(*this)), Side(*this)} {
  told = {&yes_, 0, 0};
}

std::string Scenario::bytes_of(Step step, Script& script) {
  using namespace host::testing;
  const std::uint16_t id = read_id(script);
  const auto read_params = [&] {
    Names names;
    for (std::size_t left = script.below(8); left > 0; --left) {
      const auto& [name, value] = usual_params[script.below(std::size(usual_params))];
      names.emplace_back(name, value);
    }
    names.emplace_back("HTTP_X_TAG", std::to_string(tags_++));
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
  const unsigned byte = script.byte();
  const auto what = static_cast<Step>(byte % 16);
  Side& side = sides_[byte / 64 % 2];
  switch (what) {
    case Step::take:
      side.wire.take(script.below(2) == 0 ? SIZE_MAX : read_size(script));
      break;
    case Step::read_at_most:
      side.wire.pipe.read_at_most = std::max<std::size_t>(1, read_size(script));
      break;
    case Step::advance:
      bench_.loop.advance(std::chrono::milliseconds(times_ms[script.below(std::size(times_ms))]));
      side.wire.settle();
      break;
    case Step::end:
      end(side, static_cast<unsigned>(script.below(8)));
      break;
    default: {
      const std::size_t cut = byte / 16 % 4 == 1 ? script.byte() : 0;
      deliver(side, bytes_of(what, script), byte / 16 % 4, cut);
    }
  }
  check();
}

void Scenario::deliver(Side& side, std::string bytes, unsigned how, std::size_t cut) {
  if (side.has_ended) return;
  side.kept += bytes;
  if (how == 3) return;
  const std::string all = std::move(side.kept);
  side.kept.clear();
  constexpr std::size_t most_single = 400;
  if (how == 1) {
    cut = std::min(cut, all.size());
    give(side, std::string_view(all).substr(0, cut));
    give(side, std::string_view(all).substr(cut));
  } else if (how == 2 && all.size() <= most_single) {
    for (const char& each : all) give(side, {&each, 1});
  } else {
    give(side, all);
  }
}

void Scenario::give(Side& side, std::string_view bytes) {
  side.model.sent(bytes);
  side.wire.send(bytes);
  check();
}

void Scenario::end(Side& side, unsigned how) {
  if (how >= 6) {
    // The host is told to stop.
    bench_.environment().stopping = true;
    if (side.wire.connection != nullptr) side.wire.connection->stop();
    side.wire.settle();
    return;
  }
  if (how < 3 && !side.has_ended) give(side, std::string(std::move(side.kept)));
  side.kept.clear();
  side.has_ended = true;
  side.wire.end(how % 2 == 1);
}

void Scenario::check() {
  std::size_t complete = 0;
  for (Side& side : sides_) {
    side.model.received(side.wire.pipe.from_host);
    complete += side.model.complete_params();
  }
  // At most the guards of two routes are asked for one request.
  require(told.asked <= 2 * complete && told.started <= complete,
          "no plugin sees a request before the end of its parameters");
  require(bench_.spools.used <= bench_.spools.bound, "what is spooled stays within its bound");
}

void Scenario::finish() {
  const auto pass_time = [&] {
    // In steps, so that what is sent in one can be answered in the next.
    for (int i = 0; i < 20; ++i) {
      bench_.loop.advance(std::chrono::seconds(30));
      for (Side& side : sides_) side.wire.settle();
      check();
    }
  };
  for (Side& side : sides_) {
    side.wire.pipe.read_at_most = SIZE_MAX;
    if (!side.has_ended) give(side, std::string(std::move(side.kept)));
    side.wire.take(SIZE_MAX);
  }
  pass_time();
  for (Side& side : sides_) {
    require(side.wire.closed() || side.model.all_ended(), "each request is ended, or its connection closed");
    require(side.wire.closed() || !side.model.wants_close(), "a connection that is not to be kept is closed");
  }
  for (Side& side : sides_) side.wire.end(false);
  pass_time();
  for (Side& side : sides_) require(side.wire.closed(), "a peer that has ended leaves no connection");
  require(bench_.environment().in_use() == 0, "no request is left");
  require(bench_.spools.used == 0, "no spooled byte is left");
}

}  // namespace trivet::fuzz
