#include "tests/unit/host/harness.hpp"

#include <algorithm>
#include <stdexcept>

#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::host::testing {

using protocol::RecordType;

// --- FakeLoop ---

void FakeLoop::post(base::Task& task) noexcept {
  const std::lock_guard lock(mutex_);
  posted_.push(task);
  posted_some_.notify_all();
}

void FakeLoop::run_posted() {
  for (;;) {
    base::Task* task = nullptr;
    {
      const std::lock_guard lock(mutex_);
      task = posted_.pop();
    }
    if (task == nullptr) return;
    task->run();
  }
}

void FakeLoop::advance(base::Duration by) {
  const base::TimePoint end = now_ + by;
  while (timers_.next() <= end) {
    now_ = std::max(now_, timers_.next());
    timers_.run(now_);
    run_posted();
  }
  now_ = end;
  run_posted();
}

bool FakeLoop::wait_until(const std::function<bool()>& done) {
  const auto deadline = base::Clock::now() + std::chrono::seconds(60);  // A machine may be busy.
  for (;;) {
    run_posted();
    if (done()) return true;
    if (base::Clock::now() >= deadline) return false;
    // Not only a posted task makes `done` true: what a plugin thread counts changes without one.
    std::unique_lock lock(mutex_);
    posted_some_.wait_for(lock, std::chrono::milliseconds(1), [this] { return !posted_.empty(); });
  }
}

// --- the pipe ---

namespace {

class FakeTransport final : public io::Transport {
 public:
  explicit FakeTransport(Pipe& pipe) : pipe_(pipe) {}
  ~FakeTransport() override {
    if (!released_) pipe_.closed = true;
  }

  io::Transfer read(std::span<std::uint8_t> into) noexcept override {
    using Status = io::Transfer::Status;
    if (pipe_.to_host.empty()) return {pipe_.input_ends ? Status::end : Status::would_block, 0, 0};
    const Fault fault = pipe_.faults == nullptr ? Fault{} : pipe_.faults->on_read();
    switch (fault.kind) {
      case Fault::Kind::none:
        break;
      case Fault::Kind::would_block:
        return {Status::would_block, 0, 0};
      case Fault::Kind::failed:
        pipe_.gone = true;
        return {Status::failed, 0, ECONNRESET};
      case Fault::Kind::end:
        pipe_.to_host.clear();
        pipe_.input_ends = true;
        return {Status::end, 0, 0};
    }
    const std::size_t n = std::min({into.size(), pipe_.to_host.size(), pipe_.read_at_most, fault.most});
    std::memcpy(into.data(), pipe_.to_host.data(), n);
    pipe_.to_host.erase(0, n);
    return {Status::ok, n, 0};
  }
  io::Transfer write(base::Bytes first, std::span<const base::Bytes> more) noexcept override {
    using Status = io::Transfer::Status;
    if (pipe_.gone) return {Status::failed, 0, EPIPE};
    const Fault fault = pipe_.faults == nullptr ? Fault{} : pipe_.faults->on_write();
    if (fault.kind == Fault::Kind::failed || fault.kind == Fault::Kind::end) {
      pipe_.gone = pipe_.input_ends = true;
      return {Status::failed, 0, EPIPE};
    }
    const bool blocks = fault.kind == Fault::Kind::would_block;
    const std::size_t before = pipe_.from_host.size();
    const std::size_t most = blocks ? 0 : std::min(pipe_.accepts, fault.most);
    const auto put = [&](base::Bytes piece) {
      const std::size_t room = most - (pipe_.from_host.size() - before);
      pipe_.from_host += base::as_text(piece.first(std::min(room, piece.size())));
    };
    put(first);
    for (const base::Bytes& piece : more) put(piece);
    const std::size_t n = pipe_.from_host.size() - before;
    if (n == 0) return {Status::would_block, 0, 0};
    if (pipe_.writes.size() < pipe_.writes.capacity()) pipe_.writes.push_back(n);
    if (pipe_.accepts != SIZE_MAX) pipe_.accepts -= n;
    return {Status::ok, n, 0};
  }
  void await_readable() override {
    pipe_.wants_read = true;
    pipe_.paused = false;
  }
  void pause_reading() override {
    pipe_.wants_read = false;
    pipe_.paused = true;
  }
  void await_writable() override { pipe_.wants_write = true; }
  void shutdown_write() noexcept override { pipe_.shut = true; }
  [[nodiscard]] bool peer_gone() const noexcept override { return pipe_.gone; }
  [[nodiscard]] int release() noexcept override {
    pipe_.wants_read = pipe_.wants_write = pipe_.paused = false;
    released_ = true;
    return pipe_.descriptor;
  }

 private:
  Pipe& pipe_;
  bool released_ = false;
};

class MemorySpool final : public roles::SpoolFile {
 public:
  explicit MemorySpool(FakeSpools& store) : store_(store) {}
  base::Result<> append(base::Bytes bytes) override {
    if (store_.disk_full) return base::system_error("spool", ENOSPC);
    bytes_.append(bytes);
    return base::success();
  }
  base::Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const std::size_t n = std::min(into.size(), bytes_.size());
    std::memcpy(into.data(), bytes_.data(), n);
    bytes_.consume(n);
    return n;
  }

 private:
  FakeSpools& store_;
  base::Buffer bytes_;
};

}  // namespace

base::Result<std::unique_ptr<roles::SpoolFile>> FakeSpools::create() {
  ++files;
  return std::unique_ptr<roles::SpoolFile>(std::make_unique<MemorySpool>(*this));
}

bool FakeSpools::reserve(std::size_t n) noexcept {
  if (used + n > bound) return false;
  used += n;
  return true;
}

// --- answers ---

std::string Answer::head() const {
  const std::size_t end = out.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : out.substr(0, end + 2);
}

std::string Answer::body() const {
  const std::size_t end = out.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : out.substr(end + 4);
}

std::string Answer::header(std::string_view name) const {
  const std::string text = "\r\n" + head();
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t at = text.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t from = at + wanted.size();
  return text.substr(from, text.find("\r\n", from) - from);
}

int Answer::status() const {
  if (!head().starts_with("Status: ")) return 0;
  return std::stoi(out.substr(8, 3));
}

// --- the bench ---

Bench::Bench(log::Level level) : log(level), read_buffer_(65536) {}

Bench::~Bench() {
  wires_.clear();
  loop.run_posted();
  if (environment_) {
    loop.wait_until([this] { return environment_->in_use() == 0; });
  }
}

plugin::Plugin& Bench::add_entry(const std::string& name, const trivet_plugin& entry, std::uint32_t threads,
                                 std::optional<std::chrono::milliseconds> timeout, std::uint32_t queue) {
  config::Plugin config;
  config.name = name;
  config.file = "test";
  config.threads = threads;
  config.timeout = timeout;
  config.queue = queue;
  auto started = plugin::Plugin::start(config, entry, log, make_workers);
  if (!started) throw std::runtime_error(started.error().message);
  plugins_.push_back(std::move(started).value());
  return *plugins_.back();
}

plugin::Plugin* Bench::find(const std::string& name) {
  for (const auto& plugin : plugins_) {
    if (plugin->name() == name) return plugin.get();
  }
  return nullptr;
}

config::Route& Bench::route(const std::string& name, const std::string& path) {
  routes_.push_back(std::make_unique<config::Route>());
  routes_.back()->name = name;
  routes_.back()->path = path;
  return *routes_.back();
}

namespace {

/// "allow" and "deny" are not plugins.
void name_built_in(config::Guard& guard) {
  using Kind = config::Guard::Kind;
  if (guard.kind == Kind::plugin && guard.plugin == "allow") guard.kind = Kind::allow;
  if (guard.kind == Kind::plugin && guard.plugin == "deny") guard.kind = Kind::deny;
  for (config::Guard& each : guard.guards) name_built_in(each);
}

}  // namespace

void Bench::open() {
  std::vector<std::unique_ptr<roles::Route>> routes;
  for (const auto& from : routes_) {
    auto route = std::make_unique<roles::Route>(*from);
    for (config::Guard& guard : route->config.authorize) name_built_in(guard);
    std::uint64_t seed = 0;
    route->guards = roles::join_guards(
        route->config.authorize, [this](const config::Guard& guard) { return find(guard.plugin); },
        [&seed] { return ++seed * 0x9e3779b97f4a7c15U; });
    for (const std::string& listener : from->listen) {
      route->listeners.push_back(static_cast<std::uint32_t>(std::stoul(listener)));
    }
    if (from->respond) route->source = find(*from->respond);
    if (from->files || from->fastcgi) route->own_source = make_source(*from);
    for (const config::FilterStage& each : from->filter) route->filters.push_back(find(each.plugin));
    routes.push_back(std::move(route));
  }
  router_ = std::make_unique<roles::Router>(std::move(routes));
  environment_ = std::make_unique<roles::Environment>(loop, log, limits, *router_, spools, tally);
  context_ = std::make_unique<ConnectionContext>(ConnectionContext{
      *environment_, counters, read_buffer_, {}, {limits.connections, limits.concurrent_per_connection}});
}

Bench::Wire& Bench::connect(bool accept_steering, std::uint32_t listener) {
  wires_.push_back(std::make_unique<Wire>(*this, roles::Request::Origin{listener, accept_steering}));
  return *wires_.back();
}

// --- the web server's end ---

Bench::Wire::Wire(Bench& the_bench, const roles::Request::Origin& from) : bench(the_bench), origin(from) {
  Connection::Owner& owner = *this;
  connection = std::make_unique<Connection>(owner, *bench.context_, "test", origin);
  connection->start(std::make_unique<FakeTransport>(pipe));
}

Bench::Wire::~Wire() = default;

bool Bench::Wire::move() {
  if (connection == nullptr || !connection->can_leave()) return false;
  const Connection::Leaving leaving = connection->leave();
  Connection::Owner& owner = *this;
  connection = std::make_unique<Connection>(owner, *bench.context_, "test", origin);
  connection->take_over(std::make_unique<FakeTransport>(pipe), leaving.payload.bytes());
  settle();
  return true;
}

void Bench::Wire::on_connection_dead(Connection& /*dead*/) { connection.reset(); }

void Bench::Wire::settle() {
  for (bool more = true; more && connection != nullptr;) {
    more = false;
    if (pipe.wants_read && (!pipe.to_host.empty() || pipe.input_ends)) {
      pipe.wants_read = false;
      connection->on_readable();
      more = true;
    }
    bench.loop.run_posted();
    if (connection != nullptr && pipe.wants_write && (pipe.accepts != 0 || pipe.gone)) {
      pipe.wants_write = false;
      connection->on_writable();
      bench.loop.run_posted();
      more = true;
    }
    if (connection != nullptr && pipe.gone && pipe.paused) {
      pipe.paused = false;
      connection->on_hangup();
    }
  }
}

void Bench::Wire::send(std::string_view bytes) {
  pipe.to_host += bytes;
  settle();
}

void Bench::Wire::send_one_by_one(std::string_view bytes) {
  for (const char c : bytes) send({&c, 1});
}

void Bench::Wire::end(bool everything) {
  pipe.input_ends = true;
  pipe.gone = everything;
  settle();
}

void Bench::Wire::take(std::size_t bytes) {
  pipe.accepts = bytes;
  settle();
}

std::map<std::uint16_t, Answer> Bench::Wire::answers() const {
  std::map<std::uint16_t, Answer> found;
  protocol::RecordDecoder decoder;
  base::Bytes input = base::as_bytes(pipe.from_host);
  std::string content;
  for (;;) {
    const protocol::RecordStep step = decoder.next(input);
    const auto type = static_cast<RecordType>(decoder.header().type);
    switch (step.kind) {
      case protocol::RecordStep::Kind::more:
        return found;
      case protocol::RecordStep::Kind::wrong_version:
        throw std::runtime_error("the host sent a wrong version");
      case protocol::RecordStep::Kind::header:
        content.clear();
        break;
      case protocol::RecordStep::Kind::content:
        content += base::as_text(step.content);
        break;
      case protocol::RecordStep::Kind::end: {
        Answer& answer = found[decoder.header().request_id];
        if (answer.over) {
          const int ends = answer.ends;
          answer = Answer{};
          answer.ends = ends;
        }
        if (type == RecordType::standard_out) {
          if (answer.out_ended) throw std::runtime_error("output after the end of FCGI_STDOUT");
          if (content.empty()) answer.out_ended = true;
          if (answer.records == 0) answer.first_record = content;
          if (!content.empty()) ++answer.records;
          answer.out += content;
        } else if (type == RecordType::end_request) {
          if (content.size() != 8 || content.substr(5) != std::string(3, '\0')) {
            throw std::runtime_error("END_REQUEST is not as it has to be");
          }
          ++answer.ends;
          answer.over = true;
          answer.protocol_status = static_cast<unsigned char>(content[4]);
          answer.app_status = static_cast<unsigned char>(content[3]);
        } else {
          answer.out += content;
        }
        break;
      }
    }
  }
}

Answer Bench::Wire::answer(std::uint16_t id) const {
  const auto all = answers();
  const auto found = all.find(id);
  return found == all.end() ? Answer{} : found->second;
}

bool Bench::Wire::wait(std::uint16_t id) {
  return bench.loop.wait_until([&] {
    settle();
    return connection == nullptr || answer(id).ends != 0;
  });
}

// --- what web servers send ---

namespace {
std::string text(const base::Buffer& buffer) { return std::string(base::as_text(buffer.bytes())); }
}  // namespace

std::string begin(std::uint16_t id, std::uint16_t role, bool keep) {
  base::Buffer out;
  protocol::append_begin_request(out, id, role, keep);
  return text(out);
}

std::string params(std::uint16_t id, const Names& names) {
  base::Buffer pairs;
  for (const auto& [name, value] : names) protocol::append_pair(pairs, name, value);
  return stream(id, 4, text(pairs));
}

std::string stream(std::uint16_t id, std::uint8_t type, std::string_view content) {
  base::Buffer out;
  protocol::append_stream(out, static_cast<RecordType>(type), id, base::as_bytes(content));
  return text(out);
}

std::string stream_end(std::uint16_t id, std::uint8_t type) {
  base::Buffer out;
  protocol::append_stream_end(out, static_cast<RecordType>(type), id);
  return text(out);
}

std::string abort(std::uint16_t id) {
  base::Buffer out;
  protocol::append_abort_request(out, id);
  return text(out);
}

std::string request(const std::string& uri, const Ask& ask) {
  Names names = {{"REQUEST_METHOD", ask.body.empty() ? "GET" : "POST"}, {"REQUEST_URI", uri}};
  if (!ask.body.empty()) names.emplace_back("CONTENT_LENGTH", std::to_string(ask.body.size()));
  if (ask.role == 3) names.emplace_back("FCGI_DATA_LENGTH", std::to_string(ask.data.size()));
  for (const auto& [name, value] : ask.params) {
    std::erase_if(names, [&, wanted = name](const auto& each) { return each.first == wanted; });
    names.emplace_back(name, value);
  }
  for (const std::string& name : ask.without) {
    std::erase_if(names, [&](const auto& each) { return each.first == name; });
  }
  std::string all = begin(ask.id, ask.role, ask.keep) + params(ask.id, names);
  if (!ask.end_params) return all;
  all += stream_end(ask.id, 4);
  if (ask.role == 2) return all;
  if (!ask.body.empty()) all += stream(ask.id, 5, ask.body);
  if (!ask.end_body) return all;
  all += stream_end(ask.id, 5);
  if (ask.role != 3) return all;
  if (!ask.data.empty()) all += stream(ask.id, 8, ask.data);
  if (ask.end_data) all += stream_end(ask.id, 8);
  return all;
}

}  // namespace trivet::host::testing
