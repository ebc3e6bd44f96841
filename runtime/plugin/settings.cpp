#include "runtime/plugin/settings.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "runtime/plugin/call.hpp"

namespace trivet::plugin {

namespace {

using config::Setting;
using config::SettingList;
using config::SettingTable;

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : std::string(path).append(1, '.').append(key);
}

}  // namespace

/// Where a path leads: to a setting, or as far as it went.
struct SettingsReader::Found {
  const Setting* setting = nullptr;  ///< Null: there is none.
  const Setting* nearest = nullptr;  ///< The innermost setting on the way, for its place in the file.
};

/// A key may itself contain dots ("a.b" = 1), so the longest key that fits is tried first.
SettingsReader::Found SettingsReader::look_in(const SettingTable& table, std::string_view path) {
  Found best;
  for (std::size_t end = path.size(); end != std::string_view::npos && end > 0;
       end = path.rfind('.', end - 1)) {
    const auto found = table.find(path.substr(0, end));
    if (found == table.end()) continue;
    if (end == path.size()) return {&found->second, &found->second};
    Found below = look_in(found->second, path.substr(end + 1));
    if (below.setting != nullptr) return below;
    if (best.nearest == nullptr) best = below;
  }
  return best;
}

SettingsReader::Found SettingsReader::look_in(const Setting& setting, std::string_view path) {
  Found below;
  if (const auto* table = std::get_if<SettingTable>(&setting.value)) {
    below = look_in(*table, path);
  } else if (const auto* list = std::get_if<SettingList>(&setting.value)) {
    const std::string_view digits = path.substr(0, path.find('.'));
    std::size_t index = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const bool is_index = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
    if (is_index && index < list->size()) {
      const Setting& entry = (*list)[index];
      below = digits.size() == path.size() ? Found{&entry, &entry}
                                           : look_in(entry, path.substr(digits.size() + 1));
    }
  }
  if (below.nearest == nullptr) below.nearest = &setting;
  return below;
}

trivet_status SettingsReader::find(std::string_view path, trivet_value& value) {
  value = {};
  if (path.empty()) {
    value.type = TRIVET_TYPE_TABLE;
    value.count = plugin_.settings.size();
    return TRIVET_OK;
  }
  const Setting* setting = look_in(plugin_.settings, path).setting;
  if (setting == nullptr) return TRIVET_E_ABSENT;
  read_.insert(setting);
  if (const auto* words = std::get_if<std::string>(&setting->value)) {
    value.type = TRIVET_TYPE_TEXT;
    value.text = text(*words);
  } else if (const auto* integer = std::get_if<std::int64_t>(&setting->value)) {
    value.type = TRIVET_TYPE_INTEGER;
    value.integer = *integer;
  } else if (const auto* real = std::get_if<double>(&setting->value)) {
    value.type = TRIVET_TYPE_REAL;
    value.real = *real;
  } else if (const auto* truth = std::get_if<bool>(&setting->value)) {
    value.type = TRIVET_TYPE_BOOLEAN;
    value.boolean = *truth ? 1 : 0;
  } else if (const auto* list = std::get_if<SettingList>(&setting->value)) {
    value.type = TRIVET_TYPE_LIST;
    value.count = list->size();
  } else {
    value.type = TRIVET_TYPE_TABLE;
    value.count = std::get<SettingTable>(setting->value).size();
  }
  return TRIVET_OK;
}

trivet_status SettingsReader::key(std::string_view path, std::uint64_t index, trivet_text& key) {
  key = {};
  const SettingTable* table = &plugin_.settings;
  if (!path.empty()) {
    const Setting* setting = look_in(plugin_.settings, path).setting;
    table = setting == nullptr ? nullptr : std::get_if<SettingTable>(&setting->value);
    if (setting != nullptr) read_.insert(setting);
  }
  if (table == nullptr || index >= table->size()) return TRIVET_E_ABSENT;
  key = text(std::next(table->begin(), static_cast<std::ptrdiff_t>(index))->first);
  return TRIVET_OK;
}

void SettingsReader::report(std::string_view path, std::string_view what) {
  const Setting* nearest = path.empty() ? nullptr : look_in(plugin_.settings, path).nearest;
  std::string line = at_place(nearest == nullptr ? plugin_.place : nearest->place);
  line.append("plugin \"").append(plugin_.name).append("\": ");
  if (!path.empty()) line.append("setting \"").append(path).append("\": ");
  errors_.push_back(line.append(what));
}

process::Zone* SettingsReader::zone(std::string_view path, std::string_view name) {
  if (zones_ != nullptr) {
    if (const auto found = zones_->find(name); found != zones_->end()) return found->second.get();
  }
  std::string known;
  if (zones_ != nullptr) {
    for (const auto& [each, zone] : *zones_) known.append(known.empty() ? "" : ", ").append(each);
  }
  report(path, "there is no zone \"" + std::string(name) + "\": add [zone." + std::string(name) + "]" +
                   (known.empty() ? std::string() : ", or name one that is there: " + known));
  return nullptr;
}

bool SettingsReader::any_read(const Setting& setting) const {
  if (read_.contains(&setting)) return true;
  if (const auto* list = std::get_if<SettingList>(&setting.value)) {
    return std::any_of(list->begin(), list->end(), [this](const Setting& entry) { return any_read(entry); });
  }
  if (const auto* table = std::get_if<SettingTable>(&setting.value)) {
    return std::any_of(table->begin(), table->end(),
                       [this](const auto& entry) { return any_read(entry.second); });
  }
  return false;
}

void SettingsReader::report_unread() {
  for (const auto& [key, setting] : plugin_.settings) report_unread(key, setting);
}

/// A table that nobody looked into is one error, not one per entry.
void SettingsReader::report_unread(const std::string& path, const Setting& setting) {
  if (!any_read(setting)) {
    errors_.push_back(at_place(setting.place) + "plugin \"" + plugin_.name + "\": setting \"" + path +
                      "\": the plugin has no such setting: correct its name or remove it");
    return;
  }
  if (const auto* list = std::get_if<SettingList>(&setting.value)) {
    for (std::size_t at = 0; at < list->size(); ++at)
      report_unread(join(path, std::to_string(at)), (*list)[at]);
  } else if (const auto* table = std::get_if<SettingTable>(&setting.value)) {
    for (const auto& [key, entry] : *table) report_unread(join(path, key), entry);
  }
}

std::string at_place(const config::Place& place) {
  if (place.file.empty()) return {};
  std::string text = place.file;
  if (place.line != 0) text.append(":").append(std::to_string(place.line));
  if (place.line != 0 && place.column != 0) text.append(":").append(std::to_string(place.column));
  return text.append(": ");
}

}  // namespace trivet::plugin
