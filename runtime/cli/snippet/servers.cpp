#include "runtime/cli/snippet/servers.hpp"

#include "runtime/cli/snippet/apache.hpp"

namespace trivet::cli::snippet {
namespace {

Abilities asking(bool (*can_name)(std::string_view)) {
  Abilities abilities;
  abilities.can_name = can_name;
  return abilities;
}

Abilities mod_fcgid() {
  Abilities abilities = asking(apache_can_name);
  abilities.attaches = true;
  return abilities;
}

Abilities authnz() {
  Abilities abilities = asking(apache_can_name);
  abilities.tcp_only = true;
  return abilities;
}

Abilities not_asking() {
  Abilities abilities;
  abilities.asks = false;
  return abilities;
}

}  // namespace

const std::array<WebServer, 8>& web_servers() {
  static const std::array<WebServer, 8> all = {{
      {"apache-mod_fcgid", "Apache; it starts `trivet attach`", mod_fcgid, write_mod_fcgid},
      {"apache-authnz", "Apache with mod_authnz_fcgi and mod_proxy_fcgi, over TCP", authnz, write_authnz},
      {"apache-proxy", "Apache with mod_proxy_fcgi, which asks no authorizer", not_asking, write_proxy},
      {"nginx", "fastcgi_pass and auth_request",
       [] { return asking([](std::string_view name) { return nginx_value(name).has_value(); }); },
       write_nginx},
      {"lighttpd", "mod_fastcgi, as responder and as authorizer",
       [] { return asking([](std::string_view name) { return lighttpd_text(name).has_value(); }); },
       write_lighttpd},
      {"caddy", "reverse_proxy and forward_auth",
       [] { return asking([](std::string_view name) { return caddy_word(name).has_value(); }); },
       write_caddy},
      {"haproxy", "fcgi-app, and an authorizer in Lua",
       [] { return asking([](std::string_view) { return true; }); }, write_haproxy},
      {"h2o", "fastcgi.connect, which asks no authorizer", not_asking, write_h2o},
  }};
  return all;
}

}  // namespace trivet::cli::snippet
