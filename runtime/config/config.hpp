#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/base/network.hpp"
#include "runtime/base/zone_layout.hpp"

/// The configuration as plain values, checked, with the place in the file that each came from.
namespace trivet::config {

/// Where a value stands: 1-based; column counts code points.
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// Who runs plugins, looked up: `user` and `group`.
struct Account {
  std::string name;  ///< As written.
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::vector<std::uint32_t> groups;  ///< All of them, `group` too.
  Place place;
};

/// `attach`: where `trivet attach` hands over the sockets that a web server gave it.
struct Attach {
  std::string socket;                    ///< Its path.
  std::optional<std::string> group;      ///< Of the socket; its members may attach.
  std::uint32_t mode = 0600;             ///< Permission bits: who may try.
  std::vector<std::string> allow_users;  ///< Who may attach beside root, the host's user and the group.
  std::uint32_t sockets_per_user = 1000;
  bool accept_steering = true;
  Place place;
};

struct Server {
  std::optional<Account> account;  ///< Absent: the user who starts the host.
  std::uint32_t processes = 0;
  std::string runtime_dir = "/run/trivet";
  std::string admin = "/run/trivet/admin.sock";  ///< The path of the admin socket; empty: there is none.
  std::optional<Attach> attach;
  std::string plugin_cache = "/var/lib/trivet/plugins";
  std::vector<std::string> plugin_path = {"/usr/lib/trivet/plugins"};
  std::chrono::milliseconds shutdown_grace = std::chrono::seconds(6);
  std::chrono::milliseconds reload_grace = std::chrono::seconds(30);
  std::uint64_t max_requests = 0;           ///< After these a worker is replaced; 0: never.
  std::optional<std::uint64_t> max_memory;  ///< Resident bytes after which it is. Absent: "off".
  /// How long a worker's loop may stand still. Absent: "off".
  std::optional<std::chrono::milliseconds> watchdog = std::chrono::seconds(30);
  std::chrono::milliseconds start_timeout = std::chrono::seconds(60);  ///< Of a worker, until it is ready.
};

struct UnixAddress {
  std::string path;
};
struct TcpAddress {
  std::string host;  ///< A numeric address, IPv6 without brackets.
  std::uint16_t port = 0;
  bool loopback = false;
};
struct DescriptorAddress {
  int descriptor = 0;
};
/// Every socket that the service manager passes under this name (FileDescriptorName= of a .socket unit).
struct SystemdAddress {
  std::string name;
};
/// The sockets that `trivet attach` hands over while the host runs: nothing to open. No text means this.
struct AttachedAddress {};
/// unix:PATH | tcp:HOST:PORT | fd:N | systemd:NAME
using Address = std::variant<UnixAddress, TcpAddress, DescriptorAddress, SystemdAddress, AttachedAddress>;

struct Listen {
  std::string name;  ///< Default: the address as written.
  std::string text;  ///< The address as written.
  Address address;
  std::optional<std::uint32_t> mode;      ///< unix: permission bits, default 0660
  std::optional<std::string> group;       ///< unix
  std::vector<std::string> allow_users;   ///< unix: who may connect, by name or number; empty: any
  std::vector<base::Network> allow_from;  ///< tcp: from where; empty: any
  int backlog = 4096;
  bool accept_steering = true;
  Place place;
};

/// A plugin's own settings: what TOML can say.
struct Setting;
using SettingList = std::vector<Setting>;
using SettingTable = std::map<std::string, Setting, std::less<>>;
struct Setting {
  std::variant<std::string, std::int64_t, double, bool, SettingList, SettingTable> value;
  Place place;
};

/// `[plugin.NAME]`.
struct Plugin {
  std::string name;
  std::string file;                      ///< As written, or NAME.so.
  std::string path;                      ///< Where it was found: absolute.
  std::string copy;                      ///< What is loaded in its place; empty: there is no copy yet.
  std::optional<std::uint32_t> threads;  ///< 0 = on the loop. Absent: 0 if the plugin never blocks, else 4.
  std::uint32_t queue = 256;
  std::optional<std::chrono::milliseconds> timeout = std::chrono::seconds(2);  ///< Absent: "off".
  bool exclusive = false;  ///< Its file says that one process at a time can have it.
  SettingTable settings;
  Place place;
};

/// `[zone.NAME]`: memory that plugins share over threads, workers and generations.
struct Zone {
  std::string name;
  base::ZoneLayout layout;
  Place place;
};
/// Each is a descriptor in one message to a worker.
inline constexpr std::size_t most_zones = 64;

/// `cache` of a guard: how long its verdicts are remembered. A bound of zero remembers none of that kind.
struct VerdictCache {
  std::chrono::milliseconds ttl = std::chrono::seconds(5);
  std::chrono::milliseconds deny_ttl = std::chrono::seconds(1);
  std::uint32_t entries = 10000;  ///< Of each kind, per worker.
  std::vector<std::string> key;   ///< Parameters that belong to the key whether or not the guard reads them.
};

/// One entry of `authorize`: a guard, or guards of which all or any have to allow.
struct Guard {
  enum class Kind : std::uint8_t { plugin, allow, deny, all, any };
  Kind kind = Kind::plugin;
  std::string plugin;
  Place place;
  std::vector<std::string> methods;   ///< Others leave it out; empty: none is left out. GET includes HEAD.
  bool allow_on_error = false;        ///< on_error = "allow"
  bool shadow = false;                ///< It is asked, logged and counted, and decides nothing.
  std::optional<VerdictCache> cache;  ///< Of a plugin.
  std::vector<Guard> guards;          ///< Of all and any, in order.
};

/// `respond = { files = ... }`
struct Files {
  std::string root;       ///< Absolute: the folder that `**` of the route's path stands for, or the one file.
  bool one_file = false;  ///< The route's path is a single one.
  std::vector<std::string> index = {"index.html"};  ///< In order.
  bool serve_hidden = false;                        ///< Names that begin with a dot.
  std::string charset = "utf-8";                    ///< Of text/*. Empty: it is not said.
  Place place;
};

/// `respond = { fastcgi = ... }`: another FastCGI application.
struct Application {
  std::string text;  ///< Its address as written.
  Address address;   ///< unix or tcp
  std::string
      root;  ///< Where its scripts lie: SCRIPT_FILENAME is made from it. Empty: as the web server says.
  std::vector<std::string> index = {"index.php"};
  std::uint32_t connections = 64;  ///< To the application, per worker.
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(5);
  std::optional<std::chrono::milliseconds> timeout =
      std::chrono::seconds(60);  ///< Until its head. Absent: off.
  /// For which an unused connection is kept: it holds one of PHP-FPM's processes, which others may wait for.
  std::chrono::milliseconds idle_time = std::chrono::seconds(1);
  bool stream = false;  ///< A body without a length is not collected first.
  Place place;
};

/// One entry of `filter`: a plugin, and the responses that it is for.
struct FilterStage {
  enum class OnEncoded : std::uint8_t { fail, skip };
  std::string plugin;
  Place place = {};
  std::vector<std::string> types = {};     ///< Media types, "text/*" too; empty: all.
  std::vector<std::string> methods = {};   ///< Empty: all; GET includes HEAD.
  std::vector<std::uint32_t> status = {};  ///< Empty: all.
  std::uint64_t min_size = 0;              ///< A response that is known to be smaller is left as it is.
  OnEncoded on_encoded =
      OnEncoded::fail;  ///< What to do about a Content-Encoding that the plugin cannot read.
};

enum class Slice : std::uint8_t { responder, authorizer, filter };

/// Which of its three questions Apache's authorizer request asks: FCGI_APACHE_ROLE.
enum class Phase : std::uint8_t { access_checker, authenticator, authorizer };

struct Route {
  std::string name;
  std::vector<std::string> listen;  ///< Listener names; empty: all.
  std::string path = "/**";
  std::vector<std::string> hosts;    ///< Lower case; empty: all.
  std::vector<std::string> methods;  ///< Empty: all; GET includes HEAD.
  std::vector<Phase> phases;         ///< Empty: all requests, also those that are in no phase.
  std::vector<Guard> authorize;      ///< In order, every one has to allow. Empty: the key is absent.
  std::vector<Slice> authorize_on = {Slice::authorizer, Slice::responder, Slice::filter};
  std::vector<std::string> variables;
  std::optional<std::string> respond;  ///< A responder plugin. Of this and the next two at most one is there.
  std::optional<Files> files;
  std::optional<Application> fastcgi;
  std::vector<FilterStage> filter;                                              ///< In order.
  bool allow_odd_paths = false;                                                 ///< odd_paths = "allow"
  std::optional<std::chrono::milliseconds> timeout = std::chrono::seconds(30);  ///< Absent: "off".
  Place place;

  [[nodiscard]] bool has_source() const noexcept {
    return respond.has_value() || files.has_value() || fastcgi.has_value();
  }
  [[nodiscard]] bool guarded_on(Slice slice) const noexcept {
    for (const Slice each : authorize_on) {
      if (each == slice) return !authorize.empty();
    }
    return false;
  }
};

struct Log {
  enum class Level : std::uint8_t { trace, debug, info, warn, error, off };
  enum class Format : std::uint8_t { text, json };
  Level level = Level::info;
  Format format = Format::text;
  std::string target = "stderr";                 ///< stderr | syslog | file:PATH
  std::string access = "off";                    ///< off | stderr | file:PATH
  std::chrono::milliseconds access_flush{1000};  ///< How long its lines may wait for others; 0: not at all.
  std::vector<std::string> redact = {"HTTP_AUTHORIZATION", "HTTP_COOKIE", "REMOTE_PASSWD", "AUTH_PASSWORD"};
  std::optional<std::uint32_t> owner;  ///< Whom files that are made are for: `user`.
  std::string request_id;  ///< The parameter a request's id is taken from; empty: made by the host.
};

struct Config {
  std::string file;
  Server server;
  std::vector<Listen> listen;
  base::Limits limits;
  std::string spool_dir = "/var/lib/trivet/spool";
  std::vector<Zone> zones;
  std::vector<Plugin> plugins;
  std::vector<Route> routes;  ///< In file order: the first match wins.
  Log log;
  /// FCGI_WEB_SERVER_ADDRS, where it is set: nobody else may connect to any listener.
  std::optional<std::vector<base::Network>> web_servers;
};

/// Some plugin of it is exclusive: there is one process at most.
[[nodiscard]] bool has_exclusive(const Config& config) noexcept;

}  // namespace trivet::config
