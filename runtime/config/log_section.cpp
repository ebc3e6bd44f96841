#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {

void read_log(Sink& sink, const Table& table, Log& out) {
  TableReader reader(sink, table, "[log]");
  std::size_t index = 0;
  if (reader.word("level", {"trace", "debug", "info", "warn", "error", "off"}, index) != nullptr) {
    out.level = static_cast<Log::Level>(index);
  }
  if (reader.word("format", {"text", "json"}, index) != nullptr) out.format = static_cast<Log::Format>(index);
  std::string target;
  if (const Entry* entry = reader.text("target", target)) {
    const bool to_file = target.starts_with("file:");
    if (target == "stderr" || target == "syslog" || (to_file && target.starts_with("file:/"))) {
      out.target = target;
    } else if (to_file) {
      sink.error(entry->value.span, "`target` has to name an absolute path, found " + in_quotes(target),
                 "file:/var/log/trivet.log, say");
    } else {
      sink.error(entry->value.span, "`target` cannot be " + in_quotes(target),
                 target.front() == '/' ? "did you mean " + in_quotes("file:" + target) + "?"
                                       : did_you_mean(target, {"stderr", "syslog", "file:/PATH"}));
    }
  }
  for (const std::string_view key : {"access", "redact"}) reader.not_served(key);
  reader.finish();
}

}  // namespace trivet::config
