"""lighttpd's bin-path starts `trivet attach`: one host answers as responder and as authorizer."""

import os
import pathlib
import signal

from support import examples, host, refusals, site, web
from support.runner import Suite, equal, eventually, expect
from support.servers import processes_with

suite = Suite("lighttpd attach")

CONFIG = site.KEYGATE + """
[plugin.perish]
threads = 0
[[route]]
name = "private"
path = "/private/**"
authorize = ["key"]
[[route]]
name = "app"
path = "/**"
respond = "perish"
"""


def _backends(trivet, root):
    def one(mode):
        return f"""(( "bin-path" => "{examples.attach_command(trivet)}", "socket" => "{trivet.folder}/{mode}.web",
        "max-procs" => 2, "mode" => "{mode}", "check-local" => "disable", "docroot" => "{root}" ))"""
    return f'fastcgi.server = ( "/private" => {one("authorizer")}, "/app" => {one("responder")} )'


@suite.fixture
def running_pair(t):
    with examples.lighttpd_attaches(t.build, CONFIG, _backends) as running:
        yield running


def stubs(running):
    return processes_with(f"{running.trivet.folder}/run/attach.sock")


def workers(running):
    pid = running.trivet.pid
    return {int(each) for each in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def expect_well(running):
    answer = web.ask(running.port, "/app/x")
    equal(answer.status, 200, "the responder")
    expect(int(answer.body) in workers(running), f"answered by {answer.body}, workers {workers(running)}")
    allowed = web.ask(running.port, "/private/file.txt", headers={"X-Api-Key": site.KEY})
    equal((allowed.status, allowed.body), (200, refusals.SECRET), "with the key")
    denied = web.ask(running.port, "/private/file.txt")
    equal((denied.status, refusals.SECRET in denied.body), (401, False), "without the key")


@suite.test("both roles are answered by the one host, through reloads and kills of its workers", timeout=90)
def _(t):
    running = t.use(running_pair)
    expect_well(running)
    eventually(lambda: len(stubs(running)) == 4, "the four processes that lighttpd started", 10)
    told = host.run_trivet(t.build, "reload", "-c", running.trivet.file)
    equal(told.returncode, 0, f"reload: {told.stderr!r}")
    expect_well(running)
    before = workers(running)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(workers(running) - before) == 2, "other workers", 10)
    expect_well(running)
    eventually(lambda: len(stubs(running)) == 4, "the four processes that lighttpd started", 10)


@suite.test("a restart of the host fails no request", timeout=90)
def _(t):
    running = t.use(running_pair)
    expect_well(running)
    running.trivet.stop()
    running.trivet.start()
    expect_well(running)
    eventually(lambda: len(stubs(running)) == 4, "the four processes that lighttpd started", 10)
