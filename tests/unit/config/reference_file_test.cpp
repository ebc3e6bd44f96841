#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

/// conf/trivet.toml, with plugin files that are there.
class ReferenceFile : public testing::Test {
 protected:
  ReferenceFile() {
    for (const char* plugin : {"hello", "echo", "keygate", "ratelimit", "upper"})
      folder_.write(std::string(plugin) + ".so");
    std::stringstream content;
    content << std::ifstream(TRIVET_CONF "/trivet.toml").rdbuf();
    text_ = content.str();
  }

  [[nodiscard]] Loaded load(const std::string& text) const {
    return load_text(text, folder_.path() + "/trivet.toml");
  }

  /// Every default as if it were written: `#key = value` without its `#`.
  [[nodiscard]] std::string with_defaults() const {
    std::string result;
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line); result += line + '\n') {
      const bool is_default = line.size() > 1 && line[0] == '#' && line[1] >= 'a' && line[1] <= 'z';
      if (is_default) line.erase(0, 1);
    }
    return result;
  }

  Folder folder_;
  std::string text_;
};

TEST_F(ReferenceFile, IsValidAsItStands) {
  const Loaded loaded = load(text_);
  EXPECT_EQ(render_all(loaded), "0 errors, 0 warnings\n");
}

TEST_F(ReferenceFile, IsTheSameWithItsDefaultsWritten) {
  const Loaded plain = load(text_);
  const Loaded written = load(with_defaults());
  ASSERT_TRUE(plain.config);
  ASSERT_EQ(render_all(written), "0 errors, 0 warnings\n");
  const Config& a = *plain.config;
  const Config& b = *written.config;
  EXPECT_EQ(a.server.runtime_dir, b.server.runtime_dir);
  EXPECT_EQ(a.server.admin, b.server.admin);
  EXPECT_EQ(a.server.plugin_cache, b.server.plugin_cache);
  EXPECT_EQ(a.server.plugin_path, b.server.plugin_path);
  EXPECT_EQ(a.server.shutdown_grace, b.server.shutdown_grace);
  EXPECT_EQ(a.server.reload_grace, b.server.reload_grace);
  EXPECT_EQ(a.server.max_requests, b.server.max_requests);
  EXPECT_EQ(a.server.max_memory, b.server.max_memory);
  EXPECT_EQ(a.server.watchdog, b.server.watchdog);
  EXPECT_EQ(a.server.start_timeout, b.server.start_timeout);
  EXPECT_EQ(a.log.access, b.log.access);
  EXPECT_EQ(a.log.access_flush, b.log.access_flush);
  EXPECT_EQ(a.log.redact, b.log.redact);
  EXPECT_EQ(a.log.request_id, b.log.request_id);
  ASSERT_EQ(b.listen.size(), 1U);
  EXPECT_EQ(b.listen[0].mode, 0660U);
  EXPECT_EQ(a.listen[0].backlog, b.listen[0].backlog);
  EXPECT_EQ(a.listen[0].accept_steering, b.listen[0].accept_steering);
  EXPECT_EQ(a.spool_dir, b.spool_dir);
  ASSERT_EQ(b.zones.size(), 1U);
  EXPECT_EQ(a.zones[0].layout, b.zones[0].layout);
  ASSERT_EQ(a.plugins.size(), b.plugins.size());
  for (std::size_t index = 0; index < a.plugins.size(); ++index) {
    EXPECT_EQ(a.plugins[index].path, b.plugins[index].path);
    EXPECT_EQ(a.plugins[index].queue, b.plugins[index].queue);
    EXPECT_EQ(a.plugins[index].timeout, b.plugins[index].timeout);
  }
  ASSERT_EQ(a.routes.size(), b.routes.size());
  for (std::size_t index = 0; index < a.routes.size(); ++index) {
    EXPECT_THAT(a.routes[index].authorize_on,
                testing::UnorderedElementsAreArray(b.routes[index].authorize_on));
    EXPECT_EQ(a.routes[index].allow_odd_paths, b.routes[index].allow_odd_paths);
    EXPECT_EQ(a.routes[index].timeout, b.routes[index].timeout);
  }
  EXPECT_EQ(a.log.level, b.log.level);
  EXPECT_EQ(a.log.format, b.log.format);
  EXPECT_EQ(a.log.target, b.log.target);
}

TEST_F(ReferenceFile, NamesTheDefaultLimits) {
  const Loaded written = load(with_defaults());
  ASSERT_TRUE(written.config);
  const base::Limits& limits = written.config->limits;
  const base::Limits defaults;
  EXPECT_EQ(limits.connections, defaults.connections);
  EXPECT_EQ(limits.concurrent_per_connection, defaults.concurrent_per_connection);
  EXPECT_EQ(limits.params_bytes, defaults.params_bytes);
  EXPECT_EQ(limits.params_count, defaults.params_count);
  EXPECT_EQ(limits.body_bytes, defaults.body_bytes);
  EXPECT_EQ(limits.data_bytes, defaults.data_bytes);
  EXPECT_EQ(limits.window, defaults.window);
  EXPECT_EQ(limits.head_bytes, defaults.head_bytes);
  EXPECT_EQ(limits.head_fields, defaults.head_fields);
  EXPECT_EQ(limits.spool_memory, defaults.spool_memory);
  EXPECT_EQ(limits.spool_bytes, defaults.spool_bytes);
  EXPECT_EQ(limits.drain_bytes, defaults.drain_bytes);
  EXPECT_EQ(limits.disk_threads, defaults.disk_threads);
  EXPECT_EQ(limits.disk_queue, defaults.disk_queue);
  EXPECT_EQ(limits.header_time, defaults.header_time);
  EXPECT_EQ(limits.stall_time, defaults.stall_time);
  EXPECT_EQ(limits.idle_time, defaults.idle_time);
}

TEST_F(ReferenceFile, NamesEveryKey) {
  for (const char* key :
       {"processes",       "user",          "runtime_dir",  "plugin_cache", "plugin_path",  "shutdown_grace",
        "reload_grace",    "name",          "address",      "mode",         "group",        "backlog",
        "accept_steering", "admin",         "spool_dir",    "file",         "threads",      "queue",
        "timeout",         "config",        "listen",       "path",         "hosts",        "methods",
        "phase",           "authorize",     "authorize_on", "variables",    "respond",      "filter",
        "odd_paths",       "level",         "format",       "target",       "max_requests", "max_memory",
        "watchdog",        "start_timeout", "plugin",       "types",        "status",       "min_size",
        "on_encoded"}) {
    const std::string line = "\n" + std::string(key) + " = ";
    const std::string commented = "\n#" + std::string(key) + " = ";
    EXPECT_TRUE(text_.find(line) != std::string::npos || text_.find(commented) != std::string::npos) << key;
  }
}

TEST_F(ReferenceFile, NamesEveryKeyOfFilesWithItsDefault) {
  const Loaded loaded = load(text_);
  ASSERT_TRUE(loaded.config);
  const std::vector<Route>& routes = loaded.config->routes;
  const auto docs =
      std::find_if(routes.begin(), routes.end(), [](const Route& each) { return each.files.has_value(); });
  ASSERT_NE(docs, routes.end());
  const Files defaults;
  EXPECT_EQ(docs->files->index, defaults.index);
  EXPECT_EQ(docs->files->serve_hidden, defaults.serve_hidden);
  EXPECT_EQ(docs->files->charset, defaults.charset);
  for (const char* key : {"files = ", "index = ", "hidden = ", "charset = "})
    EXPECT_NE(text_.find(key, text_.find("name = \"docs\"")), std::string::npos) << key;
}

TEST_F(ReferenceFile, NamesEveryKeyOfAGuardWithItsDefault) {
  const std::size_t begin = text_.find("\nname = \"shared\"");
  const std::string guards = text_.substr(begin, text_.find("\nname = \"user\"") - begin);
  for (const char* key : {"plugin", "on_error", "shadow", "ttl", "deny_ttl", "entries", "key"}) {
    const std::string line = "\n" + std::string(key) + " = ";
    const std::string commented = "\n#" + std::string(key) + " = ";
    EXPECT_TRUE(guards.find(line) != std::string::npos || guards.find(commented) != std::string::npos) << key;
  }
  const Loaded plain = load(text_);
  const Loaded written = load(with_defaults());
  ASSERT_TRUE(plain.config && written.config);
  for (const Loaded* each : {&plain, &written}) {
    const auto shared = std::find_if(each->config->routes.begin(), each->config->routes.end(),
                                     [](const Route& route) { return route.name == "remembered"; });
    ASSERT_NE(shared, each->config->routes.end());
    ASSERT_EQ(shared->authorize.size(), 1U);
    ASSERT_TRUE(shared->authorize[0].cache);
    EXPECT_EQ(shared->authorize[0].cache->ttl, VerdictCache().ttl);
    EXPECT_EQ(shared->authorize[0].cache->deny_ttl, VerdictCache().deny_ttl);
    EXPECT_EQ(shared->authorize[0].cache->entries, VerdictCache().entries);
    EXPECT_FALSE((shared - 1)->authorize.at(1).allow_on_error);
  }
}

TEST_F(ReferenceFile, NamesEveryKeyOfAZone) {
  const std::string zone = text_.substr(text_.find("\n[zone.limits]\n"));
  for (const char* key : {"size", "key_bytes", "value_bytes", "counters"})
    EXPECT_NE(zone.find("\n#" + std::string(key) + " = "), std::string::npos) << key;
}

}  // namespace
}  // namespace trivet::config
