"""What never_granted.py tries to get at: the same resources behind each of the web servers of fronts.py.

    /NAME/file.txt    a file behind the guards of the route NAME, for each of GUARDS
    /account/me       the plugin `echo`, which tells as whom it was asked, behind the guards of the route `account`
    /app/open.txt     a file that everybody gets
    /moved/X          rewritten by the web server to /private/X or, where Trivet guards by itself, to /account/X

Whatever names no guard is looked for in the folder in which all of these lie, by the web server or by Trivet's last route.
"""

import contextlib
import dataclasses
import typing

from support import attempts, host, site
from support.servers import running, web_user

SECRET = b"the secret in the file\n"
OPEN = b"for everybody\n"
APPLICATION = b"trivet-echo"
MARKS = (SECRET.strip(), APPLICATION)  # what nobody sees without a grant
TEAM = "core"
VARIABLES = ("REMOTE_USER", "TEAM", "LEVEL")  # LEVEL is declared, and no guard sets it

FAILING = ("throws", "silent", "undecided", "denied", "hangs")
GUARDS = {
    "private": '["key"]',
    # Behind `key`, so that what fails is asked by somebody who would be let in.
    **{name: f'["key", "{plugin}"]' for name, plugin in (*((each, each) for each in FAILING if each != "denied"),
                                                         ("denied", "deny"), ("busy", "busy"), ("crashes", "crashes"))},
    "cors": '{ any = [{ plugin = "allow", methods = ["OPTIONS"] }, "key"] }',
}

PLUGINS = site.KEYGATE + f"""
[plugin.echo]
[plugin.throws]
[plugin.silent]
[plugin.undecided]
[plugin.team]
file = "variables.so"
config = {{ set = {{ TEAM = "{TEAM}" }} }}

[plugin.hangs]
file = "slow.so"
threads = 8
queue = 64
timeout = "200ms"

[plugin.crashes]
file = "perish.so"
config = {{ how = "abort" }}

[plugin.busy]
file = "slow.so"
threads = 1
queue = 1
timeout = "10s"
config = {{ ms = 300 }}
"""


def config(folder, inside):
    """`inside`: Trivet has the files itself, and guards them; otherwise a web server asks and serves them."""
    routes = []
    for name, guards in GUARDS.items():
        files = f'respond = {{ files = "{folder}/www/{name}" }}' if inside else ""
        routes.append(f"""
[[route]]
name = "{name}"
path = "/{name}/**"
authorize = {guards}
variables = ["REMOTE_USER"]
{files}""")
    declared = ", ".join(f'"{each}"' for each in VARIABLES)
    return PLUGINS + "\n".join(routes) + f"""
[[route]]
name = "account"
path = "/account/**"
authorize = ["key", "team"]
{"" if inside else 'authorize_on = ["authorizer"]'}
variables = [{declared}]
respond = "echo"

[[route]]
name = "app"
path = "/app/**"
respond = {{ files = "{folder}/www/app" }}

[[route]]
name = "moved"
path = "/moved/**"
respond = "echo"

[[route]]
name = "all"
path = "/**"
respond = {{ files = "{folder}/www", hidden = "serve" }}
"""


@dataclasses.dataclass
class Front:
    """A way to guard. make(trivet, port, root) is the web server."""

    name: str
    make: typing.Callable
    inside: bool = False
    base: dict = dataclasses.field(default_factory=dict)  # what Apache itself asks of everybody
    user: str = site.USER  # who REMOTE_USER is behind it
    is_sanitized: bool = False  # whether builds with sanitizers try it too: one of each kind is enough for the host
    is_short: bool = False  # another server before the guards within Trivet: only what servers differ in is tried
    takes_nobody: bool = True  # whether a grant that names no user is one
    threads: int = 8  # how many requests at once are quickest: mod_fcgid waits for whole seconds where it starts processes

    @property
    def good(self):
        return {**self.base, "X-Api-Key": site.KEY}

    @property
    def bad(self):
        """Several ways not to be let in, all of which reach Trivet."""
        return [self.base, {**self.base, "X-Api-Key": "wrong"}]


@dataclasses.dataclass
class Guarded:
    front: Front
    trivet: host.Host
    web: object

    @property
    def port(self):
        return self.web.port

    @property
    def goal(self):
        return attempts.Goal(self.port, MARKS, self.front.good, self.front.bad, self.front.threads)


@contextlib.contextmanager
def behind(build, front):
    for plugin in ("throws", "silent", "undecided", "variables", "slow", "perish"):
        build.plugin(plugin)
    with host.temporary_folder() as folder:
        root = folder / "www"
        for name in GUARDS:
            (root / name).mkdir(parents=True)
            (root / name / "file.txt").write_bytes(SECRET)
        for name in ("app", "moved", "again", "account"):
            (root / name).mkdir()
        (root / "app" / "open.txt").write_bytes(OPEN)
        group = f'group = "{web_user()}"' if web_user() else ""
        listen = f'[[listen]]\nname = "web"\naddress = "unix:{folder}/web.sock"\nmode = "0660"\n{group}\n'
        with site.running(build, listen + config(folder, front.inside), processes=1,
                          server=f"attach = {{ {group} }}") as trivet:
            trivet.web = folder / "web.sock"
            with running(front.make(trivet, host.free_port(), root)) as server:
                yield Guarded(front, trivet, server)
