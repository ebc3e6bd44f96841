#include "runtime/config/load.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "runtime/config/parse.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::size_t largest_file = std::size_t{16} << 20U;

/// Texts that ask for environment variables, wherever they stand.
void refuse_environment(Sink& sink, const Node& node) {
  if (const std::string* text = node.text()) {
    const std::size_t start = text->find("${env:");
    if (start == std::string::npos) return;
    const std::size_t end = std::min(text->find('}', start), text->size() - 1);
    sink.error(node.span,
               '`' + one_line(text->substr(start, end - start + 1)) + "` is not served by this version yet",
               "write the value");
  } else if (const List* list = node.list()) {
    for (const Node& each : *list) refuse_environment(sink, each);
  } else if (const Table* table = node.table()) {
    for (const Entry& each : *table) refuse_environment(sink, each.value);
  }
}

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

void read_document(Sink& sink, const Table& document, const Overrides& overrides, Draft& draft) {
  for (const Entry& each : document) refuse_environment(sink, each.value);
  TableReader reader(sink, document, "the file");
  if (const Table* server = find_section(reader, "server")) {
    read_server(sink, *server, overrides, draft.config.server);
  }
  draft.has_listen = reader.find("listen") != nullptr;
  read_each(reader, "listen", [&](const Table& table, const Span& span) {
    read_listen(sink, table, span, draft.listen.emplace_back());
  });
  if (const Table* limits = find_section(reader, "limits")) {
    read_limits(sink, *limits, draft.config.limits, draft.config.spool_dir);
  }
  read_plugins(reader, draft.plugins);
  read_each(reader, "route", [&](const Table& table, const Span& span) {
    read_route(sink, table, span, draft.routes.emplace_back());
  });
  if (const Table* log = find_section(reader, "log")) read_log(sink, *log, draft.config.log);
  reader.not_served("include");
  reader.finish();
  locate_plugins(sink, draft.config.server, draft.plugins);
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
  return {std::nullopt, sink.take(), {}};
}

std::string cure_of(int error) {
  switch (error) {
    case ENOENT:
      return "create it, or name another file with -c";
    case EACCES:
      return "whoever runs Trivet has to be able to read it";
    case EISDIR:
      return "name the file in it";
    default:
      return {};
  }
}

/// Appends the file to `text`, up to one byte more than is allowed; gives an errno, or 0.
int read_file(const std::string& path, std::string& text) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return errno;
  int error = 0;
  while (text.size() <= largest_file) {
    const std::size_t used = text.size();
    text.resize(std::min(std::max<std::size_t>(used * 2, 16384), largest_file + 1));
    const ssize_t got = read(file, text.data() + used, text.size() - used);
    if (got < 0 && errno != EINTR) error = errno;
    text.resize(used + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0 || error != 0) break;
  }
  close(file);
  return error;
}

}  // namespace

Loaded load_text(std::string_view text, const std::string& path, const Overrides& overrides) {
  if (text.size() > largest_file) {
    return failure(path, "the file is larger than 16 MiB", "is this a configuration file?");
  }
  Sink sink(path);
  Draft draft;
  draft.config.file = path;
  if (overrides.processes.value_or(0) != 0) {
    sink.option_error("--processes", "worker processes are not served by this version yet",
                      "--processes 0: everything runs in one process");
  }
  if (const auto document = parse_toml(text, sink)) read_document(sink, *document, overrides, draft);
  Loaded loaded;
  loaded.text = text;
  if (!sink.failed()) loaded.config = std::move(draft.config);
  loaded.diagnostics = sink.take();
  return loaded;
}

Loaded load_file(const std::string& path, const Overrides& overrides) {
  std::string text;
  if (const int error = read_file(path, text)) {
    return failure(path, "cannot read the file: " + std::generic_category().message(error), cure_of(error));
  }
  return load_text(text, path, overrides);
}

}  // namespace trivet::config
