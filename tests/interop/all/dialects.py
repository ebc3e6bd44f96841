"""What each web server makes of a guard's answer, over the real servers: the table of conf/README.md, "What each server
makes of a verdict". Each server has the lines that are given there, and what they mend is here too."""

import contextlib
import dataclasses
import typing

from support import examples, host, site, web
from support.further_servers import Caddy
from support.runner import Suite, equal, expect
from support.servers import Apache, Lighttpd, running, web_user

# Behind both paths stands `echo`, which shows what of the verdict reaches an application.
CONFIG = """
[plugin.says]
[plugin.echo]
""" + "".join(f"""
[[route]]
name = "{name}"
path = "/{name}/**"
authorize = ["says"]
authorize_on = ["authorizer"]
variables = ["REMOTE_USER", "AUTH_GROUPS"]
respond = "echo"
""" for name in ("account", "private"))
VARIABLES = ("REMOTE_USER", "AUTH_GROUPS")

# --- the servers ---

MOD_FCGID = {
    "AccessChecker": 'FcgidAccessChecker "{command}"\n  Require all granted',
    "Authenticator": 'AuthType Basic\n  AuthName x\n  AuthUserFile /dev/null\n  AuthBasicAuthoritative Off\n'
                     '  FcgidAuthenticator "{command}"\n  Require valid-user',
    "Authorizer": 'AuthType Basic\n  AuthName x\n  AuthUserFile {users}\n  FcgidAuthorizer "{command}"\n  Require valid-user',
}


@contextlib.contextmanager
def _host(build):
    group = f'group = "{web_user()}"' if web_user() else ""
    with host.temporary_folder() as folder:
        listen = f'[[listen]]\nname = "web"\naddress = "unix:{folder}/web.sock"\nmode = "0660"\n{group}\n'
        with site.running(build, listen + CONFIG, processes=1, server=f"attach = {{ {group} }}") as trivet:
            trivet.web = folder / "web.sock"
            (trivet.folder / "www").mkdir()
            yield trivet


def _server(make):
    @contextlib.contextmanager
    def front(build):
        with _host(build) as trivet:
            with running(make(trivet, host.free_port(), trivet.folder / "www")) as server:
                yield server.port
    return front


def _mod_fcgid(kind, mends=True):
    def make(trivet, port, root):
        users = root.parent / "users"
        users.write_text(examples.passwords(ann="ann's word"))
        command = examples.attach_command(trivet)
        unset = "\n".join(f"  Header always unset Variable-{each}" for each in VARIABLES)
        return Apache(trivet.folder, port, root, f"""
FcgidIOTimeout 30
FcgidSpawnScoreUpLimit 1000
Mutex pthread fcgid-proctbl
Mutex pthread fcgid-pipe
<Location "/account">
  {MOD_FCGID[kind].format(command=command, users=users)}
  SetEnvIf Request_URI "^" TRIVET_ROUTE=account
{unset if mends else ""}
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
</Location>
""")
    return _server(make)


def _mod_authnz_fcgi(trivet, port, root):
    return Apache(trivet.folder, port, root, f"""
AuthnzFcgiDefineProvider authn trivet fcgi://127.0.0.1:{trivet.port}/
<Location "/account">
  AuthType None
  AuthnzFcgiCheckAuthnProvider trivet Authoritative On RequireBasicAuth Off UserExpr "%{{reqenv:REMOTE_USER}}"
  Require valid-user
  SetEnvIf Request_URI "^" TRIVET_ROUTE=account
</Location>
ProxyPass "/account" "unix:{trivet.web}|fcgi://localhost/account"
""", [*Apache.AUTHNZ_FCGI, *Apache.PROXY_FCGI])


def _lighttpd(trivet, port, root):
    (trivet.folder / "upload").mkdir()
    return Lighttpd(trivet.folder, port, f"""\
server.modules = ( "mod_fastcgi", "mod_setenv" )
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.upload-dirs = ( "{trivet.folder}/upload" )
$HTTP["url"] =~ "^/account(/|$)" {{
  setenv.set-environment = ( "TRIVET_ROUTE" => "account" )
  fastcgi.server = ( "/account" => (
    "guard" => ( "socket" => "{trivet.web}", "mode" => "authorizer", "check-local" => "disable" ),
    "app" => ( "socket" => "{trivet.web}", "mode" => "responder", "check-local" => "disable" ) ))
}}
""")


def _nginx(mends):
    """The example; or a server that knows nothing of what Trivet says beside yes and no."""
    def bare(text, _root):
        lines = [line for line in examples.block(text, "location /account/").splitlines() if "$trivet_user" not in line]
        asked = "location = /_trivet/account {\n" + examples.block(text, "location = /_trivet/account") + "\n}\n"
        user = ("auth_request_set $bare_user $upstream_http_variable_remote_user;\n"
                "auth_request_set $bare_groups $upstream_http_variable_auth_groups;\n"
                "fastcgi_param REMOTE_USER $bare_user;\nfastcgi_param AUTH_GROUPS $bare_groups;")
        return "location /account/ {\n" + "\n".join([*lines, user]) + "\n}\n" + asked

    @contextlib.contextmanager
    def front(build):
        with examples.nginx(build, CONFIG, bare) as pair:
            yield pair.port if mends else pair.extra_port
    return front


CADDY_ASKS = """
    transport fastcgi {{
      env TRIVET_ROLE authorizer
      env TRIVET_ROUTE account
      env REQUEST_METHOD {{http.request.orig_method}}
    }}
    header_up -*_*
    header_up -*.*
    header_down -Status"""
CADDY = """
route /account/* {{
  request_header -Variable-*
  {asks}
  reverse_proxy unix/{socket} {{
    header_down -Status
    transport fastcgi {{
      env REMOTE_USER {{http.request.header.Variable-Remote_user}}
      env AUTH_GROUPS {{http.request.header.Variable-Auth_groups}}
    }}
  }}
}}"""
FORWARD_AUTH = """forward_auth unix/{socket} {{
    uri /_trivet
    copy_headers Variable-Remote_user Variable-Auth_groups""" + CADDY_ASKS + """
  }}"""
# What forward_auth is short for, and the cookies besides.
WITH_COOKIES = """reverse_proxy unix/{socket} {{
    method GET
    rewrite /_trivet
    header_up X-Forwarded-Method {{method}}
    header_up X-Forwarded-Uri {{uri}}
    @good status 200
    handle_response @good {{
      request_header Variable-Remote_user {{http.reverse_proxy.header.Variable-Remote_user}}
      request_header Variable-Auth_groups {{http.reverse_proxy.header.Variable-Auth_groups}}
      copy_response_headers {{
        include Set-Cookie
      }}
    }}""" + CADDY_ASKS + """
  }}"""


def _caddy(asks):
    def make(trivet, port, _root):
        return Caddy(trivet.folder, port, CADDY.format(asks=asks.format(socket=trivet.web), socket=trivet.web))
    return _server(make)


HAPROXY_BACKEND = """\
  http-request del-header Authorization
  use-fcgi-app behind
  server private unix@/run/trivet/trivet.sock proto fcgi

fcgi-app behind
  docroot /srv/www
  set-param REMOTE_USER %[var(txn.trivet.REMOTE_USER)]
  set-param AUTH_GROUPS %[var(txn.trivet.AUTH_GROUPS)]
"""


@contextlib.contextmanager
def _haproxy(build):
    with examples.haproxy(build, CONFIG, changes={"  server private 127.0.0.1:8080\n": HAPROXY_BACKEND}) as pair:
        yield pair.port


# --- the table ---

# What the guard says beside its status: fields for the client, and a body.
FIELDS = {
    "cookie": {"Set-Cookie": ["one=1; Path=/; Expires=Fri, 31 Dec 2100 23:59:59 GMT"]},
    "cookies": {"Set-Cookie": ["one=1; Path=/", "two=2; Path=/"]},
    "401": {"WWW-Authenticate": ['Basic realm="says"']},
    "challenges": {"WWW-Authenticate": ["Bearer", 'Basic realm="says"']},
    "302": {"Location": ["https://login.example/in?to=%2Fprivate&n=1"], "Set-Cookie": ["state=1; Path=/", "nonce=2; Path=/"]},
    "429": {"Retry-After": ["7"]},
    "503": {"Retry-After": ["7"]},
}
BODIES = {"401": b"who are you?\n", "challenges": b"401 Unauthorized\n", "403": b"<p>not you</p>\n", "302": b"",
          "404": b"404 Not Found\n", "429": b"later\n", "503": b"503 Service Unavailable\n", "throw": b"500 Internal Server Error\n"}
ALLOWS = ("allow", "cookie", "cookies")
DENIALS = {"401": 401, "challenges": 401, "403": 403, "302": 302, "404": 404, "429": 429, "503": 503, "throw": 500}
WATCHED = ("WWW-Authenticate", "Location", "Set-Cookie", "Retry-After")


@dataclasses.dataclass
class Front:
    """Where the client gets something else than the guard said."""

    name: str
    start: typing.Callable
    status: dict = dataclasses.field(default_factory=dict)
    fields: dict = dataclasses.field(default_factory=dict)
    bodies: tuple = tuple(DENIALS)  # whose own body arrives; else the server's page
    cookies: bool = False  # of an allow
    leaks: bool = False  # variables, to the client
    credentials: dict = dataclasses.field(default_factory=dict)
    path: str = "/account/x"


ANN = examples.basic("ann", "ann's word")
ALL_401 = {verdict: 401 for verdict in DENIALS}
ONE_LINE = {"WWW-Authenticate": ['Bearer, Basic realm="says"']}
NO_LOCATION = {"Set-Cookie": FIELDS["302"]["Set-Cookie"]}
APACHES = {"WWW-Authenticate": ['Basic realm="x"']}
BEHIND_BASIC = {"401": APACHES, "challenges": APACHES, "403": APACHES, "404": APACHES, "throw": APACHES,
                "302": {**APACHES, **NO_LOCATION}, "429": {**APACHES, **FIELDS["429"]}, "503": {**APACHES, **FIELDS["503"]}}
CHECKER = {"302": NO_LOCATION, "challenges": ONE_LINE}

FRONTS = [
    Front("mod_fcgid AccessChecker", _mod_fcgid("AccessChecker"), ALL_401, CHECKER, ()),
    Front("mod_fcgid AccessChecker without Header unset", _mod_fcgid("AccessChecker", False), ALL_401, CHECKER, (), leaks=True),
    Front("mod_fcgid Authenticator", _mod_fcgid("Authenticator"), ALL_401, BEHIND_BASIC, (), credentials=ANN),
    Front("mod_fcgid Authorizer", _mod_fcgid("Authorizer"), ALL_401, BEHIND_BASIC, (), credentials=ANN),
    Front("mod_authnz_fcgi", _server(_mod_authnz_fcgi), {}, {"challenges": ONE_LINE}, ("403", "throw")),
    Front("lighttpd", _server(_lighttpd)),
    Front("nginx", _nginx(True), {"503": 500}, {"challenges": ONE_LINE, "503": {}}, (), cookies=True),
    Front("nginx without the lines that map back", _nginx(False), {"302": 401, "404": 401, "429": 401, "503": 500},
          {"challenges": ONE_LINE, "302": {}, "429": {}, "503": {}}, ()),
    Front("Caddy", _caddy(FORWARD_AUTH)),
    Front("Caddy with cookies", _caddy(WITH_COOKIES), cookies=True),
    Front("HAProxy", _haproxy, cookies=True, path="/private/x"),
]


def _ask(front, port, verdict, method="GET", body=None, **headers):
    claims = {"Remote-User": "mallory", "Variable-REMOTE-USER": "mallory", "Variable-Remote_user": "mallory"}
    return web.ask(port, front.path, method, body,
                   headers={**claims, **front.credentials, "X-Verdict": verdict, **headers})


def _watched(answer):
    found = {name: [value for each, value in answer.headers if each.lower() == name.lower()] for name in WATCHED}
    return {name: values for name, values in found.items() if values}


def _leaked(answer):
    return [name for name, _ in answer.headers
            if name.lower().startswith(("variable-", "x-trivet-")) or name.lower() in ("status", "x-inner")]


def _allowed(front, port):
    for verdict in ALLOWS:
        answer = _ask(front, port, verdict)
        expect(answer.status == 200 and answer.body.startswith(b"trivet-echo"), f"{verdict}: {answer}")
        seen = site.variables(answer.body)
        equal(seen.get("REMOTE_USER"), "ann", f"REMOTE_USER after {verdict}")
        equal(_watched(answer), FIELDS.get(verdict, {}) if front.cookies else {}, f"fields of {verdict}")
        equal(_leaked(answer), [f"Variable-{each}" for each in VARIABLES] if front.leaks else [], f"what leaked of {verdict}")


def _denied(front, port):
    for verdict, status in DENIALS.items():
        answer = _ask(front, port, verdict)
        equal(answer.status, front.status.get(verdict, status), f"status of {verdict}")
        equal(_watched(answer), front.fields.get(verdict, FIELDS.get(verdict, {})), f"fields of {verdict}")
        equal(answer.body == BODIES[verdict], verdict in front.bodies, f"the guard's own body of {verdict}: {answer.body[:60]!r}")
        expect(b"trivet-echo" not in answer.body, f"{verdict} was GRANTED")
        equal(_leaked(answer), [], f"what leaked of {verdict}")


def _with_a_body(front, port):
    """A POST is decided alike, and nobody waits for the other."""
    for size in (10, 100000):
        for verdict in ("allow", "403", "302"):
            answer = _ask(front, port, verdict, "POST", b"p" * size)
            wanted = 200 if verdict == "allow" else front.status.get(verdict, int(verdict))
            equal((answer.status, b"trivet-echo" in answer.body), (wanted, verdict == "allow"), f"{verdict}, {size} bytes")


def _folded(front, port):
    """Headers whose names some servers take for one: what a proxy in front has said must not be said by a client."""
    for other in ("X_Verdict", "X.Verdict", "X~Verdict"):
        for _ in range(12):
            answer = _ask(front, port, "403", **{other: "allow"})
            expect(b"trivet-echo" not in answer.body and answer.status >= 400, f"{other} was believed: {answer}")
    expect(b"trivet-echo" in _ask(front, port, "allow").body, "without it")


def _suite(front):
    suite = Suite(f"dialects {front.name}")

    @suite.fixture
    def asked(t):
        t.build.plugin("says")
        with front.start(t.build) as port:
            yield port

    @suite.test("who is allowed is let in, and what goes with it arrives where the table says")
    def _(t):
        _allowed(front, t.use(asked))

    @suite.test("each denial arrives as the table says")
    def _(t):
        _denied(front, t.use(asked))

    @suite.test("no header that is spelled otherwise is taken for the one that the guard reads")
    def _(t):
        _folded(front, t.use(asked))

    @suite.test("a request with a body is decided like one without")
    def _(t):
        _with_a_body(front, t.use(asked))


for each_front in FRONTS:
    _suite(each_front)
