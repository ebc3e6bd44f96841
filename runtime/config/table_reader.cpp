#include "runtime/config/table_reader.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"

namespace trivet::config {
namespace {

std::string key_name(std::string_view key) { return '`' + one_line(key) + '`'; }

struct Describe {
  std::string operator()(const std::string& text) const { return "the text " + in_quotes(text); }
  std::string operator()(std::int64_t number) const { return "the integer " + std::to_string(number); }
  std::string operator()(double number) const {
    char text[32];
    std::snprintf(text, sizeof text, "%g", number);
    return std::string("the number ") + text;
  }
  std::string operator()(bool value) const { return value ? "the boolean true" : "the boolean false"; }
  std::string operator()(const Date& /*date*/) const { return "a date or time"; }
  std::string operator()(const List& /*list*/) const { return "a list"; }
  std::string operator()(const Table& /*table*/) const { return "a table"; }
};

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char each) {
    const auto byte = static_cast<unsigned char>(each);
    return byte < 0x20 || byte == 0x7F;
  });
}

}  // namespace

std::string describe(const Node& node) { return std::visit(Describe{}, node.value); }

bool wants_environment(std::string_view text) noexcept {
  return text.find("${env:") != std::string_view::npos;
}

TableReader::TableReader(Sink& sink, const Table& table, std::string title)
    : sink_(sink), table_(table), title_(std::move(title)) {}

const Entry* TableReader::find(std::string_view key) {
  asked_.push_back(key);
  if (std::find(served_.begin(), served_.end(), key) == served_.end()) served_.push_back(key);
  const auto found =
      std::find_if(table_.begin(), table_.end(), [key](const Entry& each) { return each.key == key; });
  return found == table_.end() ? nullptr : &*found;
}

void TableReader::wrong_type(std::string_view name, const Node& node, std::string_view expected,
                             std::string hint) {
  sink_.error(node.span, key_name(name) + " expects " + std::string(expected) + ", found " + describe(node),
              std::move(hint));
}

const std::string* TableReader::as_text(const Node& node, std::string_view name) {
  const std::string* text = node.text();
  if (text == nullptr) {
    wrong_type(name, node, "a text in quotes");
    return nullptr;
  }
  if (wants_environment(*text)) return nullptr;
  if (text->empty()) {
    sink_.error(node.span, key_name(name) + " is empty");
    return nullptr;
  }
  if (has_control(*text)) {
    sink_.error(node.span, key_name(name) + " holds a control character: " + in_quotes(*text));
    return nullptr;
  }
  return text;
}

const Entry* TableReader::text(std::string_view key, std::string& out) {
  const Entry* entry = find(key);
  const std::string* value = entry == nullptr ? nullptr : as_text(entry->value, key);
  if (value == nullptr) return nullptr;
  out = *value;
  return entry;
}

const Entry* TableReader::absolute_path(std::string_view key, std::string& out) {
  std::string path;
  const Entry* entry = text(key, path);
  if (entry == nullptr) return nullptr;
  if (path.front() != '/') {
    sink_.error(entry->value.span, key_name(key) + " has to be an absolute path, found " + in_quotes(path),
                "start it with /");
    return nullptr;
  }
  out = path;
  return entry;
}

const Entry* TableReader::boolean(std::string_view key, bool& out) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  const bool* value = std::get_if<bool>(&entry->value.value);
  if (value == nullptr) {
    const std::string* text = entry->value.text();
    const bool quoted_boolean = text != nullptr && (*text == "true" || *text == "false");
    wrong_type(key, entry->value, "true or false",
               quoted_boolean ? "write " + *text + " without quotes" : "");
    return nullptr;
  }
  out = *value;
  return entry;
}

const Entry* TableReader::integer(std::string_view key, const IntegerRange& range, std::int64_t& out) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  const std::int64_t* value = std::get_if<std::int64_t>(&entry->value.value);
  if (value == nullptr) {
    const std::string* text = entry->value.text();
    const bool quoted_number = text != nullptr && !text->empty() && text->size() < 19 &&
                               text->find_first_not_of("0123456789") == std::string::npos;
    wrong_type(key, entry->value, "a whole number",
               quoted_number ? "write " + *text + " without quotes" : "");
    return nullptr;
  }
  if (*value < range.least || *value > range.most) {
    sink_.error(entry->value.span, key_name(key) + " is " + std::to_string(*value) + ", outside " +
                                       std::to_string(range.least) + " to " + std::to_string(range.most));
    return nullptr;
  }
  out = *value;
  return entry;
}

const Entry* TableReader::bytes(std::string_view key, const SizeRange& range, std::uint64_t& out) {
  const Entry* entry = find(key);
  if (entry == nullptr || !std::holds_alternative<std::int64_t>(entry->value.value))
    return size(key, range, out);
  std::int64_t number = 0;
  entry =
      integer(key, {static_cast<std::int64_t>(range.least), static_cast<std::int64_t>(range.most)}, number);
  if (entry != nullptr) out = static_cast<std::uint64_t>(number);
  return entry;
}

std::optional<std::uint64_t> TableReader::read_size(const Entry& entry, const SizeRange& range,
                                                    std::string_view expected) {
  const Node& node = entry.value;
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) {
    const std::string cure =
        *number < 0 ? "" : "write \"" + format_size(static_cast<std::uint64_t>(*number)) + '"';
    wrong_type(entry.key, node, "a size with its unit", cure);
    return std::nullopt;
  }
  const std::string* text = node.text();
  const auto size = text == nullptr ? std::nullopt : parse_size(*text);
  if (!size) {
    if (text != nullptr && wants_environment(*text)) return std::nullopt;
    const auto guess = text == nullptr ? std::nullopt : guess_size(*text);
    wrong_type(entry.key, node, expected,
               guess ? "did you mean \"" + *guess + "\"?" : "a whole number and B, KiB, MiB or GiB");
    return std::nullopt;
  }
  if (*size < range.least || *size > range.most) {
    sink_.error(node.span, key_name(entry.key) + " is " + in_quotes(*text) + ", outside " +
                               format_size(range.least) + " to " + format_size(range.most));
    return std::nullopt;
  }
  return size;
}

const Entry* TableReader::size(std::string_view key, const SizeRange& range, std::uint64_t& out) {
  const Entry* entry = find(key);
  const auto value = entry == nullptr ? std::nullopt : read_size(*entry, range, "a size such as \"64KiB\"");
  if (!value) return nullptr;
  out = *value;
  return entry;
}

const Entry* TableReader::size_or_unlimited(std::string_view key, const SizeRange& range,
                                            std::uint64_t& out) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  const std::string* text = entry->value.text();
  if (text != nullptr && *text == "unlimited") {
    out = base::unlimited;
    return entry;
  }
  const auto value = read_size(*entry, range, "a size such as \"64KiB\" or \"unlimited\"");
  if (!value) return nullptr;
  out = *value;
  return entry;
}

const Entry* TableReader::size_or_off(std::string_view key, const SizeRange& range,
                                      std::optional<std::uint64_t>& out) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  const std::string* text = entry->value.text();
  if (text != nullptr && *text == "off") {
    out.reset();
    return entry;
  }
  const auto value = read_size(*entry, range, "a size such as \"64MiB\" or \"off\"");
  if (!value) return nullptr;
  out = value;
  return entry;
}

std::optional<std::chrono::milliseconds> TableReader::read_duration(const Entry& entry,
                                                                    const DurationRange& range,
                                                                    std::string_view expected) {
  const Node& node = entry.value;
  if (const auto* number = std::get_if<std::int64_t>(&node.value)) {
    const std::string cure = *number < 0 ? "" : "write \"" + std::to_string(*number) + "s\" for seconds";
    wrong_type(entry.key, node, "a duration with its unit", cure);
    return std::nullopt;
  }
  const std::string* text = node.text();
  const auto time = text == nullptr ? std::nullopt : parse_duration(*text);
  if (!time) {
    if (text != nullptr && wants_environment(*text)) return std::nullopt;
    const auto guess = text == nullptr ? std::nullopt : guess_duration(*text);
    wrong_type(entry.key, node, expected,
               guess ? "did you mean \"" + *guess + "\"?" : "a whole number and ms, s, m or h");
    return std::nullopt;
  }
  if (*time < range.least || *time > range.most) {
    sink_.error(node.span, key_name(entry.key) + " is " + in_quotes(*text) + ", outside " +
                               format_duration(range.least) + " to " + format_duration(range.most));
    return std::nullopt;
  }
  return time;
}

const Entry* TableReader::duration(std::string_view key, const DurationRange& range,
                                   std::chrono::milliseconds& out) {
  const Entry* entry = find(key);
  const auto value =
      entry == nullptr ? std::nullopt : read_duration(*entry, range, "a duration such as \"5s\"");
  if (!value) return nullptr;
  out = *value;
  return entry;
}

const Entry* TableReader::duration_or_off(std::string_view key, const DurationRange& range,
                                          std::optional<std::chrono::milliseconds>& out) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  const std::string* text = entry->value.text();
  if (text != nullptr && *text == "off") {
    out.reset();
    return entry;
  }
  const auto value = read_duration(*entry, range, "a duration such as \"5s\" or \"off\"");
  if (!value) return nullptr;
  out = value;
  return entry;
}

const Entry* TableReader::texts(std::string_view key, ListRule rule, std::vector<NameAt>& out) {
  const Entry* entry = find(key);
  if (entry == nullptr) return nullptr;
  const List* list = entry->value.list();
  if (list == nullptr) {
    const std::string* text = entry->value.text();
    wrong_type(key, entry->value, "a list of texts",
               text == nullptr ? "" : "write [" + in_quotes(*text) + "]");
    return nullptr;
  }
  if (list->empty() && rule != ListRule::any) {
    sink_.error(entry->value.span, key_name(key) + " is an empty list", "leave it out for the default");
    return nullptr;
  }
  std::map<std::string_view, bool> seen;
  for (const Node& each : *list) {
    const std::string* text = as_text(each, key);
    if (text == nullptr) continue;
    if (rule == ListRule::some_distinct && !seen.emplace(*text, true).second) {
      sink_.error(each.span, key_name(key) + " holds " + in_quotes(*text) + " twice");
      continue;
    }
    out.push_back({*text, each.span});
  }
  return entry;
}

const Entry* TableReader::word(std::string_view key, const std::vector<std::string_view>& words,
                               std::size_t& out) {
  std::string value;
  const Entry* entry = text(key, value);
  if (entry == nullptr) return nullptr;
  const auto found = std::find(words.begin(), words.end(), value);
  if (found == words.end()) {
    sink_.error(entry->value.span, key_name(key) + " cannot be " + in_quotes(value),
                did_you_mean(value, words));
    return nullptr;
  }
  out = static_cast<std::size_t>(found - words.begin());
  return entry;
}

void TableReader::not_served(std::string_view key) {
  const Entry* entry = find(key);
  std::erase(served_, key);
  if (entry == nullptr) return;
  sink_.error(entry->key_span, key_name(key) + " is not served by this version yet", "leave it out");
}

void TableReader::finish(std::string_view advice) {
  for (const Entry& entry : table_) {
    if (std::find(asked_.begin(), asked_.end(), entry.key) != asked_.end()) continue;
    const bool advise = !advice.empty() && !closest(entry.key, served_);
    sink_.error(entry.key_span, "unknown key " + key_name(entry.key) + " in " + title_,
                advise ? std::string(advice) : did_you_mean(entry.key, served_, "`"));
  }
}

}  // namespace trivet::config
