#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/config/config.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/schema.hpp"
#include "runtime/config/sink.hpp"
#include "runtime/config/table_reader.hpp"

namespace trivet::config {

/// A route while its names are not yet looked up.
struct RouteDraft {
  Route route;  ///< Complete but for `listen`.
  Span span;    ///< Its header.
  Span name_span;
  Span path_span;
  bool has_path = false;
  bool has_name = false;
  std::vector<NameAt> listen;
  std::vector<NameAt> guards;  ///< All that `authorize` names, however deep.
  std::optional<NameAt> respond;
  Span files_span;  ///< Of the root.
  std::vector<NameAt> filter;
};

struct PluginDraft {
  Plugin plugin;
  Span span;
  Span file_span;  ///< Of `file`, or of the header without.
  Span threads_span;
  const Entry* settings = nullptr;  ///< `config`, in the document that was read; null: absent.
};

struct ListenDraft {
  Listen listen;
  Span span;
  Span name_span;  ///< Unknown without `name`.
  Span address_span;
  bool valid = false;  ///< The address was understood.
};

/// What the file says, section by section, before the sections are held against each other.
struct Draft {
  Config config;
  bool has_listen = false;  ///< The key is there, whatever it holds.
  std::vector<ListenDraft> listen;
  std::vector<PluginDraft> plugins;
  std::vector<RouteDraft> routes;
};

/// Permission bits, as octal text. Null where the key is absent or wrong.
const Entry* read_mode(TableReader& reader, std::optional<std::uint32_t>& out);
/// `admin` and `attach` of [server]; runtime_dir was read.
void read_control(TableReader& reader, Server& out);
/// `admin`, and `runtime_dir` for its default, and nothing else.
void read_admin_alone(Sink& sink, const Table& table, Server& out);
/// Warns where nobody would serve `attach`.
void check_attach(Sink& sink, const Table& table, const Server& server, const Overrides& overrides);
/// `account`: what `user` and `group` were looked up to be; null: they are looked up.
void read_server(Sink& sink, const Table& table, Server& out, const Account* account);
void read_listen(Sink& sink, const Table& table, const Span& span, ListenDraft& out);
/// A listener from the command line.
void add_listen_option(Sink& sink, const std::string& address, std::vector<ListenDraft>& out);
/// spool_dir stands in [limits] too.
void read_limits(Sink& sink, const Table& table, base::Limits& out, std::string& spool_dir);
/// Every [zone.NAME].
void read_zones(Sink& sink, const Table& table, std::vector<Zone>& out);
void read_plugin(Sink& sink, const Table& table, const Entry& entry, PluginDraft& out);
void read_route(Sink& sink, const Table& table, const Span& span, RouteDraft& out);
/// `respond` of a route whose path was read.
void read_respond(TableReader& reader, RouteDraft& out);
/// `methods`, of routes and guards.
void read_methods(TableReader& reader, std::vector<std::string>& out);
/// `filter`.
void read_filters(TableReader& reader, RouteDraft& out);
/// `authorize`.
void read_guards(TableReader& reader, RouteDraft& out);
/// `respond = { fastcgi = ... }`: its table, in which `fastcgi` is.
void read_application(TableReader& reader, RouteDraft& out);
void read_log(Sink& sink, const Table& table, Log& out);

/// Names: unique where they have to be, known where they are used. Moves the drafts into their Config; routes
/// of listeners that --listen replaced are left out.
void resolve(Sink& sink, Draft& draft, const Overrides& overrides);
/// Finds the file of each plugin.
void locate_plugins(Sink& sink, const Server& server, std::vector<PluginDraft>& plugins);
/// Looks whether the folders and files of `files` are there.
void locate_files(Sink& sink, const std::vector<RouteDraft>& routes);
/// Settings that the plugin does not have or cannot take, and roles that it is not; notes who is exclusive.
void check_plugin_facts(Sink& sink, Draft& draft, const LookAtPlugin& look);
/// With an exclusive plugin there is one process: by itself where the file does not say how many.
void settle_processes(Sink& sink, const Table* server, const Overrides& overrides, Draft& draft);
/// Warns of plugins that no route uses.
void check_unused(Sink& sink, const Draft& draft);
/// Warns of routes that no path leads to, and of guards that a client gets around by another Host.
void check_shadowing(Sink& sink, const std::vector<RouteDraft>& routes);

/// Range of every time that may be chosen: a millisecond to a day.
inline constexpr DurationRange any_duration{std::chrono::milliseconds(1), std::chrono::hours(24)};

}  // namespace trivet::config
