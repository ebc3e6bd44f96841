"""Everything that must never become a grant, once, for every way to ask: through a web server, by `trivet call`, by hand.

Each case has its twin: the same host, the same server and (where the cause is the request, not the route) the same
route, asked well. A host that denies everything fails the twins.
"""

import dataclasses

from support import site

SECRET = b"the protected file\n"

CONFIG = site.KEYGATE + """
[limits]
params_bytes = "8KiB"
params_count = 64

[plugin.hello]
[plugin.echo]
[plugin.throws]
[plugin.silent]

[plugin.hangs]
file = "slow.so"
threads = 2
timeout = "300ms"

[plugin.busy]
file = "slow.so"
threads = 1
queue = 1
timeout = "10s"

[[route]]
name = "hello"
path = "/hello/**"
respond = "hello"

[[route]]
name = "private"
path = "/private/**"
authorize = ["key"]
variables = ["REMOTE_USER"]
respond = "echo"

[[route]]
name = "throws"
path = "/throws/**"
authorize = ["key", "throws"]

[[route]]
name = "silent"
path = "/silent/**"
authorize = ["key", "silent"]

[[route]]
name = "hangs"
path = "/hangs/**"
authorize = ["key", "hangs"]

[[route]]
name = "busy"
path = "/busy/**"
authorize = ["key", "busy"]

[[route]]
name = "denied"
path = "/denied/**"
authorize = ["key", "deny"]

[[route]]
name = "unguarded"
path = "/unguarded/**"
respond = "hello"

[[route]]
name = "elsewhere"
path = "/elsewhere/**"
authorize = ["key"]
authorize_on = ["responder"]
respond = "hello"
"""


@dataclasses.dataclass
class Case:
    """A request that must be refused. `steer` is what the web server's configuration says, `headers` the client."""

    name: str
    steer: dict
    headers: dict = dataclasses.field(default_factory=lambda: {"X-Api-Key": site.KEY})
    status: int = 403  # of Trivet's answer
    same_route: bool = False  # asked well, this very route grants

    def params(self):
        """As CGI variables, for requests by hand."""
        named = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in self.headers.items()}
        return {**named, **self.steer}


def _route(name, **more):
    return {"TRIVET_ROUTE": name, **more}


CASES = [
    Case("no_credentials", _route("private"), {}, 401, True),
    Case("wrong_credentials", _route("private"), {"X-Api-Key": "wrong"}, 403, True),
    Case("plugin_throws", _route("throws"), status=500),
    Case("plugin_says_nothing", _route("silent"), status=500),
    Case("plugin_times_out", _route("hangs"), status=504),
    Case("built_in_deny", _route("denied")),
    Case("too_many_bytes", _route("private"), {"X-Api-Key": site.KEY, "X-Big": "b" * 7900}, 431, True),
    Case("too_many_parameters", _route("private"),
         {"X-Api-Key": site.KEY, **{f"X-Many-{number}": "m" for number in range(64)}}, 431, True),
    Case("no_route", {"TRIVET_PATH": "/nowhere"}),
    Case("no_guards", _route("unguarded")),
    Case("not_guarded_in_this_role", _route("elsewhere")),
    Case("unknown_route", _route("privat"), status=500),
    Case("empty_route", _route(""), status=500),
    Case("unknown_role", _route("private", TRIVET_ROLE="authoriser"), status=500, same_route=True),
    Case("odd_path", {"TRIVET_PATH": "/private/../private/x"}),
]

ROLES = [
    # On the wire this is role 2 (AUTHORIZER); another word contradicts it.
    Case("responder_for_an_authorizer", _route("private", TRIVET_ROLE="responder"), status=500, same_route=True),
    Case("filter_for_an_authorizer", _route("private", TRIVET_ROLE="filter"), status=500, same_route=True),
]


def spellings(first, rest, open_prefix):
    """Ways to write /first/rest that one of two parsers may take for it, and the other for something unguarded."""
    upper, encoded = first.upper(), "".join(f"%{ord(letter):02x}" for letter in first)
    return [
        f"/{first}/{rest}", f"//{first}/{rest}", f"/{first}//{rest}", f"/./{first}/{rest}", f"/{first}/./{rest}",
        f"/%2e/{first}/{rest}", f"/{open_prefix}/../{first}/{rest}", f"/{open_prefix}/%2e%2e/{first}/{rest}",
        f"/{open_prefix}/.%2e/{first}/{rest}", f"/{open_prefix}/..%2f{first}/{rest}", f"/{open_prefix}/%2e%2e%2f{first}/{rest}",
        f"/{open_prefix}/..;/{first}/{rest}", f"/{open_prefix}/..;x=1/{first}/{rest}", f"/{open_prefix}/..%5c{first}/{rest}",
        f"/{open_prefix}/%252e%252e/{first}/{rest}", f"/{open_prefix}/..%252f{first}/{rest}",
        f"/{encoded}/{rest}", f"/{first}%2f{rest}", f"/{first}%5c{rest}", f"/{first};/{rest}", f"/{first}/{rest};x",
        f"/{first}/{rest}%00", f"/{first}/{rest}%00.txt", f"/{upper}/{rest}", f"/{first}/x/../{rest}", f"/{first}/{rest}/",
        f"/{first}/{rest}/.", f"/{first}/{rest}?x=/{open_prefix}/", f"/{open_prefix}%2f..%2f{first}/{rest}",
        f"http://localhost/{first}/{rest}", f"http://{open_prefix}/{first}/{rest}", f"/{first}/%2e%2e/{first}/{rest}",
        f"/{open_prefix}/%c0%ae%c0%ae/{first}/{rest}", f"/{first}%20/{rest}", f"/%20{first}/{rest}", f"/{first}/{rest}%0a",
        f"/{first}/{rest}%zz", f"/{first}/{rest}%", f"/{first}/%zz/../{rest}", f"/%zz/../{first}/{rest}", f"/{first}%/{rest}",
    ]
