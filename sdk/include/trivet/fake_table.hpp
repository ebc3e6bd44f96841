#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/basic.hpp>
#include <trivet/fake_zone.hpp>
#include <utility>
#include <variant>
#include <vector>

/// The functions of the host as tests of plugins need them; what tests use is in <trivet/testing.hpp>.
namespace trivet {

/// What a test asks of a plugin.
struct Ask {
  std::map<std::string, std::string, std::less<>> params = {};
  std::vector<std::string> body = {};  ///< FCGI_STDIN in the pieces it comes in.
  std::vector<std::string> data = {};  ///< For a filter: FCGI_DATA in the pieces it comes in.
  End ends = End::complete;            ///< How body and data end.
  /// The client goes away once this many bytes were written.
  std::optional<std::size_t> cancel_after = {};
  /// `handle` runs on a plugin thread, where it may read the body; false: on the event loop.
  bool may_wait = true;
  /// A filter: the head that the stages before made.
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// What the plugin answered.
struct Answer {
  trivet_status result = TRIVET_OK;  ///< What the first failing hook gave; TRIVET_OK when none failed.
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::optional<bool> allowed;  ///< An authorizer's verdict; nothing when it made none.
  std::map<std::string, std::string, std::less<>> variables;
  std::string reason;            ///< Of a deny.
  std::string failure;           ///< What the plugin said went wrong.
  std::vector<std::string> log;  ///< Lines of this request.
  std::size_t largest_write = 0;
  int flushes = 0;
  bool passed = false;                     ///< A filter left the body as it is: `body` holds all of the data.
  std::optional<std::uint64_t> cache_for;  ///< An authorizer's, in nanoseconds.

  /// The first header of that name, in any case.
  [[nodiscard]] std::optional<std::string> header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (same_name(key, name)) return value;
    }
    return std::nullopt;
  }

  [[nodiscard]] static bool same_name(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    for (std::size_t at = 0; at < a.size(); ++at) {
      if (lower(a[at]) != lower(b[at])) return false;
    }
    return true;
  }
};

namespace sdk {

/// What `trivet_settings` points to in a test: leaves by their dotted path.
struct FakeSettings {
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  std::map<std::string, Value, std::less<>> leaves;
  mutable std::vector<std::string> errors;
  std::map<std::string, FakeZone*, std::less<>> zones;

  /// The distinct keys right below `path`, and whether there are any.
  [[nodiscard]] std::vector<std::string> keys(std::string_view path) const {
    const std::string prefix = path.empty() ? std::string() : std::string(path) + ".";
    std::vector<std::string> keys;
    for (const auto& [leaf, value] : leaves) {
      if (!leaf.starts_with(prefix)) continue;
      std::string key = leaf.substr(prefix.size(), leaf.find('.', prefix.size()) - prefix.size());
      bool known = false;
      for (const std::string& other : keys) known = known || other == key;
      if (!known) keys.push_back(std::move(key));
    }
    return keys;
  }
};

/// What `trivet_request` points to in a test.
struct FakeRequest {
  const Ask* ask = nullptr;
  Answer answer;
  std::vector<trivet_param> params;
  trivet_role role = TRIVET_ROLE_RESPONDER;
  std::size_t next_chunk = 0;
  bool in_handle = false;
  bool in_filter_open = false;
  bool head_sent = false;

  [[nodiscard]] bool cancelled() const noexcept {
    return ask->cancel_after && answer.body.size() >= *ask->cancel_after;
  }
};

[[nodiscard]] inline FakeRequest& fake(trivet_request* request) noexcept {
  return *reinterpret_cast<FakeRequest*>(request);  // NOLINT: the handle is this object
}
[[nodiscard]] inline const FakeSettings& fake(const trivet_settings* settings) noexcept {
  return *reinterpret_cast<const FakeSettings*>(settings);  // NOLINT: the handle is this object
}

[[nodiscard]] inline bool is_header_name(std::string_view name) noexcept {
  if (name.empty()) return false;
  for (const char c : name) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!word && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return true;
}
[[nodiscard]] inline bool is_header_value(std::string_view value) noexcept {
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

/// The functions of the host, over FakeRequest and FakeSettings: as strict as the real ones where a plugin
/// author's mistake would show.
struct FakeTable {
  static trivet_status setting(const trivet_settings* from, trivet_text path, trivet_value* value) {
    const FakeSettings& settings = fake(from);
    *value = {};
    if (const auto leaf = settings.leaves.find(view(path)); leaf != settings.leaves.end()) {
      value->type = static_cast<trivet_type>(leaf->second.index() + 1);
      if (const auto* words = std::get_if<std::string>(&leaf->second)) value->text = text(*words);
      if (const auto* number = std::get_if<std::int64_t>(&leaf->second)) value->integer = *number;
      if (const auto* number = std::get_if<double>(&leaf->second)) value->real = *number;
      if (const auto* truth = std::get_if<bool>(&leaf->second)) value->boolean = *truth ? 1 : 0;
      return TRIVET_OK;
    }
    const std::vector<std::string> keys = settings.keys(view(path));
    if (keys.empty() && path.len != 0) return TRIVET_E_ABSENT;
    const bool numbered = !keys.empty() && keys[0].find_first_not_of("0123456789") == std::string::npos;
    value->type = numbered ? TRIVET_TYPE_LIST : TRIVET_TYPE_TABLE;
    value->count = keys.size();
    return TRIVET_OK;
  }
  static trivet_status setting_key(const trivet_settings* from, trivet_text path, std::uint64_t index,
                                   trivet_text* key) {
    const FakeSettings& settings = fake(from);
    const std::vector<std::string> keys = settings.keys(view(path));
    if (index >= keys.size()) return TRIVET_E_ABSENT;
    const std::string whole = path.len == 0 ? keys[index] : std::string(view(path)) + "." + keys[index];
    const auto leaf = settings.leaves.lower_bound(whole);  // It is a leaf of that name or the first below it.
    *key = text(std::string_view(leaf->first).substr(whole.size() - keys[index].size(), keys[index].size()));
    return TRIVET_OK;
  }
  static void setting_error(const trivet_settings* from, trivet_text path, trivet_text what) {
    std::string line(view(path));
    if (!line.empty()) line += ": ";
    fake(from).errors.push_back(line.append(view(what)));
  }

  static trivet_status open_zone(const trivet_settings* from, trivet_text path, trivet_text name,
                                 trivet_zone** zone) {
    const auto found = fake(from).zones.find(view(name));
    if (found == fake(from).zones.end()) {
      const std::string what = "no zone \"" + std::string(view(name)) + "\" is configured";
      setting_error(from, path, text(what));
      return TRIVET_E_ABSENT;
    }
    *zone = reinterpret_cast<trivet_zone*>(found->second);  // NOLINT: an opaque handle
    return TRIVET_OK;
  }
  static constexpr trivet_zones zones = {sizeof(trivet_zones),
                                         0,
                                         &open_zone,
                                         &FakeZones::info,
                                         &FakeZones::now,
                                         &FakeZones::get,
                                         &FakeZones::put,
                                         &FakeZones::add,
                                         &FakeZones::remove,
                                         &FakeZones::counter,
                                         &FakeZones::counter_add};

  static trivet_phase phase(const FakeRequest& it) {
    const auto found = it.ask->params.find("FCGI_APACHE_ROLE");
    if (it.role != TRIVET_ROLE_AUTHORIZER || found == it.ask->params.end()) return TRIVET_PHASE_NONE;
    if (found->second == "ACCESS_CHECKER") return TRIVET_PHASE_ACCESS_CHECKER;
    if (found->second == "AUTHENTICATOR") return TRIVET_PHASE_AUTHENTICATOR;
    return found->second == "AUTHORIZER" ? TRIVET_PHASE_AUTHORIZER : TRIVET_PHASE_NONE;
  }
  static trivet_status info(trivet_request* request, trivet_request_info* info) {
    const FakeRequest& it = fake(request);
    std::uint64_t length = 0;
    for (const std::string& chunk : it.ask->body) length += chunk.size();
    std::uint64_t data_length = 0;
    for (const std::string& chunk : it.ask->data) data_length += chunk.size();
    *info = {sizeof *info,
             it.role,
             1,
             length,
             it.role == TRIVET_ROLE_FILTER ? data_length : UINT64_MAX,
             text("test"),
             text("test-1"),
             phase(it),
             0};
    return TRIVET_OK;
  }
  static trivet_status param(trivet_request* request, trivet_text name, trivet_text* value) {
    const auto& params = fake(request).ask->params;
    const auto found = params.find(view(name));
    if (found == params.end()) return TRIVET_E_ABSENT;
    *value = text(found->second);
    return TRIVET_OK;
  }
  static trivet_status params(trivet_request* request, const trivet_param** first, std::size_t* count) {
    *first = fake(request).params.data();
    *count = fake(request).params.size();
    return TRIVET_OK;
  }
  static trivet_status read(trivet_request* request, trivet_text* chunk, trivet_end* end) {
    FakeRequest& it = fake(request);
    *chunk = {};
    *end = TRIVET_END_NOT_YET;
    if (it.cancelled()) return TRIVET_E_CANCELLED;
    if (!it.in_handle || !it.ask->may_wait) return TRIVET_E_STATE;
    while (it.next_chunk < it.ask->body.size() && it.ask->body[it.next_chunk].empty()) ++it.next_chunk;
    if (it.next_chunk < it.ask->body.size()) {
      *chunk = text(it.ask->body[it.next_chunk++]);
    } else {
      *end = static_cast<trivet_end>(it.ask->ends);
    }
    return TRIVET_OK;
  }
  static std::uint32_t cancelled(trivet_request* request) { return fake(request).cancelled() ? 1 : 0; }

  static trivet_status set_status(trivet_request* request, std::uint32_t status) {
    FakeRequest& it = fake(request);
    if (it.head_sent) return TRIVET_E_STATE;
    if (status < 200 || status > 599) return TRIVET_E_ARGUMENT;
    it.answer.status = status;
    return TRIVET_OK;
  }
  static trivet_status add_header(trivet_request* request, trivet_text name, trivet_text value) {
    FakeRequest& it = fake(request);
    if (it.head_sent) return TRIVET_E_STATE;
    if (!is_header_name(view(name)) || !is_header_value(view(value))) return TRIVET_E_ARGUMENT;
    it.answer.headers.emplace_back(view(name), view(value));
    return TRIVET_OK;
  }
  static trivet_status set_header(trivet_request* request, trivet_text name, trivet_text value) {
    if (!is_header_name(view(name)) || !is_header_value(view(value))) return TRIVET_E_ARGUMENT;
    const trivet_status removed = remove_header(request, name);
    return removed == TRIVET_E_STATE ? removed : add_header(request, name, value);
  }
  static trivet_status remove_header(trivet_request* request, trivet_text name) {
    FakeRequest& it = fake(request);
    if (it.head_sent) return TRIVET_E_STATE;
    const auto removed = std::erase_if(
        it.answer.headers, [&](const auto& pair) { return Answer::same_name(pair.first, view(name)); });
    return removed == 0 ? TRIVET_E_ABSENT : TRIVET_OK;
  }
  static trivet_status get_status(trivet_request* request, std::uint32_t* status) {
    *status = fake(request).answer.status;
    return TRIVET_OK;
  }
  static trivet_status get_header(trivet_request* request, trivet_text name, trivet_text* value) {
    for (const auto& [key, held] : fake(request).answer.headers) {
      if (!Answer::same_name(key, view(name))) continue;
      *value = text(held);
      return TRIVET_OK;
    }
    return TRIVET_E_ABSENT;
  }
  static trivet_status write(trivet_request* request, const void* bytes, std::size_t length) {
    FakeRequest& it = fake(request);
    if (it.cancelled()) return TRIVET_E_CANCELLED;
    it.answer.body.append(static_cast<const char*>(bytes), length);
    if (length > it.answer.largest_write) it.answer.largest_write = length;
    return TRIVET_OK;
  }
  static trivet_status flush(trivet_request* request) {
    FakeRequest& it = fake(request);
    if (it.cancelled()) return TRIVET_E_CANCELLED;
    if (it.role == TRIVET_ROLE_AUTHORIZER) return TRIVET_E_STATE;
    it.head_sent = true;
    ++it.answer.flushes;
    return TRIVET_OK;
  }

  static trivet_status allow(trivet_request* request) {
    FakeRequest& it = fake(request);
    if (it.role != TRIVET_ROLE_AUTHORIZER || it.answer.allowed) return TRIVET_E_STATE;
    it.answer.allowed = true;
    return TRIVET_OK;
  }
  static trivet_status set_variable(trivet_request* request, trivet_text name, trivet_text value) {
    FakeRequest& it = fake(request);
    if (it.role != TRIVET_ROLE_AUTHORIZER) return TRIVET_E_STATE;
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    if (name.len == 0 || view(name).find_first_not_of(allowed) != std::string_view::npos)
      return TRIVET_E_ARGUMENT;
    for (const std::string_view taken :
         {"HTTP_", "CONTENT_", "SCRIPT_", "PATH", "REQUEST_", "SERVER_", "LD_", "TRIVET_"}) {
      if (view(name).starts_with(taken)) return TRIVET_E_ARGUMENT;
    }
    if (!is_header_value(view(value))) return TRIVET_E_ARGUMENT;
    it.answer.variables.insert_or_assign(std::string(view(name)), std::string(view(value)));
    return TRIVET_OK;
  }
  static trivet_status deny(trivet_request* request, std::uint32_t status, trivet_text reason) {
    FakeRequest& it = fake(request);
    if (it.role != TRIVET_ROLE_AUTHORIZER || it.answer.allowed) return TRIVET_E_STATE;
    const bool redirects = (status >= 301 && status <= 303) || status == 307 || status == 308;
    if (!redirects && (status < 400 || status > 599)) return TRIVET_E_ARGUMENT;
    it.answer.allowed = false;
    it.answer.status = status;
    it.answer.reason = view(reason);
    return TRIVET_OK;
  }
  static trivet_status cache_for(trivet_request* request, std::uint64_t lifetime) {
    FakeRequest& it = fake(request);
    if (it.role != TRIVET_ROLE_AUTHORIZER) return TRIVET_E_STATE;
    it.answer.cache_for = lifetime;
    return TRIVET_OK;
  }
  static trivet_status pass(trivet_request* request) {
    FakeRequest& it = fake(request);
    if (!it.in_filter_open || it.head_sent || !it.answer.body.empty()) return TRIVET_E_STATE;
    it.answer.passed = true;
    return TRIVET_OK;
  }
  static void fail(trivet_request* request, trivet_text what) { fake(request).answer.failure = view(what); }
  static void log(trivet_request* request, trivet_level, trivet_text line) {
    if (request != nullptr) fake(request).answer.log.emplace_back(view(line));
  }

  static constexpr trivet_host make() {
    trivet_host table{};
    table.size = sizeof table;
    table.abi_major = TRIVET_ABI_MAJOR;
    table.abi_minor = TRIVET_ABI_MINOR;
    table.setting = &setting;
    table.setting_key = &setting_key;
    table.setting_error = &setting_error;
    table.info = &info;
    table.param = &param;
    table.params = &params;
    table.read = &read;
    table.cancelled = &cancelled;
    table.set_status = &set_status;
    table.add_header = &add_header;
    table.set_header = &set_header;
    table.remove_header = &remove_header;
    table.get_status = &get_status;
    table.get_header = &get_header;
    table.write = &write;
    table.flush = &flush;
    table.allow = &allow;
    table.set_variable = &set_variable;
    table.deny = &deny;
    table.fail = &fail;
    table.log = &log;
    table.zones = &zones;
    table.cache_for = &cache_for;
    table.pass = &pass;
    return table;
  }
};

inline constexpr trivet_host fake_table = FakeTable::make();

}  // namespace sdk

}  // namespace trivet
