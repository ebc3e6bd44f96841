#include <algorithm>

#include "runtime/config/address.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

void read_address_of(TableReader& reader, Application& out) {
  const Entry* entry = reader.text("fastcgi", out.text);
  if (entry == nullptr) return;
  auto read = read_address(out.text);
  if (auto* problem = std::get_if<AddressProblem>(&read)) {
    reader.sink().error(entry->value.span, problem->message, std::move(problem->hint));
    return;
  }
  out.address = std::move(std::get<Address>(read));
  if (std::holds_alternative<UnixAddress>(out.address) || std::holds_alternative<TcpAddress>(out.address))
    return;
  reader.sink().error(entry->value.span,
                      in_quotes(out.text) + " is where a host listens, not where an application does",
                      "unix:/run/php/php-fpm.sock or tcp:127.0.0.1:9000, say");
}

/// Names of scripts: what they end with is what a script ends with.
void read_index(TableReader& reader, Application& out) {
  std::vector<NameAt> names;
  const Entry* entry = reader.texts("index", ListRule::some_distinct, names);
  if (entry == nullptr) return;
  if (reader.find("root") == nullptr) {
    reader.sink().error(entry->key_span, "`index` without `root`: the web server says which script runs");
  }
  out.index.clear();
  for (NameAt& each : names) {
    const std::size_t dot = each.name.rfind('.');
    const bool has_ending = dot != std::string::npos && dot != 0 && dot + 1 != each.name.size();
    if (!has_ending || each.name.find('/') != std::string::npos) {
      reader.sink().error(each.span, in_quotes(each.name) + " is not the name of a script with an ending",
                          "such as \"index.php\": only what ends like it is a script");
    } else {
      out.index.push_back(std::move(each.name));
    }
  }
}

}  // namespace

void read_application(TableReader& reader, RouteDraft& out) {
  Application application;
  const Entry* key = reader.find("fastcgi");
  application.place = reader.sink().place(key->value.span);
  read_address_of(reader, application);
  reader.absolute_path("root", application.root);
  read_index(reader, application);
  std::int64_t connections = application.connections;
  reader.integer("connections", {1, 10'000}, connections);
  application.connections = static_cast<std::uint32_t>(connections);
  reader.duration("connect_timeout", any_duration, application.connect_timeout);
  reader.duration_or_off("timeout", any_duration, application.timeout);
  reader.duration("idle_time", any_duration, application.idle_time);
  reader.boolean("stream", application.stream);
  out.route.fastcgi = std::move(application);
}

}  // namespace trivet::config
