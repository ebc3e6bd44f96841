#include "runtime/config/address.hpp"
#include "runtime/config/environment.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// The path of `address` where that is a unix socket; else the reason is told at `span`.
std::optional<std::string> unix_path(Sink& sink, const Span& span, std::string_view key,
                                     const std::string& address, std::string_view hint) {
  auto read = read_address(address);
  if (auto* problem = std::get_if<AddressProblem>(&read)) {
    // Most kinds of address are none here.
    const bool lists_all = problem->hint.starts_with("accepted");
    sink.error(span, std::move(problem->message), lists_all ? std::string(hint) : std::move(problem->hint));
    return std::nullopt;
  }
  if (auto* local = std::get_if<UnixAddress>(&std::get<Address>(read))) return std::move(local->path);
  sink.error(span, '`' + std::string(key) + "` is " + in_quotes(address) + ", not a unix socket",
             std::string(hint));
  return std::nullopt;
}

/// Where a socket is that the file does not name: NAME in runtime_dir.
std::string default_path(TableReader& reader, const std::string& runtime_dir, std::string_view key,
                         std::string_view name) {
  const std::string path = runtime_dir + "/" + std::string(name);
  const Entry* entry = reader.find("runtime_dir");
  if (entry != nullptr) {
    auto read = read_address("unix:" + path);
    if (std::holds_alternative<AddressProblem>(read)) {
      reader.sink().error(
          entry->value.span,
          "`runtime_dir` is too long for the socket " + in_quotes(path) + ": 107 bytes at most",
          "name a shorter path by `" + std::string(key) + '`');
    }
  }
  return path;
}

void read_admin(TableReader& reader, Server& out) {
  std::string address;
  const Entry* entry = reader.text("admin", address);
  if (entry == nullptr) {
    if (reader.find("admin") == nullptr)
      out.admin = default_path(reader, out.runtime_dir, "admin", "admin.sock");
    return;
  }
  if (address == "off") {
    out.admin.clear();
    return;
  }
  const auto path = unix_path(reader.sink(), entry->value.span, "admin", address,
                              "unix:/run/trivet/admin.sock, say, or \"off\"");
  if (path) out.admin = *path;
}

void read_attach(TableReader& server, Server& out) {
  const Entry* entry = server.find("attach");
  if (entry == nullptr) return;
  if (entry->value.table() == nullptr) {
    server.sink().error(entry->value.span, "`attach` expects a table, found " + describe(entry->value),
                        "attach = { group = \"www-data\" }, with the group of the web server");
    return;
  }
  Attach attach;
  attach.place = server.sink().place(entry->key_span);
  TableReader reader(server.sink(), *entry->value.table(), "`attach`");
  std::string address;
  const Entry* socket = reader.text("socket", address);
  if (socket != nullptr) {
    attach.socket =
        unix_path(reader.sink(), socket->value.span, "socket", address, "unix:/run/trivet/attach.sock, say")
            .value_or("");
  } else if (reader.find("socket") == nullptr) {
    attach.socket = default_path(server, out.runtime_dir, "socket", "attach.sock");
  }
  std::string group;
  if (reader.text("group", group) != nullptr) attach.group = std::move(group);
  std::vector<NameAt> users;
  reader.texts("allow_users", ListRule::some, users);
  for (NameAt& each : users) attach.allow_users.push_back(std::move(each.name));
  std::optional<std::uint32_t> mode;
  read_mode(reader, mode);
  attach.mode = mode.value_or(attach.group ? 0660 : attach.allow_users.empty() ? 0600 : 0666);
  std::int64_t most = attach.sockets_per_user;
  reader.integer("sockets_per_user", {1, 100'000}, most);
  attach.sockets_per_user = static_cast<std::uint32_t>(most);
  reader.boolean("accept_steering", attach.accept_steering);
  reader.finish();
  if (!attach.socket.empty() && attach.socket == out.admin) {
    server.sink().error(entry->key_span, "`attach` and `admin` are one socket, " + in_quotes(attach.socket),
                        "whoever may attach must not command the host");
  }
  out.attach = std::move(attach);
}

}  // namespace

void read_control(TableReader& reader, Server& out) {
  read_admin(reader, out);
  read_attach(reader, out);
}

void read_admin_alone(Sink& sink, const Table& table, Server& out) {
  Table alone;
  for (const Entry& each : table) {
    if (each.key != "admin" && each.key != "runtime_dir") continue;
    fill_in_environment(sink, alone.emplace_back(each).value);
  }
  TableReader reader(sink, alone, "[server]");
  reader.absolute_path("runtime_dir", out.runtime_dir);
  read_admin(reader, out);
}

void check_attach(Sink& sink, const Table& table, const Server& server, const Overrides& overrides) {
  if (!server.attach || server.processes > 0 || overrides.spawned) return;
  for (const Entry& each : table) {
    if (each.key != "attach") continue;
    sink.warning(each.key_span, "`attach` has no effect: a host of one process takes no sockets over",
                 "set `processes` to 1 or more");
  }
}

}  // namespace trivet::config
