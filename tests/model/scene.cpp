#include "tests/model/scene.hpp"

#include <algorithm>
#include <stdexcept>
#include <trivet/plugin.hpp>

#include "tests/model/require.hpp"
#include "tests/unit/host/test_plugins.hpp"

namespace trivet::model {
namespace {

using host::testing::Bench;

/// What plugins of the running scene tell. The loop is the only thread.
struct Told {
  Book* book = nullptr;
  std::size_t asked = 0;    ///< Guards.
  std::size_t started = 0;  ///< Sources.
  const std::function<void()>* meanwhile = nullptr;
};
Told told;

std::string tag_of(const trivet::Request& request) { return std::string(request.param("HTTP_X_TAG")); }

/// At the start of every hook.
void hook(const std::string& tag) {
  require(tag.empty() || !told.book->ended.contains(tag), "no hook is called for a request that has ended");
}

void meanwhile() {
  if (told.meanwhile != nullptr && *told.meanwhile) (*told.meanwhile)();
}

/// Says yes with a word that nobody else has, to a request that earned it.
struct TokenGuard {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) {
    hook(tag_of(request));
    return judge(request);
  }
  static trivet::Verdict judge(trivet::Request& request) {
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
    const std::string word = "yes-" + std::to_string(told.book->yes.size());
    told.book->yes[word] = {tag_of(request)};
    return trivet::allow().set("REMOTE_USER", word);
  }
};

/// Says yes in front of the built-in `deny`.
struct NeverGuard {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request& request) {
    hook(tag_of(request));
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
    hook(tag_of(request));
    tell(request, out);
  }
  static void tell(trivet::Request& request, trivet::Response& out) {
    ++told.started;
    out << "secret for " << request.param("REMOTE_USER") << " " << request.param("AUTH_TYPE") << "\n";
  }
};

/// How much came; only once its end came.
struct CountBody {
  static constexpr bool never_blocks = true;
  struct Responder {
    explicit Responder(trivet::Request& request) : tag(tag_of(request)) { ++told.started; }
    void body(std::string_view chunk, trivet::Response& out, bool last) {
      hook(tag);
      take(chunk, out, last);
    }
    void take(std::string_view chunk, trivet::Response& out, bool last) {
      size += chunk.size();
      if (last) out << "body=" << size;
    }
    std::string tag;
    std::size_t size = 0;
  };
};

/// As many bytes as came, but none of them: what is answered is never what a peer made up.
struct Blind {
  static constexpr bool never_blocks = true;
  struct Responder {
    explicit Responder(trivet::Request& request) : tag(tag_of(request)) { ++told.started; }
    void body(std::string_view chunk, trivet::Response& out, bool last) {
      hook(tag);
      take(chunk, out, last);
    }
    static void take(std::string_view chunk, trivet::Response& out, bool /*last*/) {
      out << std::string(chunk.size(), 'x');
    }
    std::string tag;
  };
};

// The same on threads; while a hook runs, the loop goes on.

struct ThreadToken {
  trivet::Verdict check(trivet::Request& request) {
    hook(tag_of(request));
    meanwhile();
    trivet::Verdict verdict = TokenGuard::judge(request);
    meanwhile();
    return verdict;
  }
};

/// The same, remembered: for the very request alone that it was said for, where that can be told apart.
struct ThreadRemembered {
  trivet::Verdict check(trivet::Request& request) {
    trivet::Verdict verdict = ThreadToken().check(request);
    if (tag_of(request).empty()) verdict.cache_for(std::chrono::nanoseconds(0));
    return verdict;
  }
};

struct ThreadSecret {
  void handle(trivet::Request& request, trivet::Response& out) {
    hook(tag_of(request));
    meanwhile();
    Secret::tell(request, out);
    meanwhile();
  }
};

template <class Inner>
struct ThreadSource {
  struct Responder {
    explicit Responder(trivet::Request& request) : inner(request) {}
    void body(std::string_view chunk, trivet::Response& out, bool last) {
      hook(inner.tag);
      meanwhile();
      inner.take(chunk, out, last);
      meanwhile();
    }
    typename Inner::Responder inner;
  };
};

struct ThreadUpper {
  void data(std::string_view chunk, trivet::Output& out, bool last) {
    meanwhile();
    host::testing::Upper().data(chunk, out, last);
  }
};

config::Guard guard(const std::string& name) {
  config::Guard made;
  made.plugin = name;
  return made;
}

config::Guard any(std::vector<config::Guard> guards) {
  config::Guard made;
  made.kind = config::Guard::Kind::any;
  made.guards = std::move(guards);
  return made;
}

config::Guard all(std::vector<config::Guard> guards) {
  config::Guard made = any(std::move(guards));
  made.kind = config::Guard::Kind::all;
  return made;
}

config::Guard shadow(config::Guard guard) {
  guard.shadow = true;
  return guard;
}

config::Route& guarded(Bench& bench, const std::string& name, const std::vector<std::string>& guards) {
  config::Route& route = bench.route(name, "/" + name + "/**");
  for (const std::string& each : guards) route.authorize.push_back(guard(each));
  route.variables = {"REMOTE_USER"};
  return route;
}

/// Small, so that short scripts reach them.
void set_limits(Bench& bench) {
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

  guarded(bench, "secret", {"token"}).respond = "secret";
  guarded(bench, "both", {"allow", "token"}).respond = "secret";
  guarded(bench, "never", {"never", "deny"}).respond = "secret";
  guarded(bench, "mute", {"mute"}).respond = "secret";
  config::Route& either = guarded(bench, "any", {});
  either.authorize = {any({guard("mute"), all({guard("never"), guard("deny")}), guard("token")})};
  either.respond = "secret";
  config::Route& tried = guarded(bench, "shadow", {});
  tried.authorize = {shadow(guard("never")), guard("token")};
  tried.respond = "secret";
  config::Route& upload = guarded(bench, "upload", {"token"});
  upload.respond = "blind";
  upload.filter = {{.plugin = "upper"}};
  config::Route& posts = guarded(bench, "posts", {"token"});
  posts.methods = {"POST"};
  posts.respond = "secret";
  for (const char* name : {"count", "blind", "pour", "burst", "head"})
    bench.route(name, "/" + std::string(name) + "/**").respond = name;
  config::Route& filter = bench.route("filter", "/filter/**");
  filter.respond = "blind";
  filter.filter = {{.plugin = "body-first"}, {.plugin = "upper"}};
  bench.route("bad", "/bad/**").filter = {{.plugin = "bad-filter"}};
}

/// Plugins on threads, with queues that are full soon.
void add_threaded_routes(Bench& bench) {
  const auto time = std::chrono::seconds(2);
  bench.add<ThreadToken>("thread-token", 2, time, 2);
  bench.add<ThreadSecret>("thread-secret", 1, time, 1);
  bench.add<ThreadSource<CountBody>>("thread-count", 2, time, 1);
  bench.add<ThreadSource<Blind>>("thread-blind", 1, time, 2);
  bench.add<ThreadUpper>("thread-upper", 1, time, 3);
  bench.add<ThreadRemembered>("thread-remembered", 2, time, 2);

  guarded(bench, "thread/secret", {"thread-token"}).respond = "secret";
  config::Route& either = guarded(bench, "thread/any", {});
  either.authorize = {
      any({all({guard("thread-token"), guard("deny")}), guard("thread-token"), guard("token")})};
  either.respond = "thread-secret";
  config::Route& tried = guarded(bench, "thread/shadow", {});
  tried.authorize = {shadow(guard("thread-token")), guard("token"), shadow(guard("never"))};
  tried.respond = "secret";
  config::Route& remembered = guarded(bench, "thread/remembered", {"thread-remembered"});
  remembered.authorize.front().cache.emplace().entries = 8;
  remembered.respond = "secret";
  guarded(bench, "thread/both", {"token", "allow", "thread-token"}).respond = "thread-secret";
  guarded(bench, "thread/never", {"thread-token", "deny"}).respond = "secret";
  config::Route& upload = guarded(bench, "thread/upload", {"thread-token"});
  upload.respond = "thread-blind";
  upload.filter = {{.plugin = "upper"}, {.plugin = "thread-upper"}};
  bench.route("thread-count", "/thread/count/**").respond = "thread-count";
  bench.route("thread-blind", "/thread/blind/**").respond = "thread-blind";
  bench.route("late-body", "/thread/late-body/**").filter = {{.plugin = "upper"}, {.plugin = "body-first"}};
  config::Route& filter = bench.route("thread-filter", "/thread/filter/**");
  filter.respond = "thread-blind";
  filter.filter = {{.plugin = "thread-upper"}, {.plugin = "body-first"}, {.plugin = "thread-upper"}};
}

}  // namespace

Scene::Scene() : Scene(Setting()) {}

Scene::Scene(const Setting& setting) : faults_(setting.faults), meanwhile_(setting.meanwhile) {
  told = {&book_, 0, 0, &meanwhile_};
  bench_.make_workers = setting.make_workers;
  set_limits(bench_);
  if (setting.limit) setting.limit(bench_.limits);
  add_routes(bench_);
  if (setting.make_workers) add_threaded_routes(bench_);
  bench_.open();
  sides_.resize(sides);
}

Scene::~Scene() { told = {}; }

void Scene::connect(std::size_t side) {
  if (sides_[side] != nullptr) disconnect(side);
  sides_[side] = std::make_unique<Side>(bench_.connect(), book_);
  sides_[side]->wire.pipe.faults = faults_;
}

void Scene::disconnect(std::size_t side) {
  require(closed(side), "only a closed connection is replaced");
  complete_params_ += sides_[side]->model.complete_params();
  digest_ = digest_ * 31 + sides_[side]->model.digest();
  sides_[side].reset();
}

void Scene::send(std::size_t to, std::string_view bytes, Pieces pieces, std::size_t cut) {
  Side& side = *sides_[to];
  if (side.has_ended) return;
  side.kept += bytes;
  if (pieces == Pieces::kept) return;
  const std::string all = std::move(side.kept);
  side.kept.clear();
  constexpr std::size_t most_single = 400;
  if (pieces == Pieces::two) {
    cut = std::min(cut, all.size());
    give(side, std::string_view(all).substr(0, cut));
    give(side, std::string_view(all).substr(cut));
  } else if (pieces == Pieces::single && all.size() <= most_single) {
    for (const char& each : all) give(side, {&each, 1});
  } else {
    give(side, all);
  }
}

void Scene::give(Side& side, std::string_view bytes) {
  side.model.sent(bytes);
  side.wire.send(bytes);
  check();
}

void Scene::take(std::size_t side, std::size_t bytes) {
  sides_[side]->wire.take(bytes);
  check();
}

void Scene::read_at_most(std::size_t side, std::size_t bytes) {
  sides_[side]->wire.pipe.read_at_most = std::max<std::size_t>(1, bytes);
}

void Scene::advance(base::Duration by) {
  bench_.loop.advance(by);
  settle();
}

void Scene::settle() {
  for (const auto& side : sides_) side->wire.settle();
  check();
}

void Scene::end(std::size_t which, bool everything, bool send_kept) {
  Side& side = *sides_[which];
  if (send_kept && !side.has_ended) give(side, std::string(std::move(side.kept)));
  side.kept.clear();
  side.has_ended = true;
  side.wire.end(everything);
  check();
}

void Scene::stop(std::size_t which) {
  bench_.environment().stopping = true;
  Bench::Wire& wire = sides_[which]->wire;
  if (wire.connection != nullptr) wire.connection->stop();
  wire.settle();
  check();
}

void Scene::freeze(std::size_t which) {
  Side& side = *sides_[which];
  if (side.wire.connection == nullptr) return;
  side.wire.connection->freeze();
  side.was_frozen = true;
}

bool Scene::move(std::size_t which) {
  const bool moved = sides_[which]->wire.move();
  check();
  return moved;
}

bool Scene::closed(std::size_t side) const { return sides_[side]->wire.closed(); }

std::uint64_t Scene::digest() const noexcept {
  std::uint64_t all = digest_;
  for (const auto& side : sides_) {
    if (side != nullptr) all = all * 31 + side->model.digest();
  }
  return all;
}

void Scene::check() {
  std::size_t complete = complete_params_;
  for (const auto& side : sides_) {
    side->model.received(side->wire.pipe.from_host);
    complete += side->model.complete_params();
  }
  // At most the guards of two routes are asked for one request, and no route has more than three.
  constexpr std::size_t most_guards = 6;
  require(told.asked <= most_guards * complete && told.started <= complete,
          "no plugin sees a request before the end of its parameters");
  require(bench_.spools.used <= bench_.spools.bound, "what is spooled stays within its bound");
}

void Scene::finish(const std::function<void()>& work) {
  const auto pass_time = [&] {
    // In steps, so that what is sent in one can be answered in the next.
    for (int i = 0; i < 20; ++i) {
      if (work) work();
      for (std::size_t side = 0; side < sides; ++side) {
        // What waits for another worker gets one.
        if (sides_[side]->was_frozen) move(side);
      }
      advance(std::chrono::seconds(30));
    }
  };
  for (const auto& side : sides_) {
    side->wire.pipe.read_at_most = SIZE_MAX;
    if (!side->has_ended) give(*side, std::string(std::move(side->kept)));
    side->wire.take(SIZE_MAX);
  }
  pass_time();
  for (const auto& side : sides_) {
    require(side->wire.closed() || side->model.all_ended(),
            "each request is ended, or its connection closed");
    require(side->wire.closed() || !side->model.wants_close(),
            "a connection that is not to be kept is closed");
  }
  for (const auto& side : sides_) side->wire.end(false);
  pass_time();
  for (const auto& side : sides_) require(side->wire.closed(), "a peer that has ended leaves no connection");
  require(bench_.environment().in_use() == 0, "no request is left");
  require(bench_.spools.used == 0, "no spooled byte is left");

  for (std::size_t side = 0; side < sides; ++side) disconnect(side);
  bench_.disconnect();
  bench_.log.clear();
  book_ = {};
}

}  // namespace trivet::model
