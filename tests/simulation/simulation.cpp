#include "tests/simulation/simulation.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "tests/model/require.hpp"
#include "tests/unit/protocol/counting_heap.hpp"

namespace trivet::simulation {
namespace {

using host::testing::Ask;
using model::Scene;

constexpr std::uint16_t ids[] = {1, 1, 1, 2, 2, 3, 256, 65535};

constexpr const char* uris[] = {
    "/secret/x",
    "/secret/x",
    "/both/x",
    "/never/x",
    "/upload/x",
    "/posts/x",
    "/count/x",
    "/count/x",
    "/blind/x",
    "/pour/x",
    "/burst/x",
    "/head/x",
    "/filter/x",
    "/bad/x",
    "/mute/x",
    "/nowhere",
    "/count/../secret/x",
    "/thread/secret/x",
    "/thread/secret/x",
    "/thread/both/x",
    "/thread/both/x",
    "/thread/never/x",
    "/thread/upload/x",
    "/thread/count/x",
    "/thread/count/x",
    "/thread/blind/x",
    "/thread/filter/x",
    "/thread/late-body/x",
    "/any/x",
    "/shadow/x",
    "/thread/any/x",
    "/thread/any/x",
    "/thread/shadow/x",
    "/thread/remembered/x",
    "/thread/remembered/x",
};
constexpr const char* keys[] = {"good", "good",  "good",    "good",     "good",    "good",     "good",
                                "bad",  "throw", "nothing", "redirect", "deny200", "challenge"};
/// Said on top of what is usual, once in a while.
constexpr std::pair<const char*, const char*> extras[] = {
    {"HTTP_X_DENY", "1"},
    {"HTTP_X_KEY", "good"},
    {"REMOTE_USER", "yes-forged"},
    {"AUTH_TYPE", "yes-forged"},
    {"TRIVET_ROLE", "authorizer"},
    {"TRIVET_ROLE", "filter"},
    {"TRIVET_ROUTE", "count"},
    {"TRIVET_ROUTE", ""},
    {"TRIVET_PATH", "/secret/y"},
    {"TRIVET_METHOD", "POST"},
    {"REQUEST_METHOD", "HEAD"},
    {"REQUEST_METHOD", "DELETE"},
    {"CONTENT_LENGTH", "100"},
    {"CONTENT_LENGTH", "70000"},
    {"FCGI_DATA_LENGTH", "1000"},
    {"FCGI_APACHE_ROLE", "AUTHORIZER"},
    {"SERVER_SOFTWARE", "nginx/1.22.1"},
    {"QUERY_STRING", "30000"},
    {"QUERY_STRING", "204"},
    {"QUERY_STRING", "short"},
    {"QUERY_STRING", "long"},
    {"QUERY_STRING", "huge"},
    {"QUERY_STRING", "none"},
    {"QUERY_STRING", "throw"},
    {"QUERY_STRING", "throw-late"},
};
constexpr std::size_t sizes[] = {0, 0, 1, 100, 1000, 4095, 9000, 30000, 65535};
constexpr int times_ms[] = {1, 1, 5, 20, 20, 100, 500, 2000, 5000, 60000};
/// Blocks on the heap: a pool of requests, what grows once, and what is remembered of verdicts.
constexpr std::size_t most_kept = 300;

/// The records of `bytes`, one each.
std::deque<std::string> records_of(std::string_view bytes) {
  std::deque<std::string> records;
  while (bytes.size() >= 8) {
    const auto byte = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]));
    };
    const std::size_t size = 8 + byte(4) * 256 + byte(5) + byte(6);
    records.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return records;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, Trace trace)
    : random_(seed),
      trace_(std::move(trace)),
      weather_(random_),
      scene_(std::make_unique<Scene>(setting())) {}

Scene::Setting Simulation::setting() {
  Scene::Setting made;
  made.faults = &weather_;
  made.make_workers = [this](const std::vector<void*>& instances, std::uint32_t queue,
                             const plugin::Threads::Around& around) {
    return std::make_unique<SimulatedWorkers>(workers_, instances, queue, around);
  };
  made.meanwhile = [this] { meanwhile(); };
  made.limit = [this](base::Limits& limits) {
    constexpr std::size_t windows[] = {4096, 8192, 65536};
    constexpr std::size_t memories[] = {0, 2048, 65536};
    constexpr std::size_t concurrent[] = {1, 4, 4, 64};
    limits.window = random_.pick(windows);
    limits.spool_memory = random_.pick(memories);
    limits.concurrent_per_connection = random_.pick(concurrent);
    if (random_.chance(300)) limits.idle_time = std::chrono::seconds(3);
    if (random_.chance(200)) limits.stall_time = std::chrono::seconds(1);
  };
  return made;
}

Simulation::Outcome Simulation::run() {
  const std::size_t before = protocol::heap::live();
  for (std::size_t side = 0; side < Scene::sides; ++side) scene_->connect(side);
  // Most are short, to be different; a long one would show what is kept of each request.
  const std::size_t steps = random_.chance(10) ? 5000 : 20 + random_.below(100);
  const std::size_t stops_before_end = random_.chance(100) ? 1 + random_.below(15) : 0;
  for (std::size_t left = steps; left > 0; --left) {
    if (left == stops_before_end) stop();
    step();
  }

  note("the end");
  is_over_ = true;
  weather_.clear();
  scene_->spools().disk_full = false;
  scene_->spools().bound = 100000;
  outcome_.grants = scene_->book().grants;
  for (const auto& [status, count] : scene_->book().answers)
    outcome_.answers[static_cast<std::size_t>(status / 100)] += count;
  for (auto& each : sending_) std::vector<Sending>().swap(each);
  scene_->finish([this] {
    while (work()) scene_->settle();
  });
  for (const SimulatedWorkers* each : workers_) model::require(each->idle(), "no work is left for threads");
  outcome_.digest = outcome_.digest * 31 + scene_->digest();
  outcome_.faults = weather_.faults();
  model::require(protocol::heap::live() <= before + most_kept,
                 "memory is back where it was before the first connection");
  return outcome_;
}

void Simulation::note(const std::string& line) {
  outcome_.digest = outcome_.digest * 31 + std::hash<std::string>()(line);
  outcome_.digest = outcome_.digest * 31 + scene_->digest();
  if (!trace_) return;
  for (const std::string& each : scene_->log().lines()) trace_("        " + each);
  scene_->log().clear();
  trace_(std::string(2 * static_cast<std::size_t>(depth_), ' ') + line);
}

void Simulation::step() {
  ++outcome_.steps;
  if (depth_ > 0) ++outcome_.nested;
  const std::size_t side = random_.below(Scene::sides);
  const std::size_t what = random_.below(100);
  if (scene_->closed(side) && what < 60) return reconnect(side);
  if (what < 25) return start_request(side);
  if (what < 50) return continue_request(side);
  if (what < 55) return abort_request(side);
  if (what < 75) {
    if (!work()) continue_request(side);
    return;
  }
  if (what < 83) {
    const std::size_t bytes = random_.chance(700) ? SIZE_MAX : random_.pick(sizes);
    note("side " + std::to_string(side) + " takes " + (bytes == SIZE_MAX ? "all" : std::to_string(bytes)));
    return scene_->take(side, bytes);
  }
  if (what < 85) {
    constexpr std::size_t portions[] = {1,    24,   24,     100,    100,    1000,
                                        1000, 9000, 100000, 100000, 100000, 100000};
    const std::size_t bytes = random_.pick(portions);
    note("side " + std::to_string(side) + " sends at most " + std::to_string(bytes) + " at a time");
    return scene_->read_at_most(side, bytes);
  }
  if (what < 94) {
    const int by = random_.pick(times_ms);
    note(std::to_string(by) + " ms pass");
    return scene_->advance(std::chrono::milliseconds(by));
  }
  if (what < 96) return send_noise(side);
  if (what < 97) return fill_disk();
  if (what < 98) {
    const bool everything = random_.chance(500);
    note("side " + std::to_string(side) + (everything ? " vanishes" : " ends"));
    return scene_->end(side, everything, random_.chance(500));
  }
  if (what < 99) return freeze_or_move(side);
  const std::size_t bytes = 1 + random_.below(3);
  note("side " + std::to_string(side) + " takes " + std::to_string(bytes));
  scene_->take(side, bytes);
}

void Simulation::freeze_or_move(std::size_t side) {
  if (random_.chance(400)) {
    note("side " + std::to_string(side) + " is frozen");
    return scene_->freeze(side);
  }
  if (scene_->move(side)) ++outcome_.moves;
  note("side " + std::to_string(side) + " moves, if it can");
}

/// Its bytes; `what` says which it is.
std::string Simulation::draw_request(std::uint16_t id, std::string& what) {
  Ask ask;
  ask.id = id;
  ask.role = static_cast<std::uint16_t>(random_.chance(700) ? 1 : 2 + random_.below(2));
  ask.keep = random_.chance(900);
  if (random_.chance(500)) ask.body = std::string(random_.pick(sizes), 'b');
  if (ask.role == 3) ask.data = std::string(random_.pick(sizes), 'd');
  ask.end_params = !random_.chance(20);
  ask.end_body = !random_.chance(50);
  ask.end_data = !random_.chance(50);
  const std::string tag = scene_->next_tag();
  ask.params.emplace_back("HTTP_X_TAG", tag);
  const char* const uri = random_.pick(uris);
  what = "request " + std::to_string(id) + " (tag " + tag + ", role " + std::to_string(ask.role) + ", " + uri;
  if (random_.chance(900)) {
    const char* const key = random_.pick(keys);
    ask.params.emplace_back("HTTP_X_KEY", key);
    what += std::string(", key ") + key;
  }
  if (random_.chance(300)) {
    const auto& [name, value] = random_.pick(extras);
    ask.params.emplace_back(name, value);
    what += std::string(", ") + name + "=" + value;
  }
  what += ")";
  return host::testing::request(uri, ask);
}

void Simulation::send(std::size_t side, const std::string& what, std::string_view bytes) {
  constexpr Scene::Pieces ways[] = {Scene::Pieces::whole, Scene::Pieces::whole, Scene::Pieces::two,
                                    Scene::Pieces::single, Scene::Pieces::kept};
  const Scene::Pieces pieces = random_.pick(ways);
  const std::size_t cut = random_.below(bytes.size() + 1);
  note("side " + std::to_string(side) + " sends " + what + ", " + std::to_string(bytes.size()) + " bytes, " +
       (pieces == Scene::Pieces::whole    ? "at once"
        : pieces == Scene::Pieces::two    ? "cut at " + std::to_string(cut)
        : pieces == Scene::Pieces::single ? "one by one"
                                          : "with what comes next"));
  scene_->send(side, bytes, pieces, cut);
}

void Simulation::start_request(std::size_t side) {
  const std::uint16_t id = random_.pick(ids);
  std::string what;
  const std::string bytes = draw_request(id, what);
  if (random_.chance(400)) return send(side, what, bytes);
  Sending sending{id, records_of(bytes)};
  const std::string first = sending.records.front();
  sending.records.pop_front();
  sending_[side].push_back(std::move(sending));
  send(side, "the beginning of " + what, first);
}

void Simulation::continue_request(std::size_t side) {
  auto& all = sending_[side];
  if (all.empty()) return;
  const std::size_t which = random_.below(all.size());
  const std::uint16_t id = all[which].id;
  std::string bytes;
  for (std::size_t left = 1 + random_.below(3); left > 0 && !all[which].records.empty(); --left) {
    bytes += all[which].records.front();
    all[which].records.pop_front();
  }
  if (all[which].records.empty()) all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
  send(side, "more of request " + std::to_string(id), bytes);
}

/// Of a request that is on its way, whose rest then follows or does not, or of any id.
void Simulation::abort_request(std::size_t side) {
  auto& all = sending_[side];
  std::uint16_t id = random_.pick(ids);
  if (!all.empty() && random_.chance(500)) {
    const std::size_t which = random_.below(all.size());
    id = all[which].id;
    if (random_.chance(700)) all.erase(all.begin() + static_cast<std::ptrdiff_t>(which));
  }
  send(side, "ABORT_REQUEST " + std::to_string(id), host::testing::abort(id));
}

void Simulation::send_noise(std::size_t side) {
  const std::size_t what = random_.below(20);
  if (what == 0) return send(side, "another version", std::string(8, '\x02'));
  const std::uint16_t id = what < 8 ? 0 : random_.pick(ids);
  const auto type = static_cast<std::uint8_t>(1 + random_.below(12));
  std::string content(random_.below(40), '\0');
  for (char& each : content) each = static_cast<char>(random_.below(256));
  std::string bytes = {1,
                       static_cast<char>(type),
                       static_cast<char>(id >> 8U),
                       static_cast<char>(id),
                       0,
                       static_cast<char>(content.size()),
                       0,
                       0};
  send(side, "a record of type " + std::to_string(type) + " for " + std::to_string(id), bytes + content);
}

void Simulation::reconnect(std::size_t side) {
  note("side " + std::to_string(side) + " connects");
  sending_[side].clear();
  scene_->connect(side);
}

void Simulation::fill_disk() {
  host::testing::FakeSpools& spools = scene_->spools();
  if (random_.chance(500)) {
    spools.disk_full = !spools.disk_full;
    return note(spools.disk_full ? "the disk is full" : "the disk has room");
  }
  spools.bound = std::max(spools.used, random_.chance(500) ? std::size_t{100000} : random_.pick(sizes));
  note("spools may have " + std::to_string(spools.bound) + " bytes");
}

void Simulation::stop() {
  note("the host is told to stop");
  for (std::size_t side = 0; side < Scene::sides; ++side) scene_->stop(side);
}

bool Simulation::work() {
  if (workers_.empty()) return false;
  const std::size_t first = random_.below(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    const std::size_t which = (first + i) % workers_.size();
    if (workers_[which]->idle()) continue;
    note("threads of plugin " + std::to_string(which) + " work");
    if (!workers_[which]->run_one(random_)) continue;
    ++outcome_.jobs;
    scene_->settle();
    return true;
  }
  return false;
}

/// While a hook runs on its thread, at most two deep.
void Simulation::meanwhile() {
  if (is_over_ || depth_ >= 2 || !random_.chance(300)) return;
  ++depth_;
  for (std::size_t left = 1 + random_.below(4); left > 0; --left) step();
  --depth_;
}

}  // namespace trivet::simulation
