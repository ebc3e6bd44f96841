#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "runtime/cli/snippet_command.hpp"
#include "runtime/config/load.hpp"

namespace trivet::cli {
namespace {

constexpr std::string_view site = R"([server]
processes = 1
attach = { group = "root" }
[[listen]]
name = "web"
address = "unix:/run/x.sock"
[[listen]]
name = "tcp"
address = "tcp:127.0.0.1:9000"
[plugin.app]
file = "/bin/true"
[plugin.key]
file = "/bin/true"
[[route]]
name = "open"
path = "/a/open/**"
respond = "app"
[[route]]
name = "a b"
path = "/a/**"
authorize = "key"
variables = ["REMOTE_USER"]
[[route]]
name = "asked"
path = "/x/*"
authorize = "key"
authorize_on = ["authorizer"]
variables = ["N"]
respond = "app"
)";

struct Golden {
  const char* name;
  const char* server;
  const char* from;  ///< Where the expected text begins; empty: behind the heading.
  const char* text;
};

std::string without(std::string text, const std::string& regex, const char* in_place) {
  return std::regex_replace(text, std::regex(regex), in_place);
}

class Snippets : public testing::TestWithParam<Golden> {};

/// The program's own path is /PROGRAM; what nginx's locations have in common is left out.
TEST_P(Snippets, SayTheSameInEachLanguage) {
  const Golden& each = GetParam();
  const config::Loaded loaded = config::load_text(site, "t.toml");
  ASSERT_TRUE(loaded.config) << config::render_all(loaded);
  SnippetCommand command;
  command.server = each.server;
  const auto made = make_snippet(*loaded.config, command);
  ASSERT_TRUE(made) << made.error().message;
  const std::string& all = made.value();
  std::string text = *each.from == 0 ? all.substr(all.find("\n\n") + 2) : all.substr(all.find(each.from));
  text = without(text, "\"[^\" ]*/[^\" ]* attach", "\"/PROGRAM attach");
  if (each.server == std::string_view("nginx")) {
    text = without(text, "(    fastcgi_param (?!N |REMOTE_USER)[^\n]*\n)+", "    ...\n");
    text = without(text, "    fastcgi_(buffer_size|buffers|read_timeout)[^\n]*\n", "");
  }
  EXPECT_EQ(text, each.text);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Snippets,
    testing::Values(
        Golden{"Nginx", "nginx", "# \"open\"", R"TEXT(# "open" (t.toml:14), /a/open/**: Trivet answers
location = "/a/open" {
    try_files /_trivet/nothing @trivet;
}
location ^~ "/a/open/" {
    try_files /_trivet/nothing @trivet;
}

# "a b" (t.toml:18), /a/**: nginx serves what Trivet allows
location = /_trivet/auth/2 {
    internal;
    set $trivet_query "";
    if ($request_uri ~ "[?](.*)$") { set $trivet_query $1; }
    ...
    fastcgi_pass_request_body off;
    error_page 599 /_trivet/nothing;
    fastcgi_intercept_errors off;
    fastcgi_cache off;                  # what one client may see, another may not
    fastcgi_pass unix:/run/x.sock;
}
location = "/a" {
    absolute_redirect off;
    return 301 $uri/$is_args$args;
}
location ^~ "/a/" {
    auth_request /_trivet/auth/2;
    error_page 401 = @trivet_denied;
    # add_header Set-Cookie $trivet_cookie;  # a guard that renews a cookie; hides add_header of outside
    include trivet.d/a%20b.con[f];  # what answers, where that is not the files in `root`
    fastcgi_param REMOTE_USER $trivet_var_remote_user;
    ...
    proxy_set_header Remote-User $trivet_var_remote_user;
}

# "asked" (t.toml:23), /x/*: Trivet is asked, and then answers
location = /_trivet/auth/3 {
    internal;
    set $trivet_query "";
    if ($request_uri ~ "[?](.*)$") { set $trivet_query $1; }
    ...
    fastcgi_pass_request_body off;
    error_page 599 /_trivet/nothing;
    fastcgi_intercept_errors off;
    fastcgi_cache off;                  # what one client may see, another may not
    fastcgi_pass unix:/run/x.sock;
}
location ~ "^/x/[^/]*(?:/|$)" {
    auth_request /_trivet/auth/3;
    error_page 401 = @trivet_denied;
    ...
    fastcgi_param N $trivet_var_n;
    ...
    fastcgi_intercept_errors off;
    fastcgi_cache off;                  # what one client may see, another may not
    fastcgi_pass unix:/run/x.sock;
}
)TEXT"},
        Golden{"ModFcgid", "apache-mod_fcgid", "", R"TEXT(FcgidMaxRequestLen 1073741824
FcgidIOTimeout 90

# "open" (t.toml:14), /a/open/**: Trivet answers
<Location "/a/open">
  SetHandler fcgid-script
  FcgidWrapper "/PROGRAM attach" virtual
  Options +ExecCGI
</Location>

# "a b" (t.toml:18), /a/**: Apache serves what Trivet allows
<LocationMatch "^(?!/a/open(?:/|$))/a(?:/|$)">
  FcgidAccessChecker "/PROGRAM attach"
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
  CGIPassAuth On
  SetEnvIf Request_URI "^" "TRIVET_ROUTE=a b"
  RequestHeader unset Remote_User
  RequestHeader unset Remote.User
  RequestHeader set Remote-User "expr=%{reqenv:REMOTE_USER}"
  Header always unset Variable-REMOTE_USER
</LocationMatch>
<If "'%{REQUEST_FILENAME}%{PATH_INFO}' != '%{DOCUMENT_ROOT}%{REQUEST_URI}' && (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a/*') && ! (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a/open' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a/open/*')">
  FcgidAccessChecker "/PROGRAM attach"
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
  CGIPassAuth On
  SetEnvIf Request_URI "^" "TRIVET_ROUTE=a b"
  RequestHeader unset Remote_User
  RequestHeader unset Remote.User
  RequestHeader set Remote-User "expr=%{reqenv:REMOTE_USER}"
  Header always unset Variable-REMOTE_USER
</If>

# "asked" (t.toml:23), /x/*: Trivet is asked, and then answers
<LocationMatch "^/x/[^/]*(?:/|$)">
  FcgidAccessChecker "/PROGRAM attach"
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
  CGIPassAuth On
  SetEnvIf Request_URI "^" "TRIVET_ROUTE=asked"
  RequestHeader set N "expr=%{reqenv:N}"
  Header always unset Variable-N
  SetHandler fcgid-script
  FcgidWrapper "/PROGRAM attach" virtual
  Options +ExecCGI
</LocationMatch>
<If "'%{REQUEST_FILENAME}%{PATH_INFO}' != '%{DOCUMENT_ROOT}%{REQUEST_URI}' && (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/x/*' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/x/*/*')">
  Require all denied
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
</If>
)TEXT"},
        Golden{"ModAuthnzFcgi", "apache-authnz", "",
               R"TEXT(AuthnzFcgiDefineProvider authn trivet fcgi://127.0.0.1:9000/

# "open" (t.toml:14), /a/open/**: Trivet answers
<Location "/a/open">
  SetHandler "proxy:fcgi://127.0.0.1:9000/"
</Location>

# "a b" (t.toml:18), /a/**: Apache serves what Trivet allows
<LocationMatch "^(?!/a/open(?:/|$))/a(?:/|$)">
  AuthType None
  AuthnzFcgiCheckAuthnProvider trivet Authoritative On RequireBasicAuth Off DefaultUser trivet UserExpr "%{reqenv:REMOTE_USER}"
  Require valid-user
  CGIPassAuth On
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
  SetEnvIf Request_URI "^" "TRIVET_ROUTE=a b"
  RequestHeader unset Remote_User
  RequestHeader unset Remote.User
  RequestHeader set Remote-User "expr=%{reqenv:REMOTE_USER}"
</LocationMatch>
<If "'%{REQUEST_FILENAME}%{PATH_INFO}' != '%{DOCUMENT_ROOT}%{REQUEST_URI}' && (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a/*') && ! (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a/open' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/a/open/*')">
  AuthType None
  AuthnzFcgiCheckAuthnProvider trivet Authoritative On RequireBasicAuth Off DefaultUser trivet UserExpr "%{reqenv:REMOTE_USER}"
  Require valid-user
  CGIPassAuth On
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
  SetEnvIf Request_URI "^" "TRIVET_ROUTE=a b"
  RequestHeader unset Remote_User
  RequestHeader unset Remote.User
  RequestHeader set Remote-User "expr=%{reqenv:REMOTE_USER}"
</If>

# "asked" (t.toml:23), /x/*: Trivet is asked, and then answers
<LocationMatch "^/x/[^/]*(?:/|$)">
  AuthType None
  AuthnzFcgiCheckAuthnProvider trivet Authoritative On RequireBasicAuth Off DefaultUser trivet UserExpr "%{reqenv:REMOTE_USER}"
  Require valid-user
  CGIPassAuth On
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
  SetEnvIf Request_URI "^" "TRIVET_ROUTE=asked"
  RequestHeader set N "expr=%{reqenv:N}"
  CGIPassAuth On
  SetHandler "proxy:fcgi://127.0.0.1:9000/"
</LocationMatch>
<If "'%{REQUEST_FILENAME}%{PATH_INFO}' != '%{DOCUMENT_ROOT}%{REQUEST_URI}' && (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/x/*' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/x/*/*')">
  Require all denied
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
</If>
)TEXT"},
        Golden{"ModProxyFcgi", "apache-proxy", "# \"asked\"", R"TEXT(# "asked" (t.toml:23), /x/*: refused
#   its guards are to be asked by the web server: this server cannot ask for a verdict.
<LocationMatch "^/x/[^/]*(?:/|$)">
  Require all denied
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
</LocationMatch>
<If "'%{REQUEST_FILENAME}%{PATH_INFO}' != '%{DOCUMENT_ROOT}%{REQUEST_URI}' && (%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/x/*' || %{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}/x/*/*')">
  Require all denied
  <IfModule mod_access_compat.c>
    Satisfy All
  </IfModule>
</If>
)TEXT"},
        Golden{"Lighttpd", "lighttpd", "", R"TEXT($HTTP["url"] =~ "^/a/open(?:/|$)" {
  # "open" (t.toml:14), /a/open/**: Trivet answers
  fastcgi.server = ( "/" => (
    "app" => ( "socket" => "/run/x.sock", "check-local" => "disable" )
  ))
} else $HTTP["url"] =~ "^/a(?:/|$)" {
  # "a b" (t.toml:18), /a/**: lighttpd serves what Trivet allows
  setenv.set-environment = ( "TRIVET_ROUTE" => "a b" )
  setenv.set-request-header = ( "Remote_User" => "", "Remote.User" => "", "Remote~User" => "", "Remote!User" => "", "Remote#User" => "", "Remote$User" => "", "Remote%User" => "", "Remote&User" => "", "Remote'User" => "", "Remote*User" => "", "Remote+User" => "", "Remote^User" => "", "Remote`User" => "", "Remote|User" => "", "Remote-User" => "" )
  fastcgi.server = ( "/" => (
    "guard" => ( "socket" => "/run/x.sock", "mode" => "authorizer", "check-local" => "disable" )
  ))
} else $HTTP["url"] =~ "^/x/[^/]*(?:/|$)" {
  # "asked" (t.toml:23), /x/*: Trivet is asked, and then answers
  setenv.set-environment = ( "TRIVET_ROUTE" => "asked" )
  setenv.set-request-header = ( "N" => "" )
  fastcgi.server = ( "/" => (
    "guard" => ( "socket" => "/run/x.sock", "mode" => "authorizer", "check-local" => "disable" ),
    "app" => ( "socket" => "/run/x.sock", "check-local" => "disable" )
  ))
}
)TEXT"},
        Golden{"Caddy", "caddy", "", R"TEXT(# "open" (t.toml:14), /a/open/**: Trivet answers
@trivet_1 {
	path_regexp `^/a/open(?:/|$)`
}
handle @trivet_1 {
	reverse_proxy unix//run/x.sock {
		header_up -*_*
		header_up -*.*
		transport fastcgi
	}
}

# "a b" (t.toml:18), /a/**: Caddy serves what Trivet allows
@trivet_2 {
	path_regexp `^/a(?:/|$)`
	not path_regexp `^/a/open(?:/|$)`
}
@trivet_2_before {
	vars_regexp {http.request.orig_uri.path} `^/+a(?:/+|$)`
	not path_regexp `^/a(?:/|$)`
	not vars_regexp {http.request.orig_uri.path} `^/+a/+open(?:/+|$)`
}
forward_auth @trivet_2 unix//run/x.sock {
	uri /_trivet/auth
	copy_headers Variable-Remote_user>Remote-User
	header_up -*_*
	header_up -*.*
	transport fastcgi {
		env TRIVET_ROLE authorizer
		env TRIVET_ROUTE `a b`
		env TRIVET_METHOD {http.request.orig_method}
		env REQUEST_METHOD {http.request.orig_method}
		env TRIVET_DIALECT caddy
	}
	header_down -Status
}
request_header @trivet_2 -*_*
request_header @trivet_2 -*.*
forward_auth @trivet_2_before unix//run/x.sock {
	uri /_trivet/auth
	copy_headers Variable-Remote_user>Remote-User
	header_up -*_*
	header_up -*.*
	transport fastcgi {
		env TRIVET_ROLE authorizer
		env TRIVET_ROUTE `a b`
		env TRIVET_METHOD {http.request.orig_method}
		env REQUEST_METHOD {http.request.orig_method}
		env TRIVET_DIALECT caddy
	}
	header_down -Status
}
request_header @trivet_2_before -*_*
request_header @trivet_2_before -*.*

# "asked" (t.toml:23), /x/*: Trivet is asked, and then answers
@trivet_3 {
	path_regexp `^/x/[^/]*(?:/|$)`
}
@trivet_3_before {
	vars_regexp {http.request.orig_uri.path} `^/+x/+[^/]*(?:/+|$)`
	not path_regexp `^/x/[^/]*(?:/|$)`
}
forward_auth @trivet_3 unix//run/x.sock {
	uri /_trivet/auth
	copy_headers Variable-N>N
	header_up -*_*
	header_up -*.*
	transport fastcgi {
		env TRIVET_ROLE authorizer
		env TRIVET_ROUTE `asked`
		env TRIVET_METHOD {http.request.orig_method}
		env REQUEST_METHOD {http.request.orig_method}
		env TRIVET_DIALECT caddy
	}
	header_down -Status
}
request_header @trivet_3 -*_*
request_header @trivet_3 -*.*
forward_auth @trivet_3_before unix//run/x.sock {
	uri /_trivet/auth
	copy_headers Variable-N>N
	header_up -*_*
	header_up -*.*
	transport fastcgi {
		env TRIVET_ROLE authorizer
		env TRIVET_ROUTE `asked`
		env TRIVET_METHOD {http.request.orig_method}
		env REQUEST_METHOD {http.request.orig_method}
		env TRIVET_DIALECT caddy
	}
	header_down -Status
}
request_header @trivet_3_before -*_*
request_header @trivet_3_before -*.*
handle @trivet_3 {
	reverse_proxy unix//run/x.sock {
		header_up -*_*
		header_up -*.*
		transport fastcgi {
			env N {http.request.header.N}
		}
	}
}
)TEXT"},
        Golden{"Haproxy", "haproxy", "  # The first", R"TEXT(  # The first that fits; 0: none of them.
  http-request set-var(txn.trivet_entry) int(0)
  # "open" (t.toml:14), /a/open/**: Trivet answers
  http-request set-var(txn.trivet_entry) int(1) if { var(txn.trivet_entry) -m int 0 } { var(txn.trivet_path) -m reg '^/a/open(?:/|$)' }
  # "a b" (t.toml:18), /a/**: HAProxy passes on what Trivet allows
  http-request set-var(txn.trivet_entry) int(2) if { var(txn.trivet_entry) -m int 0 } { var(txn.trivet_path) -m reg '^/a(?:/|$)' }
  # "asked" (t.toml:23), /x/*: Trivet is asked, and then answers
  http-request set-var(txn.trivet_entry) int(3) if { var(txn.trivet_entry) -m int 0 } { var(txn.trivet_path) -m reg '^/x/[^/]*(?:/|$)' }
  # CGI takes them for headers with `-`.
  http-request del-header '[^a-z0-9-]' -m reg if !{ var(txn.trivet_entry) -m int 0 }
  http-request lua.trivet_auth 'a b' if { var(txn.trivet_entry) -m int 2 }
  http-request deny deny_status 500 if { var(txn.trivet_entry) -m int 2 } !{ var(txn.trivet.allowed) -m str -- 'a b' }
  http-request set-header Remote-User %[var(txn.trivet.REMOTE_USER)] if { var(txn.trivet_entry) -m int 2 }
  http-request lua.trivet_auth 'asked' if { var(txn.trivet_entry) -m int 3 }
  http-request deny deny_status 500 if { var(txn.trivet_entry) -m int 3 } !{ var(txn.trivet.allowed) -m str -- 'asked' }
  http-request set-header N %[var(txn.trivet.N)] if { var(txn.trivet_entry) -m int 3 }
  http-request del-header Authorization if { var(txn.trivet_entry) -m int 3 }
  http-response lua.trivet_cookies
  use_backend trivet if { var(txn.trivet_entry) -m int 1 }
  use_backend trivet if { var(txn.trivet_entry) -m int 3 }
  # default_backend: what else there is, guarded where it is said above

fcgi-app trivet
  docroot /var/www
  pass-header Authorization
  set-param N %[var(txn.trivet.N)] if { var(txn.trivet_entry) -m int 3 }
  set-param REMOTE_USER %[var(txn.trivet.REMOTE_USER)] if { var(txn.trivet_entry) -m int 3 }

backend trivet
  mode http
  timeout connect 5s
  timeout server 90s                     # Trivet has clocks of its own, which tell what was slow
  use-fcgi-app trivet
  http-reuse safe
  server trivet unix@/run/x.sock proto fcgi
)TEXT"},
        Golden{"H2o", "h2o", "", R"TEXT(# "open" (t.toml:14), /a/open/**: Trivet answers
"/a/open":
  fastcgi.connect: { port: "/run/x.sock", type: unix }

# "a b" (t.toml:18), /a/**: Trivet answers, with 404
#   only a verdict could let anybody in: this server cannot ask for a verdict.
"/a":
  fastcgi.connect: { port: "/run/x.sock", type: unix }

# "asked" (t.toml:23), /x/*: refused
#   its guards are to be asked by the web server: this server cannot ask for a verdict.
"/x":
  mruby.handler: "Proc.new {|env| [403, {}, []]}"
)TEXT"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace trivet::cli
