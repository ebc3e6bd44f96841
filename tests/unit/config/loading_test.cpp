#include <gmock/gmock.h>

#include "runtime/config/load.hpp"
#include "tests/unit/config/folder.hpp"

namespace trivet::config {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// The Config of a file without mistakes; what was told fails the test.
Config load_good(const Loader& loader, const std::string& text, const Overrides& overrides = {}) {
  Loaded loaded = loader.load(text, overrides);
  EXPECT_EQ(render_all(loaded), "0 errors, 0 warnings\n");
  return loaded.config ? std::move(*loaded.config) : Config{};
}

constexpr std::string_view every_key = R"(
[server]
processes = 0
runtime_dir = "/r"
plugin_cache = "/c"
plugin_path = ["/p", "/q"]
shutdown_grace = "250ms"

[[listen]]
name = "web"
address = "unix:/run/a.sock"
mode = "0600"
group = "www-data"
backlog = 17
accept_steering = false
[[listen]]
address = "tcp:[::1]:9001"

[limits]
connections = 11
concurrent_per_connection = 12
params_bytes = "13KiB"
params_count = 14
body_bytes = "15MiB"
data_bytes = "16GiB"
window = "17KiB"
head_bytes = 1800
head_fields = 19
spool_dir = "/s"
spool_memory = "20B"
spool_bytes = "21MiB"
drain_bytes = "22KiB"
header_time = "23ms"
stall_time = "off"
idle_time = "25m"

[plugin.app]
file = "./app.so"
threads = 3
queue = 5
timeout = "off"
config = { text = "\u00fc", number = -7, real = 0.5, flag = true, list = [1, "two", { three = 3 }], empty = {} }
[plugin.guard]
[plugin.wrap]

[[route]]
name = "docs"
listen = ["web"]
path = "/docs/*/**"
hosts = ["WWW.Example.org.", "[::1]"]
methods = ["GET", "X-Own"]
authorize = ["guard", "allow"]
authorize_on = ["filter", "responder"]
variables = ["REMOTE_USER", "AUTH_TYPE", "TIER_2"]
respond = "app"
filter = ["wrap", "wrap"]
odd_paths = "allow"
timeout = "1h"
[[route]]
authorize = "deny"
[[route]]
path = "/f"
filter = "wrap"
timeout = "off"

[log]
level = "debug"
format = "json"
target = "file:/var/log/t.log"
)";

/// As every_key, without what is told of its last routes: "/**" stands before "/f".
std::string every_key_in_order() {
  std::string text(every_key);
  const std::string_view open = "[[route]]\nauthorize = \"deny\"\n";
  text.erase(text.find(open), open.size());
  return text + std::string(open);
}

class EveryKey : public testing::Test {
 protected:
  Loader loader_;
  Config config_ = load_good(loader_, every_key_in_order());
};

TEST_F(EveryKey, OfTheServerIsTaken) {
  EXPECT_EQ(config_.file, loader_.folder().path() + "/t.toml");
  EXPECT_EQ(config_.server.processes, 0U);
  EXPECT_EQ(config_.server.runtime_dir, "/r");
  EXPECT_EQ(config_.server.plugin_cache, "/c");
  EXPECT_THAT(config_.server.plugin_path, ElementsAre("/p", "/q"));
  EXPECT_EQ(config_.server.shutdown_grace, milliseconds(250));
}

TEST(ReloadGrace, IsTaken) {
  const Loader loader;
  EXPECT_EQ(load_good(loader, whole("[server]\n")).server.reload_grace, std::chrono::seconds(30));
  EXPECT_EQ(load_good(loader, whole("[server]\nreload_grace = '2m'\n")).server.reload_grace,
            std::chrono::minutes(2));
}

TEST(Recycling, IsAskedForWithNumbersOrTurnedOff) {
  const Loader loader;
  const Server defaults = load_good(loader, whole("[server]\n")).server;
  EXPECT_EQ(defaults.max_requests, 0U);
  EXPECT_EQ(defaults.max_memory, std::nullopt);
  EXPECT_EQ(defaults.watchdog, std::chrono::seconds(30));
  EXPECT_EQ(defaults.start_timeout, std::chrono::seconds(60));
  const Server some =
      load_good(loader, whole("[server]\nmax_requests = 1000\nmax_memory = '512MiB'\nwatchdog = '5s'\n"))
          .server;
  EXPECT_EQ(some.max_requests, 1000U);
  EXPECT_EQ(some.max_memory, 512U << 20U);
  EXPECT_EQ(some.watchdog, std::chrono::seconds(5));
  const Server off = load_good(loader, whole("[server]\nmax_memory = 'off'\nwatchdog = 'off'\n")).server;
  EXPECT_EQ(off.max_memory, std::nullopt);
  EXPECT_EQ(off.watchdog, std::nullopt);
}

TEST_F(EveryKey, OfAListenerIsTaken) {
  ASSERT_EQ(config_.listen.size(), 2U);
  const Listen& web = config_.listen[0];
  EXPECT_EQ(web.name, "web");
  EXPECT_EQ(web.text, "unix:/run/a.sock");
  EXPECT_EQ(std::get<UnixAddress>(web.address).path, "/run/a.sock");
  EXPECT_EQ(web.mode, 0600U);
  EXPECT_EQ(web.group, "www-data");
  EXPECT_EQ(web.backlog, 17);
  EXPECT_FALSE(web.accept_steering);
  EXPECT_EQ(web.place.file, config_.file);
  EXPECT_EQ(web.place.line, 9U);
  const Listen& plain = config_.listen[1];
  EXPECT_EQ(plain.name, "tcp:[::1]:9001");
  EXPECT_EQ(std::get<TcpAddress>(plain.address).host, "::1");
  EXPECT_TRUE(std::get<TcpAddress>(plain.address).loopback);
  EXPECT_EQ(plain.mode, std::nullopt);
  EXPECT_EQ(plain.group, std::nullopt);
  EXPECT_EQ(plain.backlog, 4096);
  EXPECT_TRUE(plain.accept_steering);
}

TEST_F(EveryKey, OfTheLimitsIsTaken) {
  const base::Limits& limits = config_.limits;
  EXPECT_EQ(limits.connections, 11U);
  EXPECT_EQ(limits.concurrent_per_connection, 12U);
  EXPECT_EQ(limits.params_bytes, 13U << 10U);
  EXPECT_EQ(limits.params_count, 14U);
  EXPECT_EQ(limits.body_bytes, 15U << 20U);
  EXPECT_EQ(limits.data_bytes, 16ULL << 30U);
  EXPECT_EQ(limits.window, 17U << 10U);
  EXPECT_EQ(limits.head_bytes, 1800U);
  EXPECT_EQ(limits.head_fields, 19U);
  EXPECT_EQ(config_.spool_dir, "/s");
  EXPECT_EQ(limits.spool_memory, 20U);
  EXPECT_EQ(limits.spool_bytes, 21U << 20U);
  EXPECT_EQ(limits.drain_bytes, 22U << 10U);
  EXPECT_EQ(limits.header_time, milliseconds(23));
  EXPECT_EQ(limits.stall_time, std::nullopt);
  EXPECT_EQ(limits.idle_time, milliseconds(25 * 60'000));
}

TEST_F(EveryKey, OfAPluginIsTaken) {
  ASSERT_EQ(config_.plugins.size(), 3U);
  const Plugin& app = config_.plugins[0];
  EXPECT_EQ(app.name, "app");
  EXPECT_EQ(app.file, "./app.so");
  EXPECT_EQ(app.path, loader_.folder().path() + "/app.so");
  EXPECT_EQ(app.threads, 3U);
  EXPECT_EQ(app.queue, 5U);
  EXPECT_EQ(app.timeout, std::nullopt);
  const Plugin& guard = config_.plugins[1];
  EXPECT_EQ(guard.file, "guard.so");
  EXPECT_EQ(guard.threads, std::nullopt);
  EXPECT_EQ(guard.queue, 256U);
  EXPECT_EQ(guard.timeout, milliseconds(2000));
  EXPECT_THAT(guard.settings, IsEmpty());
}

TEST_F(EveryKey, OfAPluginsOwnSettingsIsTakenWithItsPlace) {
  const SettingTable& settings = config_.plugins[0].settings;
  ASSERT_EQ(settings.size(), 6U);
  EXPECT_EQ(std::get<std::string>(settings.at("text").value), "\xc3\xbc");
  EXPECT_EQ(std::get<std::int64_t>(settings.at("number").value), -7);
  EXPECT_EQ(std::get<double>(settings.at("real").value), 0.5);
  EXPECT_TRUE(std::get<bool>(settings.at("flag").value));
  EXPECT_TRUE(std::get<SettingTable>(settings.at("empty").value).empty());
  const auto& list = std::get<SettingList>(settings.at("list").value);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(std::get<std::string>(list[1].value), "two");
  EXPECT_EQ(std::get<std::int64_t>(std::get<SettingTable>(list[2].value).at("three").value), 3);
  EXPECT_EQ(settings.at("number").place.line, 42U);
  EXPECT_EQ(settings.at("number").place.column, 38U);
}

TEST_F(EveryKey, OfARouteIsTaken) {
  ASSERT_EQ(config_.routes.size(), 3U);
  const Route& docs = config_.routes[0];
  EXPECT_EQ(docs.name, "docs");
  EXPECT_THAT(docs.listen, ElementsAre("web"));
  EXPECT_EQ(docs.path, "/docs/*/**");
  EXPECT_THAT(docs.hosts, ElementsAre("www.example.org", "[::1]"));
  EXPECT_THAT(docs.methods, ElementsAre("GET", "X-Own"));
  ASSERT_EQ(docs.authorize.size(), 2U);
  EXPECT_EQ(docs.authorize[0].kind, Guard::Kind::plugin);
  EXPECT_EQ(docs.authorize[0].plugin, "guard");
  EXPECT_EQ(docs.authorize[0].place.column, 14U);
  EXPECT_EQ(docs.authorize[1].kind, Guard::Kind::allow);
  EXPECT_THAT(docs.authorize_on, ElementsAre(Slice::filter, Slice::responder));
  EXPECT_FALSE(docs.guarded_on(Slice::authorizer));
  EXPECT_TRUE(docs.guarded_on(Slice::responder));
  EXPECT_THAT(docs.variables, ElementsAre("REMOTE_USER", "AUTH_TYPE", "TIER_2"));
  EXPECT_EQ(docs.respond, "app");
  ASSERT_EQ(docs.filter.size(), 2U);
  EXPECT_EQ(docs.filter[0].plugin, "wrap");
  EXPECT_EQ(docs.filter[1].plugin, "wrap");
  EXPECT_EQ(docs.filter[1].place.line, docs.filter[0].place.line);
  EXPECT_TRUE(docs.allow_odd_paths);
  EXPECT_EQ(docs.timeout, milliseconds(3'600'000));
  EXPECT_EQ(docs.place.line, 46U);
}

TEST_F(EveryKey, OfARouteHasItsDefault) {
  const Route& filter_only = config_.routes[1];
  EXPECT_EQ(filter_only.name, "route-2");
  EXPECT_EQ(filter_only.timeout, std::nullopt);
  const Route& closed = config_.routes[2];
  EXPECT_EQ(closed.name, "route-3");
  EXPECT_EQ(closed.path, "/**");
  EXPECT_THAT(closed.listen, IsEmpty());
  EXPECT_THAT(closed.hosts, IsEmpty());
  EXPECT_THAT(closed.methods, IsEmpty());
  ASSERT_EQ(closed.authorize.size(), 1U);
  EXPECT_EQ(closed.authorize[0].kind, Guard::Kind::deny);
  for (const Slice slice : {Slice::responder, Slice::authorizer, Slice::filter})
    EXPECT_TRUE(closed.guarded_on(slice));
  EXPECT_EQ(closed.respond, std::nullopt);
  EXPECT_THAT(closed.filter, IsEmpty());
  EXPECT_FALSE(closed.allow_odd_paths);
  EXPECT_EQ(closed.timeout, milliseconds(30'000));
}

TEST_F(EveryKey, OfTheLogIsTaken) {
  EXPECT_EQ(config_.log.level, Log::Level::debug);
  EXPECT_EQ(config_.log.format, Log::Format::json);
  EXPECT_EQ(config_.log.target, "file:/var/log/t.log");
}

TEST(Loading, WordsMeanWhatTheyName) {
  const Loader loader;
  const std::pair<std::string, Log::Level> levels[] = {
      {"trace", Log::Level::trace}, {"debug", Log::Level::debug}, {"info", Log::Level::info},
      {"warn", Log::Level::warn},   {"error", Log::Level::error}, {"off", Log::Level::off}};
  for (const auto& [word, level] : levels) {
    EXPECT_EQ(load_good(loader, whole("[log]\nlevel = \"" + word + "\"\n")).log.level, level) << word;
  }
  EXPECT_EQ(load_good(loader, whole("[log]\ntarget = \"syslog\"\n")).log.target, "syslog");
  EXPECT_EQ(load_good(loader, whole("[limits]\ndata_bytes = \"unlimited\"\n")).limits.data_bytes,
            base::unlimited);
  EXPECT_EQ(load_good(loader, whole("[limits]\nhead_bytes = \"8KiB\"\n")).limits.head_bytes, 8192U);
}

TEST(Loading, ByteOrderMarkAndCarriageReturnsAreFine) {
  const Loader loader;
  std::string text = whole("[log]\nlevel = \"warn\"\n");
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2))
    text.insert(at, 1, '\r');
  EXPECT_EQ(load_good(loader, "\xef\xbb\xbf" + text).log.level, Log::Level::warn);
  EXPECT_EQ(loader.told("\xef\xbb\xbf[lgo]\r\n" + text),
            "{}/t.toml:1:2: error: unknown key `lgo` in the file\n"
            "    1 | [lgo]\n"
            "      |  ^^^ did you mean `log`?\n"
            "1 error, 0 warnings\n");
}

TEST(Loading, EveryMistakeIsToldAtOnceInFileOrder) {
  const Loader loader;
  const Loaded loaded = loader.load(R"([log]
level = "loud"
[[route]]
respond = "nobody"
[plugin.ghost]
[server]
processes = 2000
colour = 1
[[route]]
path = "x"
methods = ["get", "?"]
)");
  EXPECT_FALSE(loaded.config);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> places;
  for (const Diagnostic& each : loaded.diagnostics) places.emplace_back(each.place.line, each.place.column);
  using P = std::pair<std::uint32_t, std::uint32_t>;
  EXPECT_THAT(places, ElementsAre(P(0, 0), P(2, 9), P(4, 11), P(5, 1), P(7, 13), P(8, 1), P(9, 1), P(10, 8),
                                  P(11, 12), P(11, 19)));
  for (const Diagnostic& each : loaded.diagnostics) EXPECT_EQ(each.severity, Diagnostic::Severity::error);
}

TEST(Loading, TextThatIsNotUtf8IsToldWithItsPlace) {
  const Loader loader;
  EXPECT_EQ(loader.told("# \xc3\xbc\nx = \"gr\xfc\xdf\"\n"),
            "{}/t.toml:2:8: error: this byte is not UTF-8\n"
            "    2 | x = \"gr\\xfc\\xdf\"\n"
            "      |        ^^^^ save the file with the encoding UTF-8\n"
            "1 error, 0 warnings\n");
}

TEST(Loading, AFileThatCannotBeReadIsToldWithTheReason) {
  const Folder folder;
  const Loaded missing = load_file(folder.path() + "/none.toml");
  EXPECT_FALSE(missing.config);
  EXPECT_EQ(render_all(missing), folder.path() +
                                     "/none.toml: error: cannot read the file: No such file or directory\n"
                                     "      = create it, or name another file with -c\n"
                                     "1 error, 0 warnings\n");
  EXPECT_EQ(render_all(load_file(folder.path())), folder.path() +
                                                      ": error: cannot read the file: Is a directory\n"
                                                      "      = name the file in it\n"
                                                      "1 error, 0 warnings\n");
}

TEST(Loading, AFileIsReadWholeUpToSixteenMebibytes) {
  const Loader loader;
  const std::string text = whole("");
  constexpr std::size_t most = std::size_t{16} << 20U;
  const std::string fits = text + "#" + std::string(most - text.size() - 1, 'x');
  const Loaded loaded = load_file(loader.folder().write("fits.toml", fits));
  EXPECT_TRUE(loaded.config) << render_all(loaded).substr(0, 1000);
  EXPECT_EQ(loaded.text, fits);
  const std::string file = loader.folder().write("large.toml", fits + "x");
  EXPECT_EQ(render_all(load_file(file)), file +
                                             ": error: the file is larger than 16 MiB\n"
                                             "      = is this a configuration file?\n"
                                             "1 error, 0 warnings\n");
}

TEST(Loading, AFileWithoutRoutesIsServedWithAWarning) {
  const Loader loader;
  const Loaded loaded = loader.load(a_listener);
  EXPECT_TRUE(loaded.config);
  EXPECT_EQ(loader.told(a_listener),
            "{}/t.toml: warning: no [[route]]: every request is answered with 404, an authorizer's with 403\n"
            "0 errors, 1 warning\n");
}

struct WarningCase {
  std::string_view text;
  std::string_view told;
};

constexpr WarningCase warning_cases[] = {
    {"[plugin.guard]\n",
     R"({}/t.toml:3:1: warning: no route uses the plugin "guard"
    3 | [plugin.guard]
      | ^^^^^^^^^^^^^^
0 errors, 1 warning
)"},
    {"[[route]]\npath = \"/a\"\nauthorize = [\"allow\", \"deny\", \"app\", \"allow\"]\n",
     R"({}/t.toml:5:31: warning: the guard "app" never runs: "deny" stands before it
    5 | authorize = ["allow", "deny", "app", "allow"]
      |                               ^^^^^
{}/t.toml:5:38: warning: the guard "allow" never runs: "deny" stands before it
    5 | authorize = ["allow", "deny", "app", "allow"]
      |                                      ^^^^^^^
0 errors, 2 warnings
)"},
    {"[[listen]]\naddress = \"unix:/run/y\"\nmode = \"0666\"\n",
     R"({}/t.toml:5:8: warning: every user of this machine can connect, and so pose as the web server
    5 | mode = "0666"
      |        ^^^^^^ "0660" and `group`, if the web server runs in one
0 errors, 1 warning
)"},
    {"[[route]]\npath = \"/a\"\nrespond = \"app\"\nvariables = [\"REMOTE_USER\"]\n",
     R"({}/t.toml:6:1: warning: `variables` has no effect without `authorize`: only a guard sets any
    6 | variables = ["REMOTE_USER"]
      | ^^^^^^^^^
0 errors, 1 warning
)"},
    {"[server]\nprocesses = 0\nattach = { group = \"www-data\" }\n",
     R"({}/t.toml:5:1: warning: `attach` has no effect: a host of one process takes no sockets over
    5 | attach = { group = "www-data" }
      | ^^^^^^ set `processes` to 1 or more
0 errors, 1 warning
)"},
    {"[[route]]\npath = \"/a\"\nrespond = \"app\"\nlisten = [\"spawned\"]\n",
     R"({}/t.toml:6:11: warning: the route "route-1" is left out: none of its listeners is open in this run
    6 | listen = ["spawned"]
      |           ^^^^^^^^^
0 errors, 1 warning
)"},
};

TEST(Loading, WhatIsProbablyNotMeantIsServedWithAWarning) {
  const Loader loader;
  for (const WarningCase& each : warning_cases) {
    EXPECT_TRUE(loader.load(whole(each.text)).config) << each.text;
    EXPECT_EQ(loader.told(whole(each.text)), each.told);
  }
}

constexpr std::string_view two_listeners = R"(
[[listen]]
name = "web"
address = "unix:/run/a"
[[listen]]
name = "api"
address = "unix:/run/b"
[plugin.app]
[[route]]
listen = ["web", "spawned"]
path = "/web"
respond = "app"
[[route]]
listen = ["api", "web"]
path = "/both"
respond = "app"
[[route]]
path = "/all"
respond = "app"
)";

std::vector<std::string> names_of(const Config& config) {
  std::vector<std::string> names;
  for (const Route& each : config.routes) names.push_back(each.path);
  return names;
}

TEST(Loading, PhasesAreAWordOrAList) {
  const Loader loader;
  const Loaded loaded = loader.load(std::string(a_listener) + R"(
[[route]]
authorize = "deny"
phase = "authenticator"
[[route]]
authorize = "deny"
phase = ["authorizer", "access_checker"]
[[route]]
authorize = "deny"
)");
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  EXPECT_THAT(loaded.config->routes[0].phases, ElementsAre(Phase::authenticator));
  EXPECT_THAT(loaded.config->routes[1].phases, ElementsAre(Phase::authorizer, Phase::access_checker));
  EXPECT_THAT(loaded.config->routes[2].phases, testing::IsEmpty());
}

TEST(Overrides, ListenTakesThePlaceOfEveryListener) {
  const Loader loader;
  Overrides overrides;
  overrides.listen = {"tcp:127.0.0.1:9000", "fd:3"};
  const Loaded loaded = loader.load(two_listeners, overrides);
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  ASSERT_EQ(loaded.config->listen.size(), 2U);
  EXPECT_EQ(loaded.config->listen[0].name, "tcp:127.0.0.1:9000");
  EXPECT_EQ(std::get<DescriptorAddress>(loaded.config->listen[1].address).descriptor, 3);
  // Never opened to listeners that they do not name: an empty list would mean all.
  EXPECT_THAT(names_of(*loaded.config), ElementsAre("/all"));
  EXPECT_EQ(loaded.diagnostics.size(), 2U);
}

TEST(Overrides, ListenMakesAListenerInTheFileUnnecessary) {
  const Loader loader;
  Overrides overrides;
  overrides.listen = {"fd:3"};
  EXPECT_EQ(load_good(loader, std::string(a_route), overrides).listen.size(), 1U);
}

TEST(Overrides, MistakesOnTheCommandLineAreToldBesideThoseOfTheFile) {
  const Loader loader;
  Overrides overrides;
  overrides.listen = {"/run/x", "tcp:0.0.0.0:80", "fd:3", "fd:3"};
  EXPECT_EQ(loader.told("x = 1\n" + std::string(a_route), overrides),
            R"(--listen: error: "/run/x" is not an address
      = did you mean "unix:/run/x"?
--listen: error: "tcp:0.0.0.0:80" is not a loopback address: say who may connect
      = a [[listen]] with `allow_from`
--listen: error: two listeners on one address: "fd:3", the other at --listen
{}/t.toml:1:1: error: unknown key `x` in the file
    1 | x = 1
      | ^ known: `server`, `listen`, `limits`, `zone`, `plugin`, `route`, `log`, `include`
4 errors, 0 warnings
)");
}

TEST(ControlSockets, AreInTheRuntimeFolderWhereNothingElseIsSaid) {
  const Loader loader;
  EXPECT_EQ(load_good(loader, whole("")).server.admin, "/run/trivet/admin.sock");
  EXPECT_FALSE(load_good(loader, whole("")).server.attach);
  const Server moved =
      load_good(loader, whole("[server]\nprocesses = 1\nruntime_dir = \"/r\"\nattach = {}\n")).server;
  EXPECT_EQ(moved.admin, "/r/admin.sock");
  ASSERT_TRUE(moved.attach);
  EXPECT_EQ(moved.attach->socket, "/r/attach.sock");
  EXPECT_EQ(load_good(loader, whole("[server]\nadmin = \"off\"\n")).server.admin, "");
  EXPECT_EQ(load_good(loader, whole("[server]\nadmin = \"unix:/run/a\"\n")).server.admin, "/run/a");
}

TEST(ControlSockets, EveryKeyOfAttachIsTaken) {
  const Loader loader;
  const Attach attach =
      *load_good(loader, whole("[server]\nprocesses = 1\nattach = { socket = \"unix:/run/a\", group = "
                               "\"www-data\", mode = \"0600\", allow_users = [\"root\", \"33\"], "
                               "sockets_per_user = 7, accept_steering = false }\n"))
           .server.attach;
  EXPECT_EQ(attach.socket, "/run/a");
  EXPECT_EQ(attach.group, "www-data");
  EXPECT_EQ(attach.mode, 0600U);
  EXPECT_THAT(attach.allow_users, ElementsAre("root", "33"));
  EXPECT_EQ(attach.sockets_per_user, 7U);
  EXPECT_FALSE(attach.accept_steering);
}

struct ModeCase {
  std::string_view attach;
  std::uint32_t mode;
};

TEST(ControlSockets, WhoMayTryToAttachFollowsFromWhoMay) {
  const Loader loader;
  for (const ModeCase& each : {ModeCase{"{}", 0600U}, ModeCase{"{ group = \"www-data\" }", 0660U},
                               ModeCase{"{ allow_users = [\"33\"] }", 0666U},
                               ModeCase{"{ group = \"www-data\", allow_users = [\"33\"] }", 0660U}}) {
    const std::string text = "[server]\nprocesses = 1\nattach = " + std::string(each.attach) + "\n";
    EXPECT_EQ(load_good(loader, whole(text)).server.attach->mode, each.mode) << each.attach;
  }
}

TEST(ControlSockets, AttachedSocketsAreAListenerThatRoutesMayName) {
  const Loader loader;
  const Config config =
      load_good(loader, whole("[server]\nprocesses = 1\nattach = { accept_steering = false }\n"
                              "[[route]]\npath = \"/a\"\nrespond = \"app\"\nlisten = [\"spawned\"]\n"));
  ASSERT_EQ(config.listen.size(), 2U);
  EXPECT_EQ(config.listen[1].name, "spawned");
  EXPECT_TRUE(std::holds_alternative<AttachedAddress>(config.listen[1].address));
  EXPECT_FALSE(config.listen[1].accept_steering);
  EXPECT_THAT(config.routes[0].listen, ElementsAre("spawned"));
}

TEST(ControlSockets, AHostThatOnlyTakesAttachedSocketsNeedsNoOtherListener) {
  const Loader loader;
  const Config config =
      load_good(loader, "[server]\nprocesses = 1\nattach = {}\n[plugin.app]\n[[route]]\nrespond = \"app\"\n");
  ASSERT_EQ(config.listen.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<AttachedAddress>(config.listen[0].address));
}

TEST(ControlSockets, ASpawnedHostHasNone) {
  const Loader loader;
  Overrides overrides;
  overrides.spawned = true;
  const Config config = load_good(loader, whole("[server]\nattach = {}\n"), overrides);
  EXPECT_EQ(config.server.admin, "");
  EXPECT_FALSE(config.server.attach);
  EXPECT_EQ(config.listen.size(), 1U);
}

TEST(Overrides, ProcessesTakeThePlaceOfTheFiles) {
  const Loader loader;
  Overrides overrides;
  overrides.processes = 0;
  EXPECT_EQ(load_good(loader, whole("[server]\nprocesses = 4\n"), overrides).server.processes, 0U);
}

TEST(Overrides, ASpawnedHostListensOnDescriptorZeroOnly) {
  const Loader loader;
  Overrides overrides;
  overrides.spawned = true;
  const Loaded loaded = loader.load(two_listeners, overrides);
  ASSERT_TRUE(loaded.config) << render_all(loaded);
  ASSERT_EQ(loaded.config->listen.size(), 1U);
  EXPECT_EQ(loaded.config->listen[0].name, "spawned");
  EXPECT_EQ(std::get<DescriptorAddress>(loaded.config->listen[0].address).descriptor, 0);
  EXPECT_THAT(names_of(*loaded.config), ElementsAre("/web", "/all"));
  EXPECT_THAT(loaded.config->routes[0].listen, ElementsAre("spawned"));
}

struct SpawnedCase {
  std::string_view grace;
  std::chrono::milliseconds expected;
};

TEST(Overrides, ASpawnedHostLeavesOutWhatTheFileSaysOfRunningOnItsOwn) {
  const Loader loader;
  Overrides overrides;
  overrides.spawned = true;
  const SpawnedCase cases[] = {
      {"6s", std::chrono::seconds(5)}, {"20s", std::chrono::seconds(5)}, {"2s", std::chrono::seconds(2)}};
  for (const SpawnedCase& each : cases) {
    const std::string text = "[server]\nprocesses = 4\nshutdown_grace = \"" + std::string(each.grace) +
                             "\"\n[log]\ntarget = \"file:/var/log/trivet.log\"\n";
    const Loaded loaded = loader.load(text + std::string(two_listeners), overrides);
    ASSERT_TRUE(loaded.config) << render_all(loaded);
    EXPECT_EQ(loaded.config->server.processes, 0U);
    EXPECT_EQ(loaded.config->server.shutdown_grace, each.expected) << each.grace;
    EXPECT_EQ(loaded.config->log.target, "stderr");
  }
}

}  // namespace
}  // namespace trivet::config
