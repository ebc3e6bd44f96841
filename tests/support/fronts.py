"""Every web server that can protect a resource with Trivet, by its own guards or by Trivet's, before what guarded.py says."""

from support import examples, host
from support.further_servers import Caddy, H2o, Jetty, Yaws
from support.guarded import GUARDS, VARIABLES, Front
from support.servers import CONF, Apache, Haproxy, Lighttpd, Nginx

# --- Apache ---

REWRITES = """
RewriteEngine on
RewriteRule "^/moved/(.*)$" "/private/$1" [PT]
<Directory "{root}/again">
  RewriteEngine on
  RewriteRule "^(.*)$" "/private/$1"
</Directory>
"""

MOD_FCGID = """
FcgidIOTimeout 30
FcgidSpawnScoreUpLimit 1000
Mutex pthread fcgid-proctbl
Mutex pthread fcgid-pipe
""" + "\n".join(f'FcgidInitialEnv {name} "{value}"' for name, value in host.SANITIZED.items())

DIRECTIVES = {
    "AccessChecker": 'FcgidAccessChecker "{command}"\n  Require all granted',
    "Authenticator": 'AuthType Basic\n  AuthName x\n  AuthUserFile /dev/null\n  AuthBasicAuthoritative Off\n'
                     '  FcgidAuthenticator "{command}"\n  Require valid-user',
    "Authorizer": 'AuthType Basic\n  AuthName x\n  AuthUserFile {users}\n  FcgidAuthorizer "{command}"\n'
                  '  Require valid-user',
}


def _sections(guard, application):
    written = []
    for name in [*GUARDS, "account"]:
        hidden = "\n".join(f"  Header always unset Variable-{each}" for each in VARIABLES)
        written.append(f"""
<Location "/{name}">
  {guard}
  SetEnvIf Request_URI "^" TRIVET_ROUTE={name}
{hidden}
{application if name == "account" else ""}
</Location>""")
    return "\n".join(written)


def _mod_fcgid(kind):
    def make(trivet, port, root):
        users = root.parent / "users"
        users.write_text(examples.passwords(ann="ann's word"))
        command = examples.attach_command(trivet)
        application = f'  SetHandler fcgid-script\n  FcgidWrapper "{command}" virtual\n  Options +ExecCGI'
        sections = _sections(DIRECTIVES[kind].format(command=command, users=users), application)
        text = MOD_FCGID + REWRITES.format(root=root) + sections
        return Apache(trivet.folder, port, root, text, ["fcgid", "rewrite"])
    return make


def _mod_authnz_fcgi(trivet, port, root):
    guard = """AuthType None
  AuthnzFcgiCheckAuthnProvider trivet Authoritative On RequireBasicAuth Off UserExpr "%{reqenv:REMOTE_USER}"
  Require valid-user"""
    text = f"""
AuthnzFcgiDefineProvider authn trivet fcgi://127.0.0.1:{trivet.port}/
ProxyPass "/account" "unix:{trivet.web}|fcgi://localhost/account"
""" + REWRITES.format(root=root) + _sections(guard, "")
    return Apache(trivet.folder, port, root, text, [*Apache.AUTHNZ_FCGI, *Apache.PROXY_FCGI, "rewrite"])


def _mod_proxy_fcgi(trivet, port, _root):
    empty = trivet.folder / "empty"
    empty.mkdir()
    where = f"unix:{trivet.web}|fcgi://localhost"
    return Apache(trivet.folder, port, empty, f"""
RewriteEngine on
RewriteRule "^/moved/(.*)$" "/account/$1" [PT]
RewriteRule "^/again/(.*)$" "{where}/private/$1" [P]
ProxyPass "/" "{where}/"
""", [*Apache.PROXY_FCGI, "rewrite"])


# --- nginx ---

def _nginx(http):
    def make(trivet, port, root):
        (trivet.folder / "trivet_params").write_text((CONF / "nginx" / "trivet_params").read_text())
        return Nginx(trivet.folder, port, f"""
  upstream trivet {{ server unix:{trivet.web}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    fastcgi_keep_conn on;
    fastcgi_buffer_size 16k;
    fastcgi_buffers 8 16k;
    merge_slashes on;
{http(root)}
  }}""")
    return make


def _auth_request(root):
    written = [f"root {root};", "rewrite ^/moved/(.*)$ /private/$1 last;",
               "location /again/ { rewrite ^/again/(.*)$ /private/$1 last; }"]
    for name in [*GUARDS, "account"]:
        written.append(f"""
location = /_trivet/{name} {{
  internal;
  include trivet_params;
  fastcgi_param TRIVET_ROLE authorizer;
  fastcgi_param TRIVET_ROUTE {name};
  fastcgi_param CONTENT_LENGTH "";
  fastcgi_pass_request_body off;
  fastcgi_cache off;
  fastcgi_intercept_errors off;
  error_page 599 /nothing;
  fastcgi_pass trivet;
}}""")
        if name != "account":
            written.append(f"location /{name}/ {{ auth_request /_trivet/{name}; }}")
    sets = "\n".join(f"  auth_request_set $trivet_{each.lower()} $upstream_http_variable_{each.lower()};" for each in VARIABLES)
    params = "\n".join(f"  fastcgi_param {each} $trivet_{each.lower()};" for each in VARIABLES)
    written.append(f"""
location /account/ {{
  auth_request /_trivet/account;
{sets}
  include trivet_params;
{params}
  fastcgi_pass trivet;
}}""")
    return "\n".join(written)


def _all_to_trivet(_root):
    return """
rewrite ^/moved/(.*)$ /account/$1 last;
location / { include trivet_params; fastcgi_pass trivet; }"""


# --- what passes all to Trivet ---

def _nginx_stock(trivet, port, _root):
    """With Debian's own list of parameters, where REMOTE_USER is what the client says."""
    return Nginx(trivet.folder, port, f"""
  server {{
    listen 127.0.0.1:{port};
    location / {{ include /etc/nginx/fastcgi.conf; fastcgi_pass unix:{trivet.web}; }}
  }}""")


def _mod_fcgid_responder(trivet, port, root):
    command = examples.attach_command(trivet)
    return Apache(trivet.folder, port, root, f"""{MOD_FCGID}
<Location "/">
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
</Location>""")


def _lighttpd_responder(trivet, port, root):
    return _lighttpd_with(trivet, port, root, f"""
fastcgi.server = ( "/" => (( "socket" => "{trivet.web}", "check-local" => "disable", "fix-root-scriptname" => "enable" )) )""")


def _caddy_responder(trivet, port, _root):
    return Caddy(trivet.folder, port, f"reverse_proxy unix/{trivet.web} {{\n  transport fastcgi\n}}")


def _h2o(trivet, port, _root):
    return H2o(trivet.folder, port, f"""\
  default:
    paths:
      "/":
        fastcgi.connect: {{ port: {trivet.web}, type: unix }}
""")


def _yaws(trivet, port, _root):
    return Yaws(trivet.folder, port, f"  fcgi_app_server = 127.0.0.1:{trivet.port}\n  appmods = </, yaws_appmod_fcgi>")


def _haproxy(trivet, port, _root):
    return Haproxy(trivet.folder, port, 2, f"""\
frontend web
  bind 127.0.0.1:{port}
  default_backend trivet
fcgi-app trivet
  docroot /srv
  pass-header Authorization
  option get-values
  option mpxs-conns
backend trivet
  use-fcgi-app trivet
  http-reuse always
  server trivet unix@{trivet.web} proto fcgi
""")


# --- the others ---

def _lighttpd(trivet, port, root):
    written = ['url.rewrite-once = ( "^/moved/(.*)$" => "/private/$1", "^/again/(.*)$" => "/private/$1" )']
    for name in [*GUARDS, "account"]:
        docroot = "" if name == "account" else f', "docroot" => "{root}"'
        guard = f'"guard" => ( "socket" => "{trivet.web}", "mode" => "authorizer", "check-local" => "disable"{docroot} )'
        application = f'"app" => ( "socket" => "{trivet.web}", "mode" => "responder", "check-local" => "disable" )'
        written.append(f"""
$HTTP["url"] =~ "^/{name}(/|$)" {{
  setenv.set-environment = ( "TRIVET_ROUTE" => "{name}" )
  fastcgi.server = ( "/{name}" => ( {guard}{", " + application if name == "account" else ""} ))
}}""")
    return _lighttpd_with(trivet, port, root, "\n".join(written))


def _lighttpd_with(trivet, port, root, text):
    (trivet.folder / "upload").mkdir()
    return Lighttpd(trivet.folder, port, f"""\
server.modules = ( "mod_rewrite", "mod_fastcgi", "mod_setenv" )
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.upload-dirs = ( "{trivet.folder}/upload" )
server.max-fds = 4096
mimetype.assign = ( ".txt" => "text/plain" )
{text}
""")


def _forward_auth(name, trivet, copied=()):
    copy = f"copy_headers {' '.join(copied)}" if copied else ""
    return f"""
forward_auth unix/{trivet.web} {{
  uri /_trivet
  {copy}
  transport fastcgi {{
    env TRIVET_ROLE authorizer
    env TRIVET_ROUTE {name}
    env TRIVET_METHOD {{http.request.orig_method}}
  }}
}}"""


def _caddy(trivet, port, root):
    # Go writes only the first letter of each part of a header's name large.
    headers = {each: f"Variable-{each.capitalize()}" for each in VARIABLES}
    written = [f"root * {root}", "rewrite /moved/* /private/file.txt", "rewrite /again/* /private/file.txt"]
    for name in GUARDS:
        # Its file_server answers every method with the file.
        others = "@other not method GET HEAD\nrespond @other 204\n" if name == "cors" else ""
        written.append(f"route /{name}/* {{{_forward_auth(name, trivet)}\n{others}file_server\n}}")
    env = "\n".join(f"env {name} {{http.request.header.{header}}}" for name, header in headers.items())
    written.append(f"""
route /account/* {{
{_forward_auth("account", trivet, headers.values())}
reverse_proxy unix/{trivet.web} {{
  transport fastcgi {{
    {env}
  }}
}}
}}""")
    written.append("file_server")
    return Caddy(trivet.folder, port, "\n".join(written))


class HaproxyBefore(Haproxy):
    """HAProxy, and the server that has the files."""

    def __init__(self, trivet, port, behind, text):
        super().__init__(trivet.folder, port, 2, text)
        self.behind = behind

    def start(self):  # pylint: disable=arguments-differ
        self.behind.start()
        return super().start()

    def stop(self):
        super().stop()
        self.behind.stop()


def _haproxy_lua(trivet, port, root):
    """HAProxy compares paths as they are spelled: what is open is named whole, and all else is behind a guard."""
    inner = host.free_port()
    files = Nginx(trivet.folder, inner, f"  server {{ listen 127.0.0.1:{inner}; root {root}; }}")
    text = f"""\
global
  setenv TRIVET_ADDRESS unix@{trivet.web}
  lua-load-per-thread {CONF}/haproxy/trivet_auth.lua

frontend web
  bind 127.0.0.1:{port}
  http-request replace-path ^/(moved|again)/(.*)$ /private/\\2
  use_backend open if {{ path /app/open.txt }}
"""
    names = [*GUARDS, "account"]
    text += "\n".join(f"  use_backend {name} if {{ path_beg /{name}/ }}" for name in names if name != "private")
    text += f"\n  default_backend private\nbackend open\n  server files 127.0.0.1:{inner}\n"
    for name in names:
        server = f"server files 127.0.0.1:{inner}"
        if name == "account":
            server = f"http-request del-header Authorization\n  use-fcgi-app behind\n  server app unix@{trivet.web} proto fcgi"
        text += f"""
backend {name}
  http-request lua.trivet_auth {name}
  http-request deny deny_status 500 unless {{ var(txn.trivet.allowed) -m str {name} }}
  {server}
"""
    params = "\n".join(f"  set-param {each} %[var(txn.trivet.{each})]" for each in VARIABLES)
    return HaproxyBefore(trivet, port, files, f"{text}\nfcgi-app behind\n  docroot /srv\n{params}\n")


ANN = examples.basic("ann", "ann's word")

FRONTS = [
    Front("mod_fcgid AccessChecker", _mod_fcgid("AccessChecker"), threads=2, is_sanitized=True),
    Front("mod_fcgid Authenticator", _mod_fcgid("Authenticator"), base=ANN, user="ann", threads=2),
    Front("mod_fcgid Authorizer", _mod_fcgid("Authorizer"), base=ANN, user="ann", threads=2),
    Front("mod_authnz_fcgi", _mod_authnz_fcgi, takes_nobody=False),
    Front("mod_proxy_fcgi", _mod_proxy_fcgi, inside=True),
    Front("nginx auth_request", _nginx(_auth_request), is_sanitized=True),
    Front("nginx responder", _nginx(_all_to_trivet), inside=True, is_sanitized=True),
    Front("lighttpd authorizer", _lighttpd, is_sanitized=True),
    Front("Caddy forward_auth", _caddy),
    Front("HAProxy authorizer", _haproxy_lua),
    *(Front(name, make, inside=True, is_short=True, threads=threads) for name, make, threads in (
        ("mod_fcgid responder", _mod_fcgid_responder, 1), ("nginx responder, stock parameters", _nginx_stock, 8),
        ("lighttpd responder", _lighttpd_responder, 8), ("Caddy responder", _caddy_responder, 8), ("h2o responder", _h2o, 8),
        ("HAProxy responder", _haproxy, 8), ("Yaws responder", _yaws, 8),
        ("Jetty responder", lambda trivet, port, _root: Jetty(trivet.folder, port, trivet.port), 8))),
]
