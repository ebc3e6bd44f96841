#include "runtime/plugin/plugin.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <trivet/plugin.hpp>

#include "runtime/config/config.hpp"
#include "runtime/log/memory_log.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/current.hpp"
#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

config::Plugin named(const std::string& name) {
  config::Plugin config;
  config.name = name;
  config.place = {"t.toml", 1, 1};
  return config;
}

/// Counts its instances.
struct Counted {
  static inline std::atomic<int> alive = 0;
  explicit Counted(trivet::Settings& settings) : key(settings.text("key", "none")) {
    settings.log().info("made");
    ++alive;
  }
  Counted(Counted&& other) noexcept : key(std::move(other.key)) { ++alive; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --alive; }
  trivet::Verdict check(trivet::Request&) { return {}; }
  std::string key;
};
struct NeverBlocks : Counted {
  using Counted::Counted;
  static constexpr bool never_blocks = true;
};
struct Shared : Counted {
  using Counted::Counted;
  static constexpr bool shared_instance = true;
  static constexpr bool wants_short = true;
};

constexpr trivet_plugin counted = trivet::sdk::entry<Counted>("counted", "1");
constexpr trivet_plugin never_blocks = trivet::sdk::entry<NeverBlocks>("never_blocks", "2");
constexpr trivet_plugin shared = trivet::sdk::entry<Shared>("shared", "3");

struct StartCase {
  const char* name;
  const trivet_plugin* entry;
  std::optional<std::uint32_t> threads;
  int instances;
  bool on_loop;
};
class Starting : public testing::TestWithParam<StartCase> {};

TEST_P(Starting, MakesAnInstanceForEachThreadThatNeedsOne) {
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.threads = GetParam().threads;
  {
    const auto plugin = Plugin::start(config, *GetParam().entry, log);
    ASSERT_TRUE(plugin.ok()) << plugin.error().message;
    EXPECT_EQ(Counted::alive, GetParam().instances);
    EXPECT_EQ(plugin.value()->threads() == nullptr, GetParam().on_loop);
    EXPECT_EQ(plugin.value()->loop_instance() != nullptr, GetParam().on_loop);
    EXPECT_EQ(log.count("plugin=it text=made"), static_cast<std::size_t>(GetParam().instances));
  }
  EXPECT_EQ(Counted::alive, 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, Starting,
                         testing::Values(StartCase{"Default", &counted, std::nullopt, 4, false},
                                         StartCase{"Two", &counted, 2, 2, false},
                                         StartCase{"LoopByDefault", &never_blocks, std::nullopt, 1, true},
                                         StartCase{"Loop", &never_blocks, 0, 1, true},
                                         StartCase{"ThreadsAnyway", &never_blocks, 3, 3, false},
                                         StartCase{"Shared", &shared, 3, 1, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Plugin, KnowsWhatItIs) {
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.timeout = std::chrono::milliseconds(5);
  const auto plugin = Plugin::start(config, shared, log);
  ASSERT_TRUE(plugin.ok()) << plugin.error().message;
  EXPECT_EQ(plugin.value()->name(), "it");
  EXPECT_EQ(plugin.value()->version(), "3");
  EXPECT_TRUE(plugin.value()->wants_short());
  EXPECT_EQ(plugin.value()->timeout(), std::chrono::milliseconds(5));
  EXPECT_EQ(plugin.value()->responder(), nullptr);
  ASSERT_NE(plugin.value()->authorizer(), nullptr);
  EXPECT_EQ(plugin.value()->authorizer()->check, shared.authorizer->check);
  EXPECT_EQ(plugin.value()->filter(), nullptr);
  EXPECT_EQ(plugin.value()->current().name, "it");
}

TEST(Plugin, OnTheLoopHasToDeclareThatItNeverBlocks) {
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.threads = 0;
  const auto plugin = Plugin::start(config, counted, log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().message,
            "t.toml:1:1: plugin \"it\": threads = 0 would run it on the event loop, but it does not declare "
            "that it "
            "never blocks: set threads to 1 or more");
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Plugin, WithSettingsThatNobodyReadsIsRefusedNamingThem) {
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.settings["key"] = {std::string("k"), {"t.toml", 2, 3}};
  config.settings["kye"] = {std::string("k"), {"t.toml", 3, 3}};
  config.settings["more"] = {config::SettingList{}, {"t.toml", 4, 3}};
  const auto plugin = Plugin::start(config, counted, log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().code, base::ErrorCode::plugin_rejected);
  EXPECT_EQ(plugin.error().message,
            "t.toml:3:3: plugin \"it\": setting \"kye\": the plugin has no such setting: correct its name or "
            "remove it\n"
            "t.toml:4:3: plugin \"it\": setting \"more\": the plugin has no such setting: correct its name "
            "or remove "
            "it");
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Plugin, WithASettingOfTheWrongTypeIsRefusedWithItsPlace) {
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.settings["key"] = {std::int64_t{1}, {"t.toml", 2, 3}};
  config.settings["kye"] = {std::string("k"), {"t.toml", 3, 3}};
  const auto plugin = Plugin::start(config, counted, log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().message, "t.toml:2:3: plugin \"it\": setting \"key\": has to be a text");
}

// --- creates that fail ---

trivet_status check_hook(void*, trivet_request*) { return TRIVET_OK; }
constexpr trivet_authorizer authorizer = {sizeof(trivet_authorizer), check_hook};

trivet_status throws_error(const trivet_host*, const trivet_settings*, void**) {
  throw std::runtime_error("boom");
}
trivet_status throws_number(const trivet_host*, const trivet_settings*, void**) { throw 1; }
trivet_status gives_failure(const trivet_host*, const trivet_settings*, void**) { return TRIVET_E_FAILED; }
trivet_status reports_but_is_fine(const trivet_host* host, const trivet_settings* settings, void**) {
  host->setting_error(settings, {}, text("one"));
  host->setting_error(settings, text("k"), text("two"));
  return TRIVET_OK;
}
int fails_later_left = 0;
int fails_later_alive = 0;
trivet_status fails_later(const trivet_host*, const trivet_settings*, void** self) {
  if (fails_later_left-- == 0) return TRIVET_E_FAILED;
  *self = &fails_later_alive;
  ++fails_later_alive;
  return TRIVET_OK;
}
void destroys_later(void* self) { --*static_cast<int*>(self); }

trivet_plugin entry_with(decltype(trivet_plugin::create) create,
                         decltype(trivet_plugin::destroy) destroy = nullptr) {
  trivet_plugin entry{};
  entry.magic = TRIVET_ABI_MAGIC;
  entry.size = sizeof entry;
  entry.abi_major = TRIVET_ABI_MAJOR;
  entry.abi_minor = TRIVET_ABI_MINOR;
  entry.name = text("p");
  entry.version = text("1");
  entry.create = create;
  entry.destroy = destroy;
  entry.authorizer = &authorizer;
  return entry;
}

struct CreateCase {
  const char* name;
  decltype(trivet_plugin::create) create;
  const char* error;
};
class FailingCreates : public testing::TestWithParam<CreateCase> {};

TEST_P(FailingCreates, AreToldWithTheirReason) {
  log::MemoryLog log;
  const auto plugin = Plugin::start(named("it"), entry_with(GetParam().create), log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().message, "t.toml:1:1: plugin \"it\": " + std::string(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Each, FailingCreates,
    testing::Values(
        CreateCase{"Error", throws_error, "its create threw: boom: it has to catch its own exceptions"},
        CreateCase{"Number", throws_number, "its create threw something: it has to catch its own exceptions"},
        CreateCase{"NoReason", gives_failure,
                   "its create failed with status -6 and gave no reason: look for lines of the plugin in "
                   "the log"},
        CreateCase{"ErrorsWithoutStatus", reports_but_is_fine,
                   "one\nt.toml:1:1: plugin \"it\": setting \"k\": two"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Plugin, WhoseLaterInstanceFailsDestroysTheEarlierOnes) {
  log::MemoryLog log;
  fails_later_left = 2;
  const auto plugin = Plugin::start(named("it"), entry_with(fails_later, destroys_later), log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(fails_later_left, -1);
  EXPECT_EQ(fails_later_alive, 0);
}

TEST(Plugin, WithoutCreateRunsWithoutAnInstance) {
  log::MemoryLog log;
  const auto plugin = Plugin::start(named("it"), entry_with(nullptr), log);
  EXPECT_TRUE(plugin.ok()) << plugin.error().message;
}

TEST(Plugin, ThatDoesNotFitIsRefusedByName) {
  log::MemoryLog log;
  trivet_plugin entry = entry_with(nullptr);
  entry.abi_major = 9;
  const auto plugin = Plugin::start(named("it"), entry, log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().message,
            "t.toml:1:1: plugin \"it\": was built for plugin ABI 9.3, this host speaks 0.3: rebuild it with "
            "this host's "
            "SDK");
}

// --- from files ---

TEST(PluginFile, RunsWithItsSettings) {
  const TemporaryFolder cache;
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.path = test_plugin("slow");
  config.settings["ms"] = {std::int64_t{1}, {}};
  config.threads = 2;
  const auto plugin = Plugin::start(config, cache.path(), log);
  ASSERT_TRUE(plugin.ok()) << plugin.error().message;
  EXPECT_NE(plugin.value()->responder(), nullptr);
  EXPECT_NE(plugin.value()->authorizer(), nullptr);
  EXPECT_EQ(plugin.value()->filter(), nullptr);
  EXPECT_EQ(plugin.value()->version(), "1.1.0");
  EXPECT_EQ(cache.entries(), 1U);
}

TEST(PluginFile, WrittenInCRuns) {
  const TemporaryFolder cache;
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.path = test_plugin("silent");
  const auto plugin = Plugin::start(config, cache.path(), log);
  ASSERT_TRUE(plugin.ok()) << plugin.error().message;
  EXPECT_EQ(plugin.value()->threads(), nullptr);
  EXPECT_NE(plugin.value()->authorizer(), nullptr);
}

struct ThrowCase {
  const char* name;
  const char* what;
  const char* error;
};
class PluginFileThatThrows : public testing::TestWithParam<ThrowCase> {};

TEST_P(PluginFileThatThrows, InItsConstructorIsToldAsASettingsError) {
  const TemporaryFolder cache;
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.path = test_plugin("throws");
  config.settings["when"] = {std::string("create"), {}};
  config.settings["what"] = {std::string(GetParam().what), {}};
  const auto plugin = Plugin::start(config, cache.path(), log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().message, "t.toml:1:1: plugin \"it\": " + std::string(GetParam().error));
  EXPECT_EQ(cache.entries(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Each, PluginFileThatThrows,
                         testing::Values(ThrowCase{"Error", "error", "thrown on purpose"},
                                         ThrowCase{
                                             "Number", "number",
                                             "its constructor threw something that is no std::exception"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Plugin, MarksItsThreadsAsItsOwn) {
  log::MemoryLog log;
  config::Plugin config = named("it");
  config.threads = 1;
  const auto plugin = Plugin::start(config, counted, log);
  ASSERT_TRUE(plugin.ok()) << plugin.error().message;
  struct Look final : Job {
    void run(void*, std::uint32_t) override {
      const std::lock_guard lock(mutex);
      name = current_plugin() == nullptr ? "none" : current_plugin()->name;
      changed.notify_one();
    }
    std::mutex mutex;
    std::condition_variable changed;
    std::string name;
  } look;
  ASSERT_TRUE(plugin.value()->threads()->submit(look));
  std::unique_lock lock(look.mutex);
  look.changed.wait(lock, [&] { return !look.name.empty(); });
  EXPECT_EQ(look.name, "it");
  EXPECT_EQ(current_plugin(), nullptr);
}

TEST(Plugin, WhoseChildComesBackFromAHookEndsThere) {
  notice_forks();
  const auto ends = [](bool inside) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (inside) const RouteScope hook("route", 0);
      ::_exit(7);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(ends(true), 1);
  EXPECT_EQ(ends(false), 7);
  const RouteScope hook("route", 0);  // The parent goes on.
}

}  // namespace
}  // namespace trivet::plugin
