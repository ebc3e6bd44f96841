#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <string_view>
#include <trivet/basic.hpp>
#include <trivet/config.hpp>
#include <trivet/output.hpp>
#include <trivet/request.hpp>
#include <trivet/settings.hpp>
#include <trivet/verdict.hpp>
#include <type_traits>

/// From an author's class to the tables of <trivet/abi.h>: which roles it has is probed, each of its
/// functions is called within a guard that lets no exception out.
namespace trivet::sdk {

// --- what a class can do ---

/// `hook(chunk, out, last)`: the third may be a bool or, for those who tell a short end, an End.
template <class T>
concept HasData = requires(T& t, std::string_view chunk, Output& out) {
  t.data(chunk, out, End::complete);
} || requires(T& t, std::string_view chunk, Output& out, bool last) { t.data(chunk, out, last); };
template <class T>
concept HasBody = requires(T& t, std::string_view chunk, Output& out) {
  t.body(chunk, out, End::complete);
} || requires(T& t, std::string_view chunk, Output& out, bool last) { t.body(chunk, out, last); };
template <class T>
concept HasRoom = requires(T& t, Output& out) {
  { t.room(out) } -> std::same_as<bool>;
};
template <class T>
concept HasHandle = requires(T& t, Request& request, Output& out) { t.handle(request, out); };
template <class T>
concept HasCheck = requires(T& t, Request& request) {
  { t.check(request) } -> std::convertible_to<Verdict>;
};
template <class T>
concept NestsResponder = requires { typename T::Responder; };
template <class T>
concept NestsFilter = requires { typename T::Filter; };

/// The class of which one object is made per request, and whose hooks are called as bytes come.
template <class T>
struct ResponderOf {
  using type = void;
};
template <NestsResponder T>
struct ResponderOf<T> {
  using type = typename T::Responder;
};
template <class T>
struct FilterOf {
  using type = T;
};
template <NestsFilter T>
struct FilterOf<T> {
  using type = typename T::Filter;
};

template <class T>
inline constexpr bool is_responder = HasHandle<T> || NestsResponder<T>;
template <class T>
inline constexpr bool is_authorizer = HasCheck<T>;
template <class T>
inline constexpr bool is_filter = HasData<T> || NestsFilter<T>;

template <class T>
consteval trivet_flags flags_of() {
  trivet_flags flags = 0;
  if constexpr (requires { T::never_blocks; }) {
    if (T::never_blocks) flags |= TRIVET_NEVER_BLOCKS;
  }
  if constexpr (requires { T::shared_instance; }) {
    if (T::shared_instance) flags |= TRIVET_SHARED_INSTANCE;
  }
  if constexpr (requires { T::wants_short; }) {
    if (T::wants_short) flags |= TRIVET_WANTS_SHORT;
  }
  if constexpr (requires { T::exclusive; }) {
    if (T::exclusive) flags |= TRIVET_EXCLUSIVE;
  }
  if constexpr (requires { T::pure; }) {
    static_assert(is_filter<T>, "only a filter is pure");
    if (T::pure) flags |= TRIVET_PURE;
  }
  if constexpr (requires { T::any_encoding; }) {
    static_assert(is_filter<T>, "only a filter takes any encoding");
    if (T::any_encoding) flags |= TRIVET_ANY_ENCODING;
  }
  return flags;
}

/// The class declares its settings (<trivet/config.hpp>).
template <class T>
concept DeclaresSettings = requires { T::Config::settings; };

// --- calling it ---

/// One instance of the plugin: what `self` points to.
template <class T>
struct Instance {
  const trivet_host* host;
  T object;
};

/// Runs `call`; what it throws becomes a status, and text for the log.
template <class Call>
trivet_status guard(const trivet_host* host, trivet_request* request, const Call& call) noexcept {
  try {
    call();
    return TRIVET_OK;
  } catch (const Cancelled&) {
    return TRIVET_E_CANCELLED;
  } catch (const std::exception& error) {
    host->fail(request, text(error.what()));
  } catch (...) {
    host->fail(request, text("it threw something that is no std::exception"));
  }
  return TRIVET_E_FAILED;
}

/// Constructed from whatever its constructor asks for; an aggregate works as well.
template <class Stream, class T>
Stream make_stream(T& instance, [[maybe_unused]] Request& request, [[maybe_unused]] Output& out) {
  if constexpr (requires { Stream{instance, request, out}; }) {
    return Stream{instance, request, out};
  } else if constexpr (requires { Stream{instance, request}; }) {
    return Stream{instance, request};
  } else if constexpr (requires { Stream{request, out}; }) {
    return Stream{request, out};
  } else if constexpr (requires { Stream{instance}; }) {
    return Stream{instance};
  } else if constexpr (requires { Stream{request}; }) {
    return Stream{request};
  } else {
    static_assert(
        requires { Stream{}; },
        "a class made per request is constructed from (plugin, request, out), (plugin, request), "
        "(request, out), (plugin), (request) or ()");
    return Stream{};
  }
}

/// What exists per request of an event-style responder or a filter: what `state` points to.
template <class Stream>
struct Session {
  template <class T>
  Session(Instance<T>& instance, trivet_request* asked)
      : request(instance.host, asked),
        out(instance.host, asked),
        stream(make_stream<Stream>(instance.object, request, out)) {}

  Request request;
  Output out;
  Stream stream;
};

template <class Stream>
void give_data(Stream& stream, std::string_view chunk, Output& out, trivet_end end) {
  if constexpr (requires { stream.data(chunk, out, End::complete); }) {
    stream.data(chunk, out, static_cast<End>(end));
  } else {
    stream.data(chunk, out, end != TRIVET_END_NOT_YET);
  }
}
template <class Stream>
void give_body(Stream& stream, std::string_view chunk, Output& out, trivet_end end) {
  if constexpr (requires { stream.body(chunk, out, End::complete); }) {
    stream.body(chunk, out, static_cast<End>(end));
  } else {
    stream.body(chunk, out, end != TRIVET_END_NOT_YET);
  }
}

/// The hooks that a responder and a filter share: one Session from open to close.
template <class T, class Stream>
struct StreamHooks {
  static trivet_status open(void* self, trivet_request* request, void** state) noexcept {
    auto& instance = *static_cast<Instance<T>*>(self);
    return guard(instance.host, request,
                 [&] { *state = std::make_unique<Session<Stream>>(instance, request).release(); });
  }
  static trivet_status body(void* self, trivet_request* request, void* state, trivet_text chunk,
                            trivet_end end) noexcept {
    auto& session = *static_cast<Session<Stream>*>(state);
    return guard(static_cast<Instance<T>*>(self)->host, request,
                 [&] { give_body(session.stream, view(chunk), session.out, end); });
  }
  static trivet_status room(void* self, trivet_request* request, void* state, std::uint32_t* done) noexcept {
    auto& session = *static_cast<Session<Stream>*>(state);
    return guard(static_cast<Instance<T>*>(self)->host, request,
                 [&] { *done = session.stream.room(session.out) ? 1 : 0; });
  }
  static trivet_status data(void* self, trivet_request* request, void* state, trivet_text chunk,
                            trivet_end end) noexcept {
    auto& session = *static_cast<Session<Stream>*>(state);
    return guard(static_cast<Instance<T>*>(self)->host, request,
                 [&] { give_data(session.stream, view(chunk), session.out, end); });
  }
  static void close(void* self, trivet_request* request, void* state) noexcept {
    static_cast<void>(guard(static_cast<Instance<T>*>(self)->host, request,
                            [&] { delete static_cast<Session<Stream>*>(state); }));
  }
};

/// Constructed from whatever its constructor asks for.
template <class T>
Instance<T>* make_instance(const trivet_host* host, Settings& settings) {
  if constexpr (DeclaresSettings<T>) {
    auto config = read_config<typename T::Config>(settings);
    if constexpr (std::is_constructible_v<T, typename T::Config, Settings&>) {
      return new Instance<T>{host, T(std::move(config), settings)};
    } else {
      static_assert(std::is_constructible_v<T, typename T::Config>,
                    "a class with a Config is constructed from (Config) or (Config, trivet::Settings&)");
      return new Instance<T>{host, T(std::move(config))};
    }
  } else if constexpr (std::is_constructible_v<T, Settings&>) {
    return new Instance<T>{host, T(settings)};
  } else {
    return new Instance<T>{host, T()};
  }
}

template <class T>
struct Hooks {
  static trivet_status create(const trivet_host* host, const trivet_settings* from, void** self) noexcept {
    try {
      Settings settings(host, from);
      *self = make_instance<T>(host, settings);
      return TRIVET_OK;
    } catch (const WrongSetting&) {  // The operator was told already.
      return TRIVET_E_FAILED;
    } catch (const std::exception& error) {
      host->setting_error(from, {}, text(error.what()));
    } catch (...) {
      host->setting_error(from, {}, text("its constructor threw something that is no std::exception"));
    }
    return TRIVET_E_FAILED;
  }
  static void destroy(void* self) noexcept { delete static_cast<Instance<T>*>(self); }

  static trivet_status handle(void* self, trivet_request* asked) noexcept {
    auto& instance = *static_cast<Instance<T>*>(self);
    return guard(instance.host, asked, [&] {
      Request request(instance.host, asked);
      Output out(instance.host, asked);
      instance.object.handle(request, out);
    });
  }
  static trivet_status check(void* self, trivet_request* asked) noexcept {
    auto& instance = *static_cast<Instance<T>*>(self);
    return guard(instance.host, asked, [&] {
      Request request(instance.host, asked);
      const Verdict verdict = instance.object.check(request);
      verdict.tell(*instance.host, asked);
    });
  }
  /// A filter without members has no state: the instance itself serves every request.
  static trivet_status stateless_data(void* self, trivet_request* asked, void*, trivet_text chunk,
                                      trivet_end end) noexcept {
    auto& instance = *static_cast<Instance<T>*>(self);
    return guard(instance.host, asked, [&] {
      Output out(instance.host, asked);
      give_data(instance.object, view(chunk), out, end);
    });
  }
};

// --- the tables ---

template <class T>
consteval trivet_responder make_responder() {
  trivet_responder table{};
  table.size = sizeof table;
  if constexpr (HasHandle<T>) {
    static_assert(!NestsResponder<T>, "a responder has either handle() or a nested class Responder");
    table.handle = &Hooks<T>::handle;
  } else {
    using Stream = typename ResponderOf<T>::type;
    static_assert(HasBody<Stream> || HasRoom<Stream>,
                  "a nested Responder has body(chunk, out, last) or bool room(out)");
    using Shared = StreamHooks<T, Stream>;
    table.open = &Shared::open;
    table.close = &Shared::close;
    if constexpr (HasBody<Stream>) table.body = &Shared::body;
    if constexpr (HasRoom<Stream>) table.room = &Shared::room;
  }
  return table;
}

template <class T>
consteval trivet_authorizer make_authorizer() {
  trivet_authorizer table{};
  table.size = sizeof table;
  table.check = &Hooks<T>::check;
  return table;
}

template <class T>
consteval trivet_filter make_filter() {
  using Stream = typename FilterOf<T>::type;
  static_assert(!(HasData<T> && NestsFilter<T>), "a filter has either data() or a nested class Filter");
  static_assert(HasData<Stream>, "a nested Filter has data(chunk, out, last)");
  trivet_filter table{};
  table.size = sizeof table;
  if constexpr (std::is_same_v<Stream, T> && std::is_empty_v<T> && !HasBody<T>) {
    table.data = &Hooks<T>::stateless_data;
  } else {
    using Shared = StreamHooks<T, Stream>;
    table.open = &Shared::open;
    table.close = &Shared::close;
    table.data = &Shared::data;
    if constexpr (HasBody<Stream>) table.body = &Shared::body;
  }
  return table;
}

template <class T>
inline constexpr trivet_responder responder_table = make_responder<T>();
template <class T>
inline constexpr trivet_authorizer authorizer_table = make_authorizer<T>();
template <class T>
inline constexpr trivet_filter filter_table = make_filter<T>();

/// The exported constant of a plugin. `name` and `version` live as long as the program.
template <class T>
constexpr trivet_plugin entry(std::string_view name, std::string_view version) {
  static_assert(
      is_responder<T> || is_authorizer<T> || is_filter<T>,
      "a plugin class has handle(Request&, Response&), check(Request&) or data(string_view, Output&, bool), "
      "or a nested class Responder or Filter");
  trivet_plugin plugin{};
  plugin.magic = TRIVET_ABI_MAGIC;
  plugin.size = sizeof plugin;
  plugin.abi_major = TRIVET_ABI_MAJOR;
  plugin.abi_minor = TRIVET_ABI_MINOR;
  plugin.flags = flags_of<T>();
  plugin.name = text(name);
  plugin.version = text(version);
  plugin.create = &Hooks<T>::create;
  plugin.destroy = &Hooks<T>::destroy;
  if constexpr (is_responder<T>) plugin.responder = &responder_table<T>;
  if constexpr (is_authorizer<T>) plugin.authorizer = &authorizer_table<T>;
  if constexpr (is_filter<T>) plugin.filter = &filter_table<T>;
  return plugin;
}

}  // namespace trivet::sdk
