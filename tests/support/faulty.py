"""A site with a plugin that does what it is told to its process, beside one whose answers are checked all the time."""

import concurrent.futures
import pathlib
import re
import time

from support import fcgi, site
from support.fcgi import cgi, request
from support.runner import equal, eventually, expect

CONFIG = """
[plugin.hello]
[plugin.edition]
file = "edition_1.so"
threads = 0
[plugin.loop]
file = "misbehave.so"
threads = 0
[plugin.threads]
file = "misbehave.so"
threads = 2
timeout = "10s"

[[route]]
name = "on-the-loop"
path = "/loop/**"
respond = "loop"
[[route]]
name = "on-a-thread"
path = "/thread/**"
respond = "threads"
[[route]]
name = "guard-on-the-loop"
path = "/guard-loop/**"
authorize = ["loop"]
respond = "hello"
[[route]]
name = "guard-on-a-thread"
path = "/guard/**"
authorize = ["threads"]
respond = "hello"
[[route]]
name = "hello"
path = "/hello/**"
respond = "hello"
[[route]]
name = "good"
path = "/**"
respond = "edition"
"""

IMPATIENT = CONFIG.replace('timeout = "10s"', 'timeout = "500ms"')

# Path, role, and what the log calls plugin and route.
PLACES = {
    "loop": ("/loop", fcgi.RESPONDER, "plugin=loop route=on-the-loop"),
    "thread": ("/thread", fcgi.RESPONDER, "plugin=threads route=on-a-thread"),
    "guard on the loop": ("/guard-loop", fcgi.AUTHORIZER, "plugin=loop route=guard-on-the-loop"),
    "guard": ("/guard", fcgi.AUTHORIZER, "plugin=threads route=guard-on-a-thread"),
}


def running(t, processes=2, config=CONFIG, **more):
    return site.running(t.build, config, processes=processes, **more)


def children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return sorted(int(each) for each in listed.read_text().split())
    except OSError:
        return []


def has_ended(pid):
    """Gone, or waited for by nobody yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def begun(pid):
    """When a process was started, in ticks of the system."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def misbehave(host, deed, place="loop", timeout=10.0):
    """The answer of the plugin to a deed; None when the connection was closed without one."""
    path, role, _ = PLACES[place]
    with host.connect(timeout=timeout) as link:
        try:
            link.send(request(cgi(f"{path}?{deed}"), role=role))
            return link.response()
        except (ConnectionError, fcgi.Broken):
            return None


def ended(host):
    """The lines that tell of a worker's end."""
    return [line for line in host.log_text().splitlines() if re.match(r"\S+ \w+ +worker ended ", line)]


def wait_for_workers(host, count, seconds=20.0, settled=False):
    """Until so many are at work; settled: so long that their end is no early one."""
    eventually(lambda: len(children(host.pid)) == count, f"{count} workers", seconds)
    if settled:
        time.sleep(1.1)


def all_at_once(function, arguments):
    """function(each) in threads; the first failure is raised."""
    with concurrent.futures.ThreadPoolExecutor(len(arguments)) as pool:
        for each in [pool.submit(function, argument) for argument in arguments]:
            each.result()


def expect_served(host, times=20):
    """Workers that were there before and those that came later serve alike."""
    for _ in range(times):
        answer = host.get("/")
        equal((answer.status, answer.complete), (200, True), "a good request on another route")


def forget_log(host):
    """What plugins said on purpose is no finding."""
    expect(host.running, "the host has ended")
    host.log.write_text("")
