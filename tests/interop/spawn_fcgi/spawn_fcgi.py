"""libfcgi's classic starter, spawn-fcgi: processes that share one socket."""

import contextlib
import os
import random
import signal

from support import examples, fcgi, host, refusals, site, web
from support.runner import Suite, equal, expect
from support.servers import program

suite = Suite("spawn-fcgi")


class SpawnFcgi(host.Process):
    """libfcgi's classic starter, with `count` processes on one socket."""

    def __init__(self, build, folder, config, count):
        super().__init__("spawn-fcgi", folder / "spawn-fcgi.log")
        self.program = program("spawn-fcgi")
        self.trivet = examples.Spawned(build, folder, config)
        self.count = count
        self.socket_path = folder / "spawn.sock"
        self.unix = f"unix:{self.socket_path}"

    def start(self):  # pylint: disable=arguments-differ
        command = [self.program, "-s", str(self.socket_path), "-F", str(self.count), "--", *self.trivet.command()]
        super().start(command, examples.SPAWNED_ENVIRONMENT, cwd=str(self.trivet.folder))
        equal(self.process.wait(20), 0, "exit code of spawn-fcgi")
        return self

    def stop(self):
        for pid in self.trivet.pids():
            os.kill(pid, signal.SIGTERM)
        self.end()
        self.trivet.expect_clean(self.log_text())

    def exchange(self, params, body=b"", **more):
        return fcgi.exchange(self.unix, params, body, timeout=40 * self.trivet.build.slowness, **more)


@contextlib.contextmanager
def spawned_twice(t, config):
    with host.temporary_folder() as folder:
        starter = SpawnFcgi(t.build, folder, config, 2)
        starter.start()
        try:
            yield starter
        finally:
            starter.stop()


@suite.fixture
def two(t):
    with spawned_twice(t, site.CONFIG) as starter:
        yield starter


@suite.test("GET, HEAD and four mebibytes work")
def _(t):
    starter = t.use(two)
    get = starter.exchange(fcgi.cgi("/hello"))
    equal((get.status, get.complete), (200, True), "GET")
    head = starter.exchange(fcgi.cgi("/hello", "HEAD"))
    equal((head.status, head.body), (200, b""), "HEAD")
    body = random.Random(4).randbytes(4 << 20)
    for uri in ("/echo/a", "/stream/a"):
        answer = starter.exchange(fcgi.cgi(uri, "POST", body), body)
        equal((site.echoed(answer.body) if uri == "/echo/a" else answer.body) == body, True, uri)


@suite.test("two hundred requests at once go to both processes and are all answered")
def _(t):
    starter = t.use(two)
    equal(len(starter.trivet.pids()), 2, "processes")

    def one(number):
        body = b"request %d" % number
        return site.echoed(starter.exchange(fcgi.cgi("/echo/a", "POST", body), body).body) == body

    expect(all(web.at_once(200, one, threads=50)), "an answer was wrong")


@suite.test("no refusal or failure is a grant, and its twin is one")
def _(t):
    for each in ("throws", "silent", "slow"):
        t.build.plugin(each)
    with spawned_twice(t, refusals.CONFIG) as starter:
        for case in refusals.CASES + refusals.ROLES:
            answer = starter.exchange({**fcgi.cgi("/x"), **case.params()}, role=fcgi.AUTHORIZER)
            equal((answer.status, answer.complete), (case.status, True), case.name)
            twin = case.steer if case.same_route and "TRIVET_ROLE" not in case.steer else {"TRIVET_ROUTE": "private"}
            granted = starter.exchange({**fcgi.cgi("/x"), **site.GOOD, **twin}, role=fcgi.AUTHORIZER)
            equal((granted.status, granted.header("Variable-REMOTE_USER")), (200, site.USER), f"the twin of {case.name}")
