"""lighttpd with bin-path: it starts Trivet by itself, as a responder and as an authorizer."""

import os
import random
import signal

from support import examples, host, refusals, site, web
from support.runner import Suite, equal, eventually, expect

suite = Suite("lighttpd bin-path")


def _backend(trivet, mode, root):
    environment = ", ".join(f'"{name}" => "{value}"' for name, value in host.SANITIZED.items())
    return f"""(( "bin-path" => "{' '.join(trivet.command())}", "socket" => "{trivet.folder}/{mode}.sock",
       "max-procs" => 1, "mode" => "{mode}", "check-local" => "disable", "docroot" => "{root}",
       "bin-environment" => ( {environment} ) ))"""


def _responders(trivet, root):
    return f'fastcgi.server = ( "/" => {_backend(trivet, "responder", root)} )'


def _authorizers(trivet, root):
    written = []
    for case in [refusals.Case("twin", {"TRIVET_ROUTE": "private"}), *refusals.CASES, *refusals.ROLES]:
        steer = ", ".join(f'"{name}" => "{value}"' for name, value in case.steer.items())
        written.append(f"""
$HTTP["url"] =~ "^/case/{case.name}(/|$)" {{
  setenv.set-environment = ( {steer} )
}}""")
    return f'fastcgi.server = ( "/case" => {_backend(trivet, "authorizer", root)} )' + "".join(written)


@suite.fixture
def application(t):
    with examples.lighttpd_spawns(t.build, site.CONFIG, _responders) as running:
        yield running


@suite.test("GET, HEAD, 405 and four mebibytes work")
def _(t):
    port = t.use(application).port
    equal(web.ask(port, "/hello").status, 200, "GET")
    head = web.raw(port, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, f"{head!r}")
    equal(web.ask(port, "/posts/a").status, 405, "another method")
    body = random.Random(4).randbytes(4 << 20)
    for uri in ("/echo/a", "/stream/a"):
        answer = web.ask(port, uri, "POST", body, timeout=30 * t.build.slowness)
        back = site.echoed(answer.body) if uri == "/echo/a" else answer.body
        equal((answer.status, back == body), (200, True), uri)


@suite.test("two hundred requests at once are all answered by one process")
def _(t):
    running = t.use(application)

    def one(number):
        body = b"request %d" % number
        return site.echoed(web.ask(running.port, "/echo/a", "POST", body, timeout=40 * t.build.slowness).body) == body

    expect(all(web.at_once(200, one, threads=100)), "an answer was wrong")
    equal(len(running.trivet.pids()), 1, "processes")


@suite.test("a process that was killed is replaced")
def _(t):
    running = t.use(application)
    before = running.trivet.pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: web.ask(running.port, "/hello").status == 200, "an answer again", 10)
    expect(not set(before) & set(running.trivet.pids()), "the same process")


@suite.test("no refusal or failure is a grant, its status arrives, and its twin gets the file", timeout=90)
def _(t):
    for each in ("throws", "silent", "slow"):
        t.build.plugin(each)
    with examples.lighttpd_spawns(t.build, refusals.CONFIG, _authorizers) as running:
        for case in refusals.CASES + refusals.ROLES:
            if case.steer.get("TRIVET_ROUTE") == "":
                continue  # lighttpd sets no empty variables
            answer = web.ask(running.port, f"/case/{case.name}/file.txt", headers=case.headers)
            expect(refusals.SECRET not in answer.body, f"{case.name} was GRANTED the file")
            equal(answer.status, case.status, f"status for {case.name}")
            where = case.name if case.same_route and "TRIVET_ROLE" not in case.steer else "twin"
            granted = web.ask(running.port, f"/case/{where}/file.txt", headers={"X-Api-Key": site.KEY})
            equal((granted.status, granted.body), (200, refusals.SECRET), f"the twin of {case.name}")
