#include "runtime/config/address.hpp"
#include "runtime/config/network.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"

namespace trivet::config {
namespace {

bool is_unix(const ListenDraft& draft) { return std::holds_alternative<UnixAddress>(draft.listen.address); }

bool is_open_tcp(const Address& address) {
  const auto* tcp = std::get_if<TcpAddress>(&address);
  return tcp != nullptr && !tcp->loopback;
}

constexpr std::string_view open_tcp_message = " is not a loopback address: say who may connect";

void read_address_key(TableReader& reader, const Span& span, ListenDraft& out) {
  if (reader.text("address", out.listen.text) == nullptr) {
    if (reader.find("address") == nullptr) {
      reader.sink().error(span, "[[listen]] has no `address`",
                          "address = \"unix:/run/trivet/trivet.sock\", say");
    }
    return;
  }
  out.address_span = reader.find("address")->value.span;
  auto read = read_address(out.listen.text);
  if (auto* problem = std::get_if<AddressProblem>(&read)) {
    reader.sink().error(out.address_span, std::move(problem->message), std::move(problem->hint));
    return;
  }
  out.listen.address = std::get<Address>(std::move(read));
  out.valid = true;
}

void read_allow_from(TableReader& reader, ListenDraft& out) {
  std::vector<NameAt> networks;
  const Entry* entry = reader.texts("allow_from", ListRule::some, networks);
  for (const NameAt& each : networks) {
    auto read = read_network(each.name);
    if (auto* problem = std::get_if<AddressProblem>(&read)) {
      reader.sink().error(each.span, std::move(problem->message), std::move(problem->hint));
    } else {
      out.listen.allow_from.push_back(std::get<base::Network>(read));
    }
  }
  if (out.valid && entry == nullptr && reader.find("allow_from") == nullptr &&
      is_open_tcp(out.listen.address)) {
    reader.sink().error(out.address_span, in_quotes(out.listen.text) + std::string(open_tcp_message),
                        "allow_from = [\"192.0.2.10\"], with the addresses of the web servers");
  }
}

void read_allow_users(TableReader& reader, ListenDraft& out) {
  std::vector<NameAt> users;
  reader.texts("allow_users", ListRule::some, users);
  for (NameAt& each : users) out.listen.allow_users.push_back(std::move(each.name));
}

/// Keys that only one kind of socket can have. What kind a socket from elsewhere is, is seen when it is
/// opened.
void check_kind(TableReader& reader, const ListenDraft& draft) {
  const auto refuse = [&](std::initializer_list<std::string_view> keys, std::string_view kind) {
    for (const std::string_view key : keys) {
      const Entry* entry = reader.find(key);
      if (entry == nullptr) continue;
      reader.sink().error(entry->key_span, '`' + std::string(key) + "` is for " + std::string(kind) +
                                               " addresses, this is " + in_quotes(draft.listen.text));
    }
  };
  if (!is_unix(draft)) refuse({"mode", "group"}, "unix:");
  if (std::holds_alternative<TcpAddress>(draft.listen.address)) refuse({"allow_users"}, "unix:");
  if (is_unix(draft)) refuse({"allow_from"}, "tcp:");
}

}  // namespace

const Entry* read_mode(TableReader& reader, std::optional<std::uint32_t>& out) {
  const Entry* entry = reader.find("mode");
  if (entry == nullptr) return nullptr;
  const Span& span = entry->value.span;
  if (const auto* number = std::get_if<std::int64_t>(&entry->value.value)) {
    reader.sink().error(
        span, "`mode` expects an octal text such as \"0660\", found the integer " + std::to_string(*number));
    return nullptr;
  }
  const std::string* text = reader.as_text(entry->value, "mode");
  if (text == nullptr) return nullptr;
  out = parse_mode(*text);
  if (out) return entry;
  reader.sink().error(span, "`mode` is " + in_quotes(*text) + ", not an octal text of at most \"0777\"",
                      "\"0660\": its user and its group");
  return nullptr;
}

void read_listen(Sink& sink, const Table& table, const Span& span, ListenDraft& out) {
  TableReader reader(sink, table, "[[listen]]");
  out.span = span;
  out.listen.place = sink.place(span);
  const Entry* name = reader.text("name", out.listen.name);
  read_address_key(reader, span, out);
  if (name == nullptr) out.listen.name = out.listen.text;
  if (name != nullptr) out.name_span = name->value.span;
  if (name != nullptr && out.listen.name == "spawned") {
    sink.error(name->value.span,
               "the name \"spawned\" is taken: it is the socket that a spawning web server passes");
  }
  const Entry* mode = read_mode(reader, out.listen.mode);
  if (mode != nullptr && (*out.listen.mode & 0002U) != 0) {
    sink.warning(mode->value.span, "every user of this machine can connect, and so pose as the web server",
                 "\"0660\" and `group`, if the web server runs in one");
  }
  std::string group;
  const Entry* group_entry = reader.text("group", group);
  if (group_entry != nullptr) out.listen.group = group;
  read_allow_users(reader, out);
  read_allow_from(reader, out);
  if (out.valid) check_kind(reader, out);
  std::int64_t backlog = out.listen.backlog;
  reader.integer("backlog", {1, 65535}, backlog);
  out.listen.backlog = static_cast<int>(backlog);
  reader.boolean("accept_steering", out.listen.accept_steering);
  reader.finish();
}

void add_listen_option(Sink& sink, const std::string& address, std::vector<ListenDraft>& out) {
  auto read = read_address(address);
  if (auto* problem = std::get_if<AddressProblem>(&read)) {
    sink.option_error("--listen", std::move(problem->message), std::move(problem->hint));
    return;
  }
  ListenDraft draft;
  draft.listen.name = address;
  draft.listen.text = address;
  draft.listen.address = std::get<Address>(std::move(read));
  draft.listen.place.file = "--listen";
  draft.valid = true;
  if (is_open_tcp(draft.listen.address)) {
    sink.option_error("--listen", in_quotes(address) + std::string(open_tcp_message),
                      "a [[listen]] with `allow_from`");
  }
  out.push_back(std::move(draft));
}

}  // namespace trivet::config
