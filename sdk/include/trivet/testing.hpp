#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <trivet/fake_table.hpp>
#include <utility>
#include <vector>

/// The constant that a plugin exports; a test program that contains the plugin's source finds it here.
extern "C" TRIVET_EXPORT const trivet_plugin TRIVET_ENTRY_SYMBOL;

namespace trivet {

/// A host for tests of one plugin: no Trivet, no server, no threads. Works with every test framework.
///
///     trivet::FakeHost host;
///     host.set("key", "s3cret");
///     const trivet::Answer answer = host.check({.params = {{"HTTP_X_API_KEY", "s3cret"}}});
///
/// Thread    One.
/// Errors    A plugin that does not start gives answers with TRIVET_E_STATE as result; errors() says why.
class FakeHost {
 public:
  explicit FakeHost(const trivet_plugin& plugin = TRIVET_ENTRY_SYMBOL) noexcept : plugin_(plugin) {}
  ~FakeHost() {
    if (started_ && plugin_.destroy != nullptr) plugin_.destroy(self_);
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// A setting, before start(): "key", "users.0.name" or, for a list, "names.0".
  FakeHost& set(std::string_view path, std::string_view value) { return put(path, std::string(value)); }
  FakeHost& set(std::string_view path, const char* value) { return put(path, std::string(value)); }
  FakeHost& set(std::string_view path, bool value) { return put(path, value); }
  FakeHost& set(std::string_view path, int value) { return put(path, std::int64_t{value}); }
  FakeHost& set(std::string_view path, std::int64_t value) { return put(path, value); }
  FakeHost& set(std::string_view path, double value) { return put(path, value); }

  /// A zone that is configured, before start(). Outlives this.
  FakeHost& zone(std::string_view name, FakeZone& zone) {
    settings_.zones.insert_or_assign(std::string(name), &zone);
    return *this;
  }

  /// Constructs the plugin; the functions below do it when it was not done. False: errors() says why.
  bool start() {
    if (started_) return true;
    settings_.errors.clear();
    const auto* settings = reinterpret_cast<const trivet_settings*>(&settings_);  // NOLINT: an opaque handle
    const bool made =
        plugin_.create == nullptr || plugin_.create(&sdk::fake_table, settings, &self_) == TRIVET_OK;
    started_ = made && settings_.errors.empty();
    return started_;
  }
  /// `path: what is wrong`.
  [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return settings_.errors; }

  /// The plugin as a responder, in whichever of the two ways it answers.
  Answer respond(const Ask& ask) {
    sdk::FakeRequest it = begin(ask, TRIVET_ROLE_RESPONDER);
    if (plugin_.responder == nullptr || !start()) return refuse(it);
    const trivet_responder& role = *plugin_.responder;
    if (role.handle != nullptr) {
      it.in_handle = true;
      it.answer.result = role.handle(self_, handle(it));
      return it.answer;
    }
    void* state = nullptr;
    it.answer.result = role.open(self_, handle(it), &state);
    if (it.answer.result != TRIVET_OK) return it.answer;
    if (role.body != nullptr) feed(it, state, role.body, ask.body);
    std::uint32_t done = role.room == nullptr ? 1 : 0;
    while (it.answer.result == TRIVET_OK && !it.cancelled() && done == 0) {
      it.answer.result = role.room(self_, handle(it), state, &done);
    }
    role.close(self_, handle(it), state);
    return it.answer;
  }

  /// The plugin as an authorizer.
  Answer check(const Ask& ask) {
    sdk::FakeRequest it = begin(ask, TRIVET_ROLE_AUTHORIZER);
    if (plugin_.authorizer == nullptr || !start()) return refuse(it);
    it.answer.result = plugin_.authorizer->check(self_, handle(it));
    return it.answer;
  }

  /// The plugin as a filter of `ask.data`.
  Answer filter(const Ask& ask) {
    sdk::FakeRequest it = begin(ask, TRIVET_ROLE_FILTER);
    if (plugin_.filter == nullptr || !start()) return refuse(it);
    const trivet_filter& role = *plugin_.filter;
    it.answer.status = ask.status;
    it.answer.headers = ask.headers;
    void* state = nullptr;
    it.in_filter_open = true;
    if (role.open != nullptr) it.answer.result = role.open(self_, handle(it), &state);
    it.in_filter_open = false;
    if (it.answer.result != TRIVET_OK) return it.answer;
    if (it.answer.passed) {
      for (const std::string& chunk : ask.data) it.answer.body += chunk;
    } else {
      if (role.body != nullptr) feed(it, state, role.body, ask.body);
      feed(it, state, role.data, ask.data);
    }
    if (role.close != nullptr) role.close(self_, handle(it), state);
    return it.answer;
  }

 private:
  using Chunk = trivet_status (*)(void*, trivet_request*, void*, trivet_text, trivet_end);

  template <class Value>
  FakeHost& put(std::string_view path, Value value) {
    settings_.leaves.insert_or_assign(std::string(path), sdk::FakeSettings::Value(std::move(value)));
    return *this;
  }
  [[nodiscard]] static trivet_request* handle(sdk::FakeRequest& it) noexcept {
    return reinterpret_cast<trivet_request*>(&it);  // NOLINT: an opaque handle
  }
  [[nodiscard]] static sdk::FakeRequest begin(const Ask& ask, trivet_role role) {
    sdk::FakeRequest it;
    it.ask = &ask;
    it.role = role;
    for (const auto& [name, value] : ask.params) it.params.push_back({sdk::text(name), sdk::text(value)});
    return it;
  }
  [[nodiscard]] static Answer refuse(sdk::FakeRequest& it) {
    it.answer.result = TRIVET_E_STATE;
    return std::move(it.answer);
  }
  void feed(sdk::FakeRequest& it, void* state, Chunk hook, const std::vector<std::string>& chunks) {
    for (const std::string& chunk : chunks) {
      if (it.answer.result != TRIVET_OK || it.cancelled()) return;
      if (chunk.empty()) continue;
      // A copy, so that the address sanitizer finds a plugin that keeps the view.
      const std::string copy(chunk);  // NOLINT(performance-unnecessary-copy-initialization)
      it.answer.result = hook(self_, handle(it), state, sdk::text(copy), TRIVET_END_NOT_YET);
    }
    if (it.answer.result != TRIVET_OK || it.cancelled()) return;
    it.answer.result = hook(self_, handle(it), state, {}, static_cast<trivet_end>(it.ask->ends));
  }

  const trivet_plugin& plugin_;
  sdk::FakeSettings settings_;
  void* self_ = nullptr;
  bool started_ = false;
};

/// `text` in two pieces at every place it can be cut, whole, and byte by byte: for tests of what comes in
/// pieces.
[[nodiscard]] inline std::vector<std::vector<std::string>> every_cut(std::string_view text) {
  std::vector<std::vector<std::string>> ways;
  ways.push_back({std::string(text)});
  for (std::size_t at = 1; at < text.size(); ++at) {
    ways.push_back({std::string(text.substr(0, at)), std::string(text.substr(at))});
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  ways.push_back(std::move(bytes));
  return ways;
}

}  // namespace trivet
