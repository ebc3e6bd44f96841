#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/config/schema.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

/// What the file says of a plugin, held against what the plugin's own file says.
namespace trivet::config {
namespace {

using Type = SettingSchema::Type;

std::string number_text(double number) {
  char text[32];
  if (std::nearbyint(number) == number && std::fabs(number) < 1e15) {
    std::snprintf(text, sizeof text, "%.0f", number);
  } else {
    std::snprintf(text, sizeof text, "%g", number);
  }
  return text;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::text:
      return "a text in quotes";
    case Type::integer:
      return "a whole number";
    case Type::real:
      return "a number";
    case Type::boolean:
      return "true or false";
    case Type::list:
      return "a list";
    case Type::table:
      return "a table";
    case Type::any:
      break;
  }
  return "a value";
}

bool has_type(const Node& node, Type type) {
  switch (type) {
    case Type::text:
      return node.text() != nullptr;
    case Type::integer:
      return std::holds_alternative<std::int64_t>(node.value);
    case Type::real:
      return std::holds_alternative<double>(node.value) || std::holds_alternative<std::int64_t>(node.value);
    case Type::boolean:
      return std::holds_alternative<bool>(node.value);
    case Type::list:
      return node.list() != nullptr;
    case Type::table:
      return node.table() != nullptr;
    case Type::any:
      break;
  }
  return true;
}

bool holds(const Table& table, std::string_view key) {
  return std::any_of(table.begin(), table.end(), [key](const Entry& entry) { return entry.key == key; });
}

std::size_t characters_in(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(decode_code_point(text).size);
  return count;
}

/// One plugin's settings against what it declares.
class SettingsCheck {
 public:
  SettingsCheck(Sink& sink, std::string_view plugin) : sink_(sink), plugin_(in_quotes(plugin)) {}

  /// `span` is where a setting would have to be added.
  void table(const std::string& path, const Table& table, const Span& span, const SettingSchema& schema) {
    std::vector<std::string_view> known;
    for (const auto& [key, each] : schema.keys) {
      known.emplace_back(key);
      if (each.required && !holds(table, key)) {
        sink_.error(span, "the plugin " + plugin_ + " needs the setting `" + one_line(path + key) + "`",
                    std::string(name_of(each.type)));
      }
    }
    for (const Entry& entry : table) {
      const auto found = schema.keys.find(entry.key);
      if (found != schema.keys.end()) {
        value(path + entry.key, entry.value, found->second);
      } else if (!schema.entries.empty()) {
        value(path + entry.key, entry.value, schema.entries.front());
      } else {
        sink_.error(entry.key_span,
                    "the plugin " + plugin_ + " has no setting `" + one_line(path + entry.key) + "`",
                    known.empty() ? "remove it" : did_you_mean(entry.key, known, "`"));
      }
    }
  }

 private:
  void value(const std::string& path, const Node& node, const SettingSchema& schema) {
    const std::string name = "`" + one_line(path) + "` of the plugin " + plugin_;
    // A date is no setting, and told as such.
    if (std::holds_alternative<Date>(node.value)) return;
    if (!has_type(node, schema.type)) {
      if (node.text() != nullptr && wants_environment(*node.text())) return;
      sink_.error(node.span,
                  name + " expects " + std::string(name_of(schema.type)) + ", found " + describe(node));
      return;
    }
    if (const auto* integer = std::get_if<std::int64_t>(&node.value)) {
      bounds(name + " is " + std::to_string(*integer), node, static_cast<double>(*integer), schema);
    } else if (const auto* real = std::get_if<double>(&node.value)) {
      bounds(name + " is " + number_text(*real), node, *real, schema);
    } else if (const std::string* text = node.text()) {
      this->text(name, node, *text, schema);
    } else if (const List* list = node.list()) {
      count(name, node, list->size(), "entries", schema);
      if (schema.entries.empty()) return;
      for (std::size_t at = 0; at < list->size(); ++at)
        value(path + "." + std::to_string(at), (*list)[at], schema.entries.front());
    } else if (const Table* inner = node.table(); inner != nullptr && schema.type == Type::table) {
      table(path + ".", *inner, node.span, schema);
    }
  }

  void bounds(const std::string& said, const Node& node, double number, const SettingSchema& schema) {
    if (number >= schema.least && number <= schema.most) return;
    std::string range;
    if (std::isinf(schema.most)) {
      range = ", less than " + number_text(schema.least);
    } else if (std::isinf(schema.least)) {
      range = ", more than " + number_text(schema.most);
    } else {
      range = ", outside " + number_text(schema.least) + " to " + number_text(schema.most);
    }
    sink_.error(node.span, said + range);
  }

  void text(const std::string& name, const Node& node, const std::string& text, const SettingSchema& schema) {
    if (wants_environment(text)) return;
    count(name, node, characters_in(text), "characters", schema);
    if (schema.choices.empty()) return;
    const std::vector<std::string_view> words(schema.choices.begin(), schema.choices.end());
    if (std::find(words.begin(), words.end(), text) != words.end()) return;
    sink_.error(node.span, name + " cannot be " + in_quotes(text), did_you_mean(text, words));
  }

  void count(const std::string& name, const Node& node, std::size_t size, std::string_view what,
             const SettingSchema& schema) {
    const auto number = static_cast<double>(size);
    const std::string said = name + " has " + std::to_string(size) + " " + std::string(what);
    if (number < schema.least) sink_.error(node.span, said + ", needs at least " + number_text(schema.least));
    if (number > schema.most) sink_.error(node.span, said + ", takes at most " + number_text(schema.most));
  }

  Sink& sink_;
  std::string plugin_;
};

void check_settings(Sink& sink, const PluginDraft& draft, const SettingSchema& schema) {
  static const Table none;
  const Entry* settings = draft.settings;
  const Table* table = settings == nullptr ? &none : settings->value.table();
  if (table == nullptr) return;  // Told already.
  SettingsCheck(sink, draft.plugin.name)
      .table("", *table, settings == nullptr ? draft.span : settings->key_span, schema);
}

/// A place in a route that only a plugin of one role can fill.
class RoleCheck {
 public:
  RoleCheck(Sink& sink, const std::map<std::string_view, PluginFacts>& facts) : sink_(sink), facts_(facts) {}

  void check(const NameAt& name, std::string_view key, bool PluginFacts::* role, std::string_view role_name) {
    const auto found = facts_.find(name.name);
    if (found == facts_.end() || found->second.*role) return;
    sink_.error(name.span,
                "`" + std::string(key) + "` needs " + std::string(role_name) + ", which the plugin " +
                    in_quotes(name.name) + " is not",
                "it is " + roles_of(found->second));
  }

 private:
  static std::string roles_of(const PluginFacts& facts) {
    std::string text;
    const auto add = [&text](bool has, std::string_view role) {
      if (has) text.append(text.empty() ? "" : " and ").append(role);
    };
    add(facts.responder, "a responder");
    add(facts.authorizer, "an authorizer");
    add(facts.filter, "a filter");
    return text;
  }

  Sink& sink_;
  const std::map<std::string_view, PluginFacts>& facts_;
};

}  // namespace

void check_plugin_facts(Sink& sink, Draft& draft, const LookAtPlugin& look) {
  std::map<std::string_view, PluginFacts> facts;
  for (PluginDraft& each : draft.plugins) {
    if (each.plugin.path.empty()) continue;
    const auto found = look(each.plugin.path);
    if (!found) continue;
    facts.emplace(each.plugin.name, *found);
    each.plugin.exclusive = found->exclusive;
    if (each.plugin.threads == 0U && !found->never_blocks) {
      sink.error(each.threads_span,
                 "`threads` = 0 would run the plugin " + in_quotes(each.plugin.name) +
                     " on the event loop, but it does not declare that it never blocks",
                 "set it to 1 or more");
    }
    if (found->settings) check_settings(sink, each, *found->settings);
  }
  RoleCheck roles(sink, facts);
  for (const RouteDraft& route : draft.routes) {
    for (const NameAt& each : route.guards)
      roles.check(each, "authorize", &PluginFacts::authorizer, "an authorizer");
    if (route.respond) roles.check(*route.respond, "respond", &PluginFacts::responder, "a responder");
    for (const NameAt& each : route.filter) roles.check(each, "filter", &PluginFacts::filter, "a filter");
  }
}

}  // namespace trivet::config
