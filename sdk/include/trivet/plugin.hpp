#pragma once

/// What a plugin author includes. A plugin is one class, and one line that names it:
///
///     struct Hello {
///       void handle(trivet::Request& request, trivet::Response& out) { out << "hello\n"; }
///     };
///     TRIVET_PLUGIN(Hello, "hello", "1.0.0")
///
/// Its roles are seen from what it has; one class may have several:
///
///     responder    void handle(trivet::Request&, trivet::Response&)
///                  or a nested class Responder, one object per request, called as bytes come:
///                    void body(std::string_view chunk, trivet::Response&, bool last)   and/or
///                    bool room(trivet::Response&)       writes some more; true when it has written all
///     authorizer   trivet::Verdict check(trivet::Request&)
///     filter       void data(std::string_view chunk, trivet::Output&, bool last)
///                  one object per request, a copy of the one that read the settings
///                  or a nested class Filter, one object per request, with that function; a filter may also
///                  have
///                    void body(std::string_view chunk, trivet::Output&, bool last)     what the client sent
///
/// The class is constructed from its settings, which it declares as a nested struct Config
/// (<trivet/config.hpp>): (Config) or (Config, trivet::Settings&); from trivet::Settings& alone, to read them
/// one by one; or from nothing. A nested one from (plugin, request, out),
/// (plugin, request), (request, out), (plugin), (request) or nothing, where `plugin` is the object around it.
/// `last` may be declared as trivet::End, which tells how the stream ended.
///
/// Constants in the class change how it is run, all false when absent:
///
///     static constexpr bool never_blocks = true;     may run on the event loop: never waits for anything
///     static constexpr bool shared_instance = true;  one object serves all threads at once: lock what is
///     shared static constexpr bool wants_short = true;      is shown a body or data that ended too early
///     static constexpr bool exclusive = true;        holds what one process alone can: a port, a lock file
///     static constexpr bool pure = true;             a filter: equal bytes, head and settings give equal
///                                                    meaning, so that the host may answer "not modified"
///     static constexpr bool any_encoding = true;     a filter: also given bodies with a Content-Encoding
///
/// Thread    Unless shared_instance is set there is one object per plugin thread, never entered by two at
///           once.
/// Errors    Whatever a function throws ends that request with 500 (an authorizer: denies) and is logged;
///           what the constructor throws keeps the plugin from starting.
#include <trivet/hooks.hpp>
#include <trivet/note.hpp>
#include <trivet/zone.hpp>

// NOLINTBEGIN(bugprone-macro-parentheses): the arguments are a type and two literals
#define TRIVET_PLUGIN(Class, plugin_name, plugin_version)                                               \
  extern "C" TRIVET_EXPORT const trivet_plugin TRIVET_ENTRY_SYMBOL;                                     \
  constinit const trivet_plugin TRIVET_ENTRY_SYMBOL =                                                   \
      trivet::sdk::entry<Class>(plugin_name, plugin_version);                                           \
  __attribute__((section(".note.trivet"), used, aligned(4))) static constexpr auto trivet_plugin_note = \
      trivet::sdk::make_note<Class, plugin_name, plugin_version>();
// NOLINTEND(bugprone-macro-parentheses)
