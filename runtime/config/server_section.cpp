#include "runtime/config/account.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// Less than that a worker needs before it has served anything: it would be replaced without end.
constexpr std::uint64_t least_memory = 16ULL << 20U;
constexpr std::uint64_t most_memory = 1024ULL << 30U;

}  // namespace

void read_server(Sink& sink, const Table& table, Server& out, const Account* account) {
  TableReader reader(sink, table, "[server]");
  std::int64_t processes = out.processes;
  reader.integer("processes", {0, 1024}, processes);
  out.processes = static_cast<std::uint32_t>(processes);
  out.account = read_account(reader, account);
  reader.absolute_path("runtime_dir", out.runtime_dir);
  reader.absolute_path("plugin_cache", out.plugin_cache);
  std::vector<NameAt> folders;
  if (reader.texts("plugin_path", ListRule::any, folders) != nullptr) {
    out.plugin_path.clear();
    for (NameAt& folder : folders) {
      if (folder.name.front() == '/') {
        out.plugin_path.push_back(std::move(folder.name));
      } else {
        sink.error(folder.span, "`plugin_path` has to hold absolute paths, found " + in_quotes(folder.name),
                   "start it with /");
      }
    }
  }
  reader.duration("shutdown_grace", {std::chrono::milliseconds(0), std::chrono::hours(1)},
                  out.shutdown_grace);
  reader.duration("reload_grace", {std::chrono::milliseconds(0), std::chrono::hours(24)}, out.reload_grace);
  std::int64_t max_requests = 0;
  reader.integer("max_requests", {0, 1'000'000'000'000}, max_requests);
  out.max_requests = static_cast<std::uint64_t>(max_requests);
  reader.size_or_off("max_memory", {least_memory, most_memory}, out.max_memory);
  reader.duration_or_off("watchdog", {std::chrono::seconds(1), std::chrono::hours(1)}, out.watchdog);
  reader.duration("start_timeout", {std::chrono::milliseconds(100), std::chrono::hours(1)},
                  out.start_timeout);
  read_control(reader, out);
  reader.finish();
}

}  // namespace trivet::config
