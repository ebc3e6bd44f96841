#include "tests/unit/source/scripted_application.hpp"

#include <algorithm>

#include "runtime/protocol/name_value.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::source::testing {

namespace wire = protocol::wire;

namespace {

class ScriptedTransport final : public io::Transport {
 public:
  explicit ScriptedTransport(Wire& wire) : wire_(wire) {}
  ~ScriptedTransport() override {
    wire_.closed = true;
    wire_.events = nullptr;
  }
  io::Transfer read(std::span<std::uint8_t> into) noexcept override {
    using Status = io::Transfer::Status;
    if (wire_.to_host.empty()) {
      if (wire_.read_error != 0) return {Status::failed, 0, wire_.read_error};
      return {wire_.ends ? Status::end : Status::would_block, 0, 0};
    }
    const std::size_t n = std::min({into.size(), wire_.to_host.size(), wire_.read_at_most});
    std::memcpy(into.data(), wire_.to_host.data(), n);
    wire_.to_host.erase(0, n);
    return {Status::ok, n, 0};
  }
  io::Transfer write(base::Bytes first, std::span<const base::Bytes> /*more*/) noexcept override {
    using Status = io::Transfer::Status;
    if (wire_.write_error != 0) return {Status::failed, 0, wire_.write_error};
    const std::size_t n = std::min(first.size(), wire_.accepts);
    if (n == 0) return {Status::would_block, 0, 0};
    wire_.received += base::as_text(first.first(n));
    if (wire_.accepts != SIZE_MAX) wire_.accepts -= n;
    return {Status::ok, n, 0};
  }
  void await_readable() override { wire_.wants_read = true; }
  void pause_reading() override { wire_.wants_read = false; }
  void await_writable() override { wire_.wants_write = true; }
  void shutdown_write() noexcept override {}
  [[nodiscard]] bool peer_gone() const noexcept override { return wire_.ends; }
  [[nodiscard]] int release() noexcept override { return -1; }

 private:
  Wire& wire_;
};

/// The content of all records of one type since the last BEGIN_REQUEST.
std::string contents(std::string_view bytes, unsigned type, bool& ended, unsigned* id = nullptr) {
  std::string all;
  ended = false;
  protocol::RecordDecoder decoder;
  base::Bytes rest = base::as_bytes(bytes);
  for (;;) {
    const protocol::RecordStep step = decoder.next(rest);
    if (step.kind == protocol::RecordStep::Kind::more ||
        step.kind == protocol::RecordStep::Kind::wrong_version)
      return all;
    if (step.kind == protocol::RecordStep::Kind::header && decoder.header().type == wire::begin_request) {
      all.clear();
      ended = false;
      if (id != nullptr) *id = decoder.header().request_id;
    }
    if (decoder.header().type != type) continue;
    if (step.kind == protocol::RecordStep::Kind::content) all += base::as_text(step.content);
    if (step.kind == protocol::RecordStep::Kind::end && decoder.header().content_length == 0) ended = true;
  }
}

}  // namespace

std::string Wire::body() const {
  bool ended = false;
  return contents(received, wire::standard_in, ended);
}
unsigned Wire::request_id() const {
  unsigned id = 0;
  bool ended = false;
  (void)contents(received, wire::begin_request, ended, &id);
  return id;
}
bool Wire::body_ended() const {
  bool ended = false;
  (void)contents(received, wire::standard_in, ended);
  return ended;
}
std::string Wire::params() const {
  bool ended = false;
  const std::string block = contents(received, wire::params, ended);
  std::string all;
  protocol::PairReader reader(base::as_bytes(block));
  while (const auto pair = reader.next())
    all += std::string(pair->name) + "=" + std::string(pair->value) + "\n";
  if (!ended || reader.broken()) all += "(not whole)";
  return all;
}

Dialer::Dialed ScriptedDialer::dial(io::TransportEvents& events) {
  if (!errors.empty()) {
    const int error = errors.front();
    errors.pop_front();
    if (error != 0) return {nullptr, error};
  }
  wires.push_back(std::make_unique<Wire>(plain));
  wires.back()->events = &events;
  return {std::make_unique<ScriptedTransport>(*wires.back()), 0};
}

void Stageplay::open(std::string_view pattern) {
  config.text = "unix:/run/app.sock";
  auto dialer = std::make_unique<ScriptedDialer>();
  dialer_ = dialer.get();
  application = std::make_unique<Application>(config, pattern, std::move(dialer));
}

void Stageplay::settle() {
  for (bool again = true; again;) {
    again = false;
    loop.run_posted();
    for (std::size_t i = 0; i < dialer_->wires.size(); ++i) {
      Wire& each = *dialer_->wires[i];
      const bool readable = !each.to_host.empty() || each.ends || each.read_error != 0;
      if (each.events != nullptr && each.wants_read && readable) {
        each.wants_read = false;
        again = true;
        each.events->on_readable();
      }
      if (each.events != nullptr && each.wants_write && (each.accepts != 0 || each.write_error != 0)) {
        each.wants_write = false;
        again = true;
        each.events->on_writable();
      }
    }
  }
}

void Stageplay::say(std::string_view bytes, std::size_t number) {
  std::string sent(bytes);
  const unsigned id = wire(number).request_id();
  const auto at = [&](std::size_t place) { return static_cast<unsigned char>(sent[place]); };
  for (std::size_t i = 0; id > 1 && i + 8 <= sent.size() && at(i) == 1;) {
    if (at(i + 2) == 0 && at(i + 3) == 1) sent[i + 3] = static_cast<char>(id);
    i += 8U + (at(i + 4) << 8U) + at(i + 5) + at(i + 6);
  }
  wire(number).to_host += sent;
  settle();
}

void Stageplay::hang_up(std::size_t number) {
  wire(number).ends = true;
  settle();
}

Play::Play(Stageplay& the_bench, std::vector<std::pair<std::string, std::string>> more, std::string_view uri)
    : bench(the_bench), texts(std::move(more)) {
  const auto has = [&](std::string_view name) {
    return std::any_of(texts.begin(), texts.end(), [&](const auto& each) { return each.first == name; });
  };
  if (!has("REQUEST_METHOD")) texts.emplace_back("REQUEST_METHOD", "GET");
  if (!has("CONTENT_LENGTH")) texts.emplace_back("CONTENT_LENGTH", "0");
  for (const auto& [name, value] : texts) params.add(name, value);
  (void)params.settle();
  (void)path.parse(uri, cgi::RequestPath::Form::decoded);
  facts.params = &params;
  facts.log = &bench.log;
  facts.journal = &bench.journal;
  facts.route = "php";
  facts.request_id = "r1";
  facts.loop = &bench.loop;
  facts.window = bench.limits.window;
  facts.path = &path;
  facts.limits = &bench.limits;
  facts.spools = &bench.spools;
  facts.content_length = cgi::parse_length(params.get("CONTENT_LENGTH")).value_or(UINT64_MAX);
  stage = bench.application->open(sink, facts);
}

void Play::start() {
  stage->start();
  bench.settle();
}

void Play::body(std::string_view bytes) {
  stage->input(roles::StageInput::body, base::as_bytes(bytes));
  bench.settle();
}

void Play::end_body() {
  stage->end_input(roles::StageInput::body, TRIVET_END_COMPLETE);
  bench.settle();
}

std::string out(std::string_view bytes) { return wire::padded(wire::standard_out, 1, bytes); }
std::string err(std::string_view bytes) { return wire::padded(wire::standard_error, 1, bytes); }
std::string end(std::uint32_t app_status, unsigned protocol_status) {
  return wire::end(1, app_status, protocol_status);
}
std::string answer(std::string_view output) {
  return out(output) + wire::record(wire::standard_out, 1, {}) + end();
}

}  // namespace trivet::source::testing
