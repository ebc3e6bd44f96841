"""The site most tests run: the shipped plugins and the test plugins, each reachable by a route of its own."""

import contextlib
import json
import tomllib

from support import host
from support.runner import Failure, shorten

KEY = "correct-horse-battery-staple"
USER = "alice"
GOOD = {"HTTP_X_API_KEY": KEY}
BAD = {"HTTP_X_API_KEY": "wrong"}

KEYGATE = f"""
[plugin.key]
file = "keygate.so"
config = {{ header = "X-Api-Key", key = "{KEY}", user = "{USER}" }}
"""

CONFIG = KEYGATE + """
[plugin.hello]
[plugin.echo]
[plugin.upper]
[plugin.rot13]
[plugin.stream]
threads = 8
timeout = "20s"

[plugin.writer]
timeout = "20s"
[plugin.writer_events]

[plugin.slow]                          # one thread, so that what waits can be told from what runs
threads = 1
queue = 1
timeout = "20s"

[[route]]
name = "hello"
path = "/hello/**"
respond = "hello"

[[route]]
name = "echo"
path = "/echo/**"
respond = "echo"

[[route]]
name = "stream"
path = "/stream/**"
respond = "stream"

[[route]]
name = "write"
path = "/write/**"
respond = "writer"

[[route]]
name = "write-events"
path = "/write-events/**"
respond = "writer_events"

[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"

[[route]]
name = "posts"
path = "/posts/**"
methods = ["POST"]
respond = "echo"

[[route]]
name = "shout"
path = "/shout/**"
respond = "echo"
filter = ["upper", "rot13"]

[[route]]
name = "members"
path = "/members/**"
authorize = ["key"]
variables = ["REMOTE_USER"]
respond = "echo"
filter = ["upper", "rot13"]
"""


def running(build, config=CONFIG, **more):
    return host.running_host(build, config, **more)


def plugin_counts(build, host_running, name):
    """What `trivet status` counts of a plugin; of a host with processes."""
    done = host.run_trivet(build, "status", "--admin", f"unix:{host_running.folder}/run/admin.sock", "--json")
    if done.returncode != 0:
        raise Failure(f"status ended with {done.returncode}: {done.stderr.decode()[-200:]}")
    return next(each for each in json.loads(done.stdout)["plugins"] if each["name"] == name)


@contextlib.contextmanager
def logged(build, log="", config=CONFIG):
    """A host whose log and access log are the files log_file and access_file."""
    with host.temporary_folder() as folder:
        files = f'[log]\ntarget = "file:{folder}/log.now"\naccess = "file:{folder}/access.now"\n{log}'
        with host.running_host(build, config + files) as running:
            running.log_file, running.access_file, running.logs = folder / "log.now", folder / "access.now", folder
            yield running


def _settings(text):
    return tomllib.loads(text)["plugin"]["key"]["config"]


def key_of(text):
    """The key that a configuration's keygate accepts."""
    return _settings(text)["key"]


def user_of(text):
    """The user to whom that key belongs."""
    return _settings(text)["user"]


def echoed(body):
    """The request body within what the plugin `echo` answers: after the lines of what it understood."""
    head, empty, rest = body.partition(b"\n\n")
    if not head.startswith(b"trivet-echo\n") or not empty:
        raise Failure(f"this is not the answer of echo: {shorten(body)}")
    return rest


def written(size):
    """What `writer` and `writer_events` write for n=SIZE."""
    alphabet = b"abcdefghijklmnopqrstuvwxyz"
    return (alphabet * (size // 26 + 1))[:size]


def variables(body):
    """The CGI variables that `echo` saw."""
    lines = body.partition(b"\n\n")[0].decode("latin-1").split("\n")[3:]
    return dict(line.split("=", 1) for line in lines)
