#include "runtime/config/load.hpp"

#include <system_error>

#include "runtime/config/environment.hpp"
#include "runtime/config/include.hpp"
#include "runtime/config/parse.hpp"
#include "runtime/config/processors.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// The table of a section such as [server]; null where it is absent or something else.
const Table* find_section(TableReader& reader, std::string_view key) {
  const Entry* entry = reader.find(key);
  if (entry == nullptr) return nullptr;
  if (entry->value.table() == nullptr) {
    reader.sink().error(entry->key_span,
                        '`' + std::string(key) + "` expects a table, found " + describe(entry->value),
                        "write [" + std::string(key) + "]");
  }
  return entry->value.table();
}

/// Every table of [[listen]] or [[route]].
template <class Read>
void read_each(TableReader& reader, std::string_view key, const Read& read) {
  const Entry* entry = reader.find(key);
  if (entry == nullptr) return;
  const std::string header = "[[" + std::string(key) + "]]";
  if (entry->value.list() == nullptr) {
    reader.sink().error(
        entry->key_span,
        '`' + std::string(key) + "` expects a list of tables, found " + describe(entry->value),
        "write " + header);
    return;
  }
  for (const Node& each : *entry->value.list()) {
    if (each.table() != nullptr) {
      read(*each.table(), each.span);
    } else {
      reader.sink().error(each.span, header + " expects a table, found " + describe(each));
    }
  }
}

void read_plugins(TableReader& reader, std::vector<PluginDraft>& out) {
  const Table* plugins = find_section(reader, "plugin");
  if (plugins == nullptr) return;
  for (const Entry& each : *plugins) {
    if (each.value.table() == nullptr) {
      reader.sink().error(
          each.key_span,
          "[plugin] holds one table for each plugin, `" + one_line(each.key) + "` is " + describe(each.value),
          "write [plugin.NAME] above the plugin's keys");
      continue;
    }
    read_plugin(reader.sink(), *each.value.table(), each, out.emplace_back());
  }
}

/// Reads a document whose included files are in it. With `snapshot` the plugin files are what that says.
void read_document(Sink& sink, const Table& document, const Overrides& overrides, const LookAtPlugin& look,
                   const Snapshot* snapshot, Draft& draft) {
  TableReader reader(sink, document, "the file");
  draft.config.server.processes = usable_processors();
  const Table* server = find_section(reader, "server");
  if (server != nullptr) {
    const bool known = snapshot != nullptr && snapshot->account.has_value();
    read_server(sink, *server, draft.config.server, known ? &*snapshot->account : nullptr);
  }
  if (overrides.processes) draft.config.server.processes = *overrides.processes;
  if (server != nullptr) check_attach(sink, *server, draft.config.server, overrides);
  draft.has_listen = reader.find("listen") != nullptr;
  read_each(reader, "listen", [&](const Table& table, const Span& span) {
    read_listen(sink, table, span, draft.listen.emplace_back());
  });
  if (const Table* limits = find_section(reader, "limits")) {
    read_limits(sink, *limits, draft.config.limits, draft.config.spool_dir);
  }
  if (const Table* zones = find_section(reader, "zone")) read_zones(sink, *zones, draft.config.zones);
  read_plugins(reader, draft.plugins);
  read_each(reader, "route", [&](const Table& table, const Span& span) {
    read_route(sink, table, span, draft.routes.emplace_back());
  });
  if (const Table* log = find_section(reader, "log")) read_log(sink, *log, draft.config.log);
  if (draft.config.server.account) draft.config.log.owner = draft.config.server.account->user;
  (void)reader.find("include");  // It was followed before.
  reader.finish();
  if (snapshot == nullptr) {
    locate_plugins(sink, draft.config.server, draft.plugins);
    locate_files(sink, draft.routes);
  } else {
    for (PluginDraft& each : draft.plugins) {
      const auto file = snapshot->plugin_files.find(each.plugin.name);
      if (file == snapshot->plugin_files.end()) continue;
      each.plugin.path = file->second.path;
      each.plugin.copy = file->second.copy;
      each.plugin.exclusive = file->second.exclusive;
    }
  }
  if (look) check_plugin_facts(sink, draft, look);
  settle_processes(sink, server, overrides, draft);
  resolve(sink, draft, overrides);
  // What was left out for its mistakes would make these speak of things nobody wrote.
  if (!sink.failed()) {
    check_unused(sink, draft);
    check_shadowing(sink, draft.routes);
  }
}

Loaded failure(const std::string& path, std::string message, std::string hint) {
  Sink sink(path);
  sink.error({}, std::move(message), std::move(hint));
  return {std::nullopt, sink.take(), {}, {}};
}

Loaded load(std::string_view text, const std::string& path, const Overrides& overrides,
            const LookAtPlugin& look, const Snapshot* snapshot) {
  if (text.size() > largest_file) {
    return failure(path, "the file is larger than 16 MiB", "is this a configuration file?");
  }
  Sink sink(path);
  Draft draft;
  draft.config.file = path;
  Loaded loaded;
  if (auto document = parse_toml(text, sink)) {
    for (Entry& each : *document) fill_in_environment(sink, each.value);
    if (snapshot == nullptr) {
      include_files(sink, *document, loaded.included);
    } else {
      include_again(sink, *document, snapshot->included);
    }
    read_document(sink, *document, overrides, look, snapshot, draft);
  }
  loaded.text = text;
  if (!sink.failed()) loaded.config = std::move(draft.config);
  loaded.diagnostics = sink.take();
  return loaded;
}

}  // namespace

Loaded load_text(std::string_view text, const std::string& path, const Overrides& overrides,
                 const LookAtPlugin& look) {
  return load(text, path, overrides, look, nullptr);
}

Loaded load_snapshot(const Snapshot& snapshot) {
  return load(snapshot.text, snapshot.path, snapshot.overrides, {}, &snapshot);
}

Loaded load_file(const std::string& path, const Overrides& overrides, const LookAtPlugin& look) {
  std::string text;
  if (const int error = read_file(path, text)) {
    return failure(path, "cannot read the file: " + std::generic_category().message(error), cure_of(error));
  }
  return load_text(text, path, overrides, look);
}

base::Result<std::string> find_admin_socket(const std::string& path) {
  Loaded loaded;
  Server server;
  if (const int error = read_file(path, loaded.text)) {
    loaded = failure(path, "cannot read the file: " + std::generic_category().message(error), cure_of(error));
  } else {
    Sink sink(path);
    if (auto document = parse_toml(loaded.text, sink)) {
      TableReader reader(sink, *document, "the file");
      const Table* table = find_section(reader, "server");
      if (table != nullptr) read_admin_alone(sink, *table, server);
    }
    if (!sink.failed()) return std::move(server.admin);
    loaded.diagnostics = sink.take();
  }
  return base::Error{base::ErrorCode::config_invalid, render_all(loaded)};
}

}  // namespace trivet::config
