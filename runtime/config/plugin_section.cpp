#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

bool check_name(Sink& sink, const Entry& entry) {
  if (entry.key == "allow" || entry.key == "deny") {
    sink.error(entry.key_span, in_quotes(entry.key) + " is a built-in guard", "choose another name");
  } else if (!is_plain_name(entry.key)) {
    sink.error(entry.key_span, in_quotes(entry.key) + " cannot name a plugin",
               "letters, digits, `_`, `-` and `.`");
  } else {
    return true;
  }
  return false;
}

Setting to_setting(Sink& sink, const Node& node);

struct ToSetting {
  Sink& sink;
  const Span& span;

  void operator()(const Date& /*date*/, Setting& out) const {
    sink.error(span, "a date or time cannot be a setting", "write it in quotes");
    out.value = false;
  }
  void operator()(const List& list, Setting& out) const {
    SettingList settings;
    settings.reserve(list.size());
    for (const Node& each : list) settings.push_back(to_setting(sink, each));
    out.value = std::move(settings);
  }
  void operator()(const Table& table, Setting& out) const {
    SettingTable settings;
    for (const Entry& each : table) settings.emplace(each.key, to_setting(sink, each.value));
    out.value = std::move(settings);
  }
  template <class Scalar>
  void operator()(const Scalar& scalar, Setting& out) const {
    out.value = scalar;
  }
};

Setting to_setting(Sink& sink, const Node& node) {
  Setting setting;
  setting.place = sink.place(node.span);
  std::visit([&](const auto& value) { ToSetting{sink, node.span}(value, setting); }, node.value);
  return setting;
}

/// Why `path` cannot be loaded; 0 if it can be tried. Whether somebody else could replace it is seen when it
/// is loaded.
int find_file_error(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return errno;
  return S_ISREG(status.st_mode) ? 0 : S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
}

std::vector<std::string> places_of(const Server& server, const std::string& file,
                                   const std::string& config_file) {
  std::vector<std::string> places;
  const bool searched = file.find('/') == std::string::npos;
  if (searched) {
    for (const std::string& folder : server.plugin_path)
      places.push_back(std::filesystem::path(folder) / file);
  }
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(config_file, failed);
  if (file.front() == '/' || !failed)
    places.push_back((absolute.parent_path() / file).lexically_normal().string());
  return places;
}

void locate(Sink& sink, const Server& server, PluginDraft& draft) {
  std::string tried;
  for (std::string& place : places_of(server, draft.plugin.file, sink.file())) {
    const int error = find_file_error(place);
    if (error == 0) {
      draft.plugin.path = std::move(place);
      return;
    }
    if (!tried.empty()) tried += ", ";
    tried += one_line(place);
    if (error == EINVAL) {
      tried += " (not a file)";
    } else if (error != ENOENT) {
      tried += " (" + std::generic_category().message(error) + ")";
    }
  }
  sink.error(draft.file_span,
             "the file " + in_quotes(draft.plugin.file) + " of the plugin " + in_quotes(draft.plugin.name) +
                 " is not there",
             "looked at " + tried);
}

}  // namespace

void read_plugin(Sink& sink, const Table& table, const Entry& entry, PluginDraft& out) {
  const bool well_named = check_name(sink, entry);
  out.span = entry.value.span;
  out.file_span = entry.value.span;
  Plugin& plugin = out.plugin;
  plugin.name = entry.key;
  plugin.place = sink.place(entry.value.span);
  TableReader reader(sink, table, "[plugin." + one_line(entry.key) + "]");
  if (const Entry* file = reader.text("file", plugin.file)) {
    out.file_span = file->value.span;
  } else if (reader.find("file") == nullptr && well_named) {
    plugin.file = plugin.name + ".so";
  }
  std::int64_t number = 0;
  if (const Entry* threads = reader.integer("threads", {0, 1024}, number)) {
    plugin.threads = static_cast<std::uint32_t>(number);
    out.threads_span = threads->value.span;
  }
  if (reader.integer("queue", {1, 100'000}, number) != nullptr)
    plugin.queue = static_cast<std::uint32_t>(number);
  reader.duration_or_off("timeout", any_duration, plugin.timeout);
  if (const Entry* settings = reader.find("config")) {
    out.settings = settings;
    if (settings->value.table() == nullptr) {
      sink.error(settings->value.span, "`config` expects a table, found " + describe(settings->value));
    } else {
      plugin.settings = std::get<SettingTable>(to_setting(sink, settings->value).value);
    }
  }
  reader.finish("a setting of the plugin's own stands in `config`");
}

void locate_plugins(Sink& sink, const Server& server, std::vector<PluginDraft>& plugins) {
  for (PluginDraft& draft : plugins) {
    if (!draft.plugin.file.empty()) locate(sink, server, draft);
  }
}

}  // namespace trivet::config
