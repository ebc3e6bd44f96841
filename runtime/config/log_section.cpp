#include <algorithm>

#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// Where lines go: one of `words`, of which the last is a file.
void read_target(Sink& sink, TableReader& reader, std::string_view key,
                 const std::vector<std::string_view>& words, std::string& out) {
  std::string target;
  const Entry* entry = reader.text(key, target);
  if (entry == nullptr) return;
  const std::string quoted = "`" + std::string(key) + "`";
  if (std::find(words.begin(), words.end() - 1, target) != words.end() - 1 || target.starts_with("file:/")) {
    out = target;
  } else if (target.starts_with("file:")) {
    sink.error(entry->value.span, quoted + " has to name an absolute path, found " + in_quotes(target),
               "file:/var/log/trivet.log, say");
  } else {
    sink.error(entry->value.span, quoted + " cannot be " + in_quotes(target),
               target.front() == '/' ? "did you mean " + in_quotes("file:" + target) + "?"
                                     : did_you_mean(target, words));
  }
}

}  // namespace

void read_log(Sink& sink, const Table& table, Log& out) {
  TableReader reader(sink, table, "[log]");
  std::size_t index = 0;
  if (reader.word("level", {"trace", "debug", "info", "warn", "error", "off"}, index) != nullptr) {
    out.level = static_cast<Log::Level>(index);
  }
  if (reader.word("format", {"text", "json"}, index) != nullptr) out.format = static_cast<Log::Format>(index);
  read_target(sink, reader, "target", {"stderr", "syslog", "file:/PATH"}, out.target);
  read_target(sink, reader, "access", {"off", "stderr", "file:/PATH"}, out.access);
  reader.duration("access_flush", {std::chrono::milliseconds(0), std::chrono::minutes(1)}, out.access_flush);
  if (reader.word("request_id", {"own", "REQUEST_ID", "HTTP_X_REQUEST_ID"}, index) != nullptr) {
    out.request_id = index == 0 ? "" : index == 1 ? "REQUEST_ID" : "HTTP_X_REQUEST_ID";
  }
  std::vector<NameAt> names;
  if (reader.texts("redact", ListRule::any, names) != nullptr) {
    out.redact.clear();
    for (NameAt& each : names) out.redact.push_back(std::move(each.name));
  }
  reader.finish();
}

}  // namespace trivet::config
