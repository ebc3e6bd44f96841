#include "runtime/plugin/host_table.hpp"

#include <atomic>
#include <cstring>
#include <limits>
#include <new>

#include "runtime/log/log.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/current.hpp"
#include "runtime/plugin/settings.hpp"
#include "runtime/plugin/zone_table.hpp"

namespace trivet::plugin {

namespace {

std::atomic<std::uint64_t> ownerless{0};

constexpr std::size_t max_length = std::numeric_limits<std::size_t>::max() / 2;

bool is_text(trivet_text given) noexcept {
  return given.len == 0 || (given.ptr != nullptr && given.len <= max_length);
}

Call& call_of(trivet_request* request) noexcept {
  end_if_forked();
  return *reinterpret_cast<Call*>(request);
}  // NOLINT: see Call::handle

SettingsReader& reader_of(const trivet_settings* settings) noexcept {
  // Plugins see a constant; that reading leaves a trace is the reader's affair.
  return *const_cast<SettingsReader*>(reinterpret_cast<const SettingsReader*>(settings));  // NOLINT
}

/// Runs `body`; memory that is not to be had is a bound like any other.
template <class Body>
trivet_status guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return TRIVET_E_LIMIT;
  } catch (...) {
    return TRIVET_E_FAILED;
  }
}

trivet_status setting(const trivet_settings* settings, trivet_text path, trivet_value* value) noexcept {
  if (settings == nullptr || value == nullptr || !is_text(path)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return reader_of(settings).find(view(path), *value); });
}

trivet_status setting_key(const trivet_settings* settings, trivet_text path, std::uint64_t index,
                          trivet_text* key) noexcept {
  if (settings == nullptr || key == nullptr || !is_text(path)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return reader_of(settings).key(view(path), index, *key); });
}

void setting_error(const trivet_settings* settings, trivet_text path, trivet_text what) noexcept {
  if (settings == nullptr || !is_text(path) || !is_text(what)) return;
  static_cast<void>(guarded([&] {
    reader_of(settings).report(view(path), view(what));
    return TRIVET_OK;
  }));
}

trivet_status info(trivet_request* request, trivet_request_info* into) noexcept {
  if (request == nullptr || into == nullptr) return TRIVET_E_ARGUMENT;
  const std::uint32_t known = into->size;
  if (known < offsetof(trivet_request_info, number)) return TRIVET_E_ARGUMENT;
  return guarded([&] {
    trivet_request_info full{};
    full.size = sizeof full;
    const trivet_status status = call_of(request).info(full);
    if (status != TRIVET_OK) return status;
    std::memcpy(into, &full, known < sizeof full ? known : sizeof full);
    into->size = known;  // What the plugin knows, also when that is more than this host.
    return status;
  });
}

trivet_status param(trivet_request* request, trivet_text name, trivet_text* value) noexcept {
  if (request == nullptr || value == nullptr || !is_text(name)) return TRIVET_E_ARGUMENT;
  *value = {};
  return guarded([&] { return call_of(request).param(view(name), *value); });
}

trivet_status params(trivet_request* request, const trivet_param** first, std::size_t* count) noexcept {
  if (request == nullptr || first == nullptr || count == nullptr) return TRIVET_E_ARGUMENT;
  *first = nullptr;
  *count = 0;
  return guarded([&] { return call_of(request).params(*first, *count); });
}

trivet_status read(trivet_request* request, trivet_text* chunk, trivet_end* end) noexcept {
  if (request == nullptr || chunk == nullptr || end == nullptr) return TRIVET_E_ARGUMENT;
  *chunk = {};
  *end = TRIVET_END_NOT_YET;
  return guarded([&] { return call_of(request).read(*chunk, *end); });
}

std::uint32_t cancelled(trivet_request* request) noexcept {
  return request != nullptr && call_of(request).cancelled() ? 1 : 0;
}

trivet_status set_status(trivet_request* request, std::uint32_t status) noexcept {
  if (request == nullptr) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).set_status(status); });
}

trivet_status add_header(trivet_request* request, trivet_text name, trivet_text value) noexcept {
  if (request == nullptr || !is_text(name) || !is_text(value)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).add_header(view(name), view(value)); });
}

trivet_status set_header(trivet_request* request, trivet_text name, trivet_text value) noexcept {
  if (request == nullptr || !is_text(name) || !is_text(value)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).set_header(view(name), view(value)); });
}

trivet_status remove_header(trivet_request* request, trivet_text name) noexcept {
  if (request == nullptr || !is_text(name)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).remove_header(view(name)); });
}

trivet_status get_status(trivet_request* request, std::uint32_t* status) noexcept {
  if (request == nullptr || status == nullptr) return TRIVET_E_ARGUMENT;
  *status = 0;
  return guarded([&] { return call_of(request).get_status(*status); });
}

trivet_status get_header(trivet_request* request, trivet_text name, trivet_text* value) noexcept {
  if (request == nullptr || value == nullptr || !is_text(name)) return TRIVET_E_ARGUMENT;
  *value = {};
  return guarded([&] { return call_of(request).get_header(view(name), *value); });
}

trivet_status write(trivet_request* request, const void* bytes, std::size_t length) noexcept {
  const trivet_text given{static_cast<const char*>(bytes), length};
  if (request == nullptr || !is_text(given)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).write(view(given)); });
}

trivet_status flush(trivet_request* request) noexcept {
  if (request == nullptr) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).flush(); });
}

trivet_status allow(trivet_request* request) noexcept {
  if (request == nullptr) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).allow(); });
}

trivet_status set_variable(trivet_request* request, trivet_text name, trivet_text value) noexcept {
  if (request == nullptr || !is_text(name) || !is_text(value)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).set_variable(view(name), view(value)); });
}

trivet_status deny(trivet_request* request, std::uint32_t status, trivet_text reason) noexcept {
  if (request == nullptr || !is_text(reason)) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).deny(status, view(reason)); });
}

trivet_status cache_for(trivet_request* request, std::uint64_t lifetime) noexcept {
  if (request == nullptr) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).cache_for(lifetime); });
}

trivet_status pass(trivet_request* request) noexcept {
  if (request == nullptr) return TRIVET_E_ARGUMENT;
  return guarded([&] { return call_of(request).pass(); });
}

void fail(trivet_request* request, trivet_text what) noexcept {
  if (request == nullptr || !is_text(what)) return;
  static_cast<void>(guarded([&] {
    call_of(request).fail(view(what));
    return TRIVET_OK;
  }));
}

log::Level level_of(trivet_level level) noexcept {
  switch (level) {
    case TRIVET_LEVEL_DEBUG:
      return log::Level::debug;
    case TRIVET_LEVEL_INFO:
      return log::Level::info;
    case TRIVET_LEVEL_WARN:
      return log::Level::warn;
    default:
      return log::Level::error;  // Also for levels to come: rather too loud than lost.
  }
}

void log_line(trivet_request* request, trivet_level level, trivet_text line) noexcept {
  if (!is_text(line)) return;
  if (request != nullptr) {
    static_cast<void>(guarded([&] {
      call_of(request).log(level, view(line));
      return TRIVET_OK;
    }));
    return;
  }
  const Current* current = current_plugin();
  if (current == nullptr || current->log == nullptr) {
    ownerless.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!current->log->enabled(level_of(level))) return;
  current->log->write(level_of(level), "plugin says", {{"plugin", current->name}, {"text", view(line)}});
}

constexpr trivet_host table = {
    .size = sizeof(trivet_host),
    .abi_major = TRIVET_ABI_MAJOR,
    .abi_minor = TRIVET_ABI_MINOR,
    .setting = &setting,
    .setting_key = &setting_key,
    .setting_error = &setting_error,
    .info = &info,
    .param = &param,
    .params = &params,
    .read = &read,
    .cancelled = &cancelled,
    .set_status = &set_status,
    .add_header = &add_header,
    .set_header = &set_header,
    .remove_header = &remove_header,
    .get_status = &get_status,
    .get_header = &get_header,
    .write = &write,
    .flush = &flush,
    .allow = &allow,
    .set_variable = &set_variable,
    .deny = &deny,
    .fail = &fail,
    .log = &log_line,
    .zones = &zone_table,
    .cache_for = &cache_for,
    .pass = &pass,
};

}  // namespace

const trivet_host& host_table() noexcept { return table; }

std::uint64_t ownerless_lines() noexcept { return ownerless.load(std::memory_order_relaxed); }

}  // namespace trivet::plugin
