#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/host/admin_protocol.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::cli {

/// What a shell is told (sysexits.h where it has a word for it).
enum ExitCode : int {
  exit_ok = 0,
  exit_failed = 1,          ///< The asked thing failed.
  exit_usage = 64,          ///< The command line is wrong.
  exit_unreachable = 69,    ///< Nobody answers at the address.
  exit_internal = 70,       ///< A bug.
  exit_configuration = 78,  ///< The configuration is invalid.
};

struct ServeCommand {
  std::string config_file = "/etc/trivet/trivet.toml";
  std::vector<std::string> listen;
  std::optional<std::uint32_t> processes;
};

struct CheckCommand {
  std::string config_file = "/etc/trivet/trivet.toml";
  bool json = false;
  bool load = false;  ///< Also load the plugins and make their instances.
};

struct ExplainCommand {
  std::string config_file = "/etc/trivet/trivet.toml";
  std::string method;
  std::string uri;
  std::string listener;  ///< By name; empty: the first.
  protocol::Role role = protocol::Role::responder;
  std::vector<std::pair<std::string, std::string>> params;  ///< As those of a call.
  std::vector<std::string> without;
};

struct SnippetCommand {
  std::string config_file = "/etc/trivet/trivet.toml";
  std::string server;
  std::string host;      ///< The virtual host; empty: none is known.
  std::string listener;  ///< By name; empty: the first that fits.
};

struct CallCommand {
  std::string address;
  std::string uri = "/";
  protocol::Role role = protocol::Role::responder;
  std::string method;                                       ///< Empty: GET, or POST with a body.
  std::vector<std::pair<std::string, std::string>> params;  ///< Added, or in place of a usual one.
  std::vector<std::string> without;                         ///< Usual ones that are left out.
  std::optional<std::string> body;                          ///< TEXT, @FILE, or @- for standard input.
  std::optional<std::string> data;                          ///< TEXT, @FILE, or - or @- for standard input.
  bool show_head = false;
  bool fail_on_status = false;
  bool trace = false;
  std::chrono::milliseconds timeout = std::chrono::seconds(30);  ///< While no byte moves.
};

struct ConformCommand {
  std::string address;
  std::string responder = "/";
  std::string authorizer;                                  ///< Empty: its cases are skipped.
  std::string filter;                                      ///< The same.
  std::vector<std::pair<std::string, std::string>> grant;  ///< What makes the authorizer say yes.
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<std::string> without;
  std::vector<std::string> only;  ///< Cases; empty: all.
  std::optional<std::chrono::milliseconds> idle_timeout;
  std::chrono::milliseconds timeout = std::chrono::seconds(3);
  int process = 0;  ///< 0: the one that listens on the unix socket.
  bool look_at_memory = true;
  bool list = false;
};

struct BenchCommand {
  std::string address;
  std::string uri = "/";
  protocol::Role role = protocol::Role::responder;
  std::string method;  ///< Empty: GET, or POST with a body.
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<std::string> without;
  std::uint32_t connections = 1;
  std::uint32_t at_a_time = 1;   ///< Requests on one connection.
  bool new_connections = false;  ///< One for each request.
  std::optional<std::chrono::milliseconds> duration;
  std::optional<std::uint64_t> requests;
  std::optional<std::uint64_t> per_second;  ///< Absent: the next starts when one has ended.
  std::optional<std::uint64_t> body;        ///< In bytes.
  std::uint64_t data = 0;
  std::optional<int> expect_status;
  bool any_body = false;
  std::chrono::milliseconds timeout{};
  bool json = false;
};

/// Something that is asked of a running host.
struct AdminCommand {
  host::AdminRequest request;
  std::string address;      ///< Of the admin socket; empty: the one that `config_file` names.
  std::string config_file;  ///< Empty: none; without an address either, it is the default one.
};

struct AttachCommand {
  std::string address = "unix:/run/trivet/attach.sock";
};

/// Told and done: help, version, or a wrong command line.
struct Finished {
  int code;
};

using Command = std::variant<Finished, ServeCommand, CheckCommand, ExplainCommand, CallCommand,
                             ConformCommand, BenchCommand, AdminCommand, AttachCommand, SnippetCommand>;

}  // namespace trivet::cli
