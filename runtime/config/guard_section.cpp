#include <algorithm>
#include <array>
#include <utility>

#include "runtime/config/guards.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

/// `authorize`: the guards of a route.
namespace trivet::config {
namespace {

using Kind = Guard::Kind;

constexpr std::size_t most_guards = 64;
constexpr std::size_t most_key_names = 16;
constexpr std::size_t longest_key_name = 256;
/// 0s remembers nothing.
constexpr DurationRange any_lifetime{std::chrono::milliseconds(0), std::chrono::hours(24)};
constexpr std::array<std::string_view, 3> kinds = {"plugin", "all", "any"};

std::string shown(const Guard& guard) {
  switch (guard.kind) {
    case Kind::plugin:
      return "the guard " + in_quotes(guard.plugin);
    case Kind::allow:
      return "the guard \"allow\"";
    case Kind::deny:
      return "the guard \"deny\"";
    case Kind::all:
      return "the group `all`";
    case Kind::any:
      return "the group `any`";
  }
  return {};
}

bool is_group(const Guard& guard) { return guard.kind == Kind::all || guard.kind == Kind::any; }

/// Reads the guards of one route.
class GuardReader {
 public:
  GuardReader(Sink& sink, RouteDraft& out) : sink_(sink), out_(out) {}

  void read(const Entry& entry) {
    std::vector<Guard>& guards = out_.route.authorize;
    if (const List* list = entry.value.list()) {
      if (list->empty()) {
        sink_.error(entry.value.span, "`authorize` is an empty list",
                    "\"deny\" refuses everybody, \"allow\" nobody; without the key the route is open");
        return;
      }
      read_list(*list, Kind::all, 1, guards);
    } else {
      read_one(entry.value, 1, guards);
    }
    if (!guards.empty() && !some_decide(guards)) {
      sink_.warning(entry.key_span,
                    "every guard of this route is a shadow: nobody is kept out, and authorizer requests are "
                    "refused with 403");
    }
  }

 private:
  void read_list(const List& list, Kind kind, std::size_t depth, std::vector<Guard>& out) {
    std::vector<Span> spans;  // Of those in `out`.
    for (const Node& each : list) {
      read_one(each, depth, out);
      if (out.size() > spans.size()) spans.push_back(each.span);
    }
    // What stands behind a guard that always ends the group.
    const Kind last = kind == Kind::all ? Kind::deny : Kind::allow;
    const auto ends = std::find_if(
        out.begin(), out.end(), [&](const Guard& each) { return each.kind == last && each.methods.empty(); });
    if (ends == out.end()) return;
    for (auto behind = ends + 1; behind != out.end(); ++behind) {
      sink_.warning(spans[static_cast<std::size_t>(behind - out.begin())],
                    shown(*behind) + " never runs: " + (last == Kind::deny ? "\"deny\"" : "\"allow\"") +
                        " stands before it");
    }
  }

  void read_one(const Node& node, std::size_t depth, std::vector<Guard>& out) {
    if (count_++ == most_guards) {
      sink_.error(node.span, "more than " + std::to_string(most_guards) + " guards on one route",
                  "a plugin can ask several questions itself");
    }
    if (count_ > most_guards) return;
    if (node.list() != nullptr) {
      sink_.error(node.span, "`authorize` expects guards, found a list in a list",
                  "{ all = [...] } or { any = [...] } says what several guards mean together");
      return;
    }
    Guard guard;
    guard.place = sink_.place(node.span);
    bool is_whole = false;
    if (const Table* table = node.table()) {
      is_whole = read_table(*table, node.span, depth, guard);
    } else if (node.text() == nullptr) {
      sink_.error(node.span, "`authorize` expects guards, found " + describe(node),
                  "the name of an authorizer plugin, a table, or a list of them");
    } else {
      is_whole = read_name(node, "authorize", guard);
    }
    if (is_whole) out.push_back(std::move(guard));
  }

  /// A plugin, or what is built in.
  bool read_name(const Node& node, std::string_view key, Guard& out) {
    // Only for what it tells: the node is no key of a table that is read.
    static const Table nothing;
    const std::string* text = TableReader(sink_, nothing, "`authorize`").as_text(node, key);
    if (text == nullptr) return false;
    out.kind = *text == "allow" ? Kind::allow : *text == "deny" ? Kind::deny : Kind::plugin;
    if (out.kind == Kind::plugin) out.plugin = *text;
    out_.guards.push_back({*text, node.span});
    return true;
  }

  bool read_table(const Table& table, const Span& span, std::size_t depth, Guard& out) {
    TableReader reader(sink_, table, "a guard of `authorize`");
    const Entry* chosen = nullptr;
    for (const std::string_view key : kinds) {
      const Entry* entry = reader.find(key);
      if (entry == nullptr) continue;
      if (chosen != nullptr) {
        sink_.error(entry->key_span, "`" + entry->key + "` beside `" + chosen->key +
                                         "`: a guard is one of `plugin`, `all` and `any`");
        continue;
      }
      chosen = entry;
    }
    const bool is_whole = chosen != nullptr && read_chosen(*chosen, depth, out);
    read_methods(reader, out.methods);
    read_shadow(reader, out);
    read_on_error(reader, out);
    read_cache(reader, out);
    if (chosen == nullptr && !has_unknown_key(table)) {
      sink_.error(span, "this guard is nothing: it has no `plugin`, `all` or `any`",
                  "such as { plugin = \"token\", on_error = \"deny\" }");
    }
    reader.finish();
    return is_whole;
  }

  /// Then that is probably what is missing.
  static bool has_unknown_key(const Table& table) {
    constexpr std::array<std::string_view, 4> others = {"methods", "shadow", "on_error", "cache"};
    return std::any_of(table.begin(), table.end(), [&](const Entry& each) {
      return std::find(others.begin(), others.end(), each.key) == others.end();
    });
  }

  bool read_chosen(const Entry& entry, std::size_t depth, Guard& out) {
    if (entry.key == "plugin") return read_name(entry.value, entry.key, out);
    out.kind = entry.key == "all" ? Kind::all : Kind::any;
    const List* list = entry.value.list();
    if (list == nullptr) {
      sink_.error(entry.value.span,
                  "`" + entry.key + "` expects a list of guards, found " + describe(entry.value));
      return false;
    }
    if (list->empty()) {
      sink_.error(entry.value.span, "`" + entry.key + "` is an empty list",
                  "such a group would refuse everybody: "
                  "\"deny\" says so");
      return false;
    }
    if (depth == deepest_guards) {
      sink_.error(entry.key_span, "groups of guards stand more than " + std::to_string(deepest_guards) +
                                      " deep in one another");
      return false;
    }
    read_list(*list, out.kind, depth + 1, out.guards);
    if (!out.guards.empty() && !some_decide(out.guards)) {
      sink_.warning(entry.key_span,
                    "every guard in `" + entry.key + "` is a shadow: the group decides nothing");
    }
    return true;
  }

  /// Tells that `entry` is of no use beside what the guard is; false: it is.
  bool refuse_unless_plugin(const Entry& entry, const Guard& guard) {
    if (guard.kind == Kind::plugin) return false;
    sink_.error(entry.key_span, "`" + entry.key + "` is for guards that are plugins, not for " + shown(guard),
                is_group(guard) ? "write it at the guards in the group" : "");
    return true;
  }

  void read_shadow(TableReader& reader, Guard& out) {
    const Entry* entry = reader.boolean("shadow", out.shadow);
    if (entry != nullptr && !is_group(out) && refuse_unless_plugin(*entry, out)) out.shadow = false;
  }

  void read_on_error(TableReader& reader, Guard& out) {
    std::size_t chosen = 0;
    const Entry* entry = reader.word("on_error", {"deny", "allow"}, chosen);
    if (entry == nullptr || refuse_unless_plugin(*entry, out) || chosen == 0) return;
    out.allow_on_error = true;
    if (out.shadow) {
      sink_.warning(entry->key_span, "`on_error` has no effect: a shadow decides nothing");
    } else if (!out.plugin.empty()) {
      sink_.warning(entry->value.span, "whoever can make the plugin " + in_quotes(out.plugin) +
                                           " fail, or be late, gets past it");
    }
  }

  void read_cache(TableReader& reader, Guard& out) {
    const Entry* entry = reader.find("cache");
    if (entry == nullptr || refuse_unless_plugin(*entry, out)) return;
    const Table* table = entry->value.table();
    if (table == nullptr) {
      sink_.error(entry->value.span, "`cache` expects a table, found " + describe(entry->value),
                  "cache = { ttl = \"5s\", deny_ttl = \"1s\" }");
      return;
    }
    VerdictCache& cache = out.cache.emplace();
    TableReader inner(sink_, *table, "`cache`");
    inner.duration("ttl", any_lifetime, cache.ttl);
    inner.duration("deny_ttl", any_lifetime, cache.deny_ttl);
    std::int64_t entries = cache.entries;
    inner.integer("entries", {1, 1'000'000}, entries);
    cache.entries = static_cast<std::uint32_t>(entries);
    read_key(inner, cache.key);
    inner.finish();
    if (cache.ttl.count() == 0 && cache.deny_ttl.count() == 0) {
      sink_.error(entry->key_span, "this `cache` remembers nothing: both its times are 0s", "leave it out");
    }
  }

  void read_key(TableReader& reader, std::vector<std::string>& out) {
    std::vector<NameAt> names;
    const Entry* entry = reader.texts("key", ListRule::some_distinct, names);
    if (entry == nullptr) return;
    if (names.size() > most_key_names) {
      sink_.error(entry->value.span,
                  "`key` holds " + std::to_string(names.size()) + " names, more than " +
                      std::to_string(most_key_names),
                  "what the guard reads belongs to the key anyway");
      return;
    }
    for (NameAt& each : names) {
      if (each.name.size() > longest_key_name || each.name.find('=') != std::string::npos) {
        sink_.error(each.span, in_quotes(each.name) + " cannot name a parameter", "such as \"REMOTE_ADDR\"");
      } else {
        out.push_back(std::move(each.name));
      }
    }
  }

  Sink& sink_;
  RouteDraft& out_;
  std::size_t count_ = 0;
};

}  // namespace

bool decides(const Guard& guard) noexcept {
  return !guard.shadow && (guard.guards.empty() || some_decide(guard.guards));
}

bool some_decide(const std::vector<Guard>& guards) noexcept {
  return std::any_of(guards.begin(), guards.end(), decides);
}

void read_guards(TableReader& reader, RouteDraft& out) {
  const Entry* entry = reader.find("authorize");
  if (entry != nullptr) GuardReader(reader.sink(), out).read(*entry);
}

}  // namespace trivet::config
