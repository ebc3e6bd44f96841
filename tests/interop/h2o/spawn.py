"""h2o's fastcgi.spawn starts Trivet itself, or `trivet attach` for one host that runs."""

import os
import pathlib
import signal
import threading

from support import examples, host, responding, site, web
from support.further_servers import H2o
from support.runner import Suite, equal, eventually, expect
from support.servers import processes_with, running

suite = Suite("h2o spawn")
attach = Suite("h2o attach")


def _h2o(folder, command):
    return H2o(folder, host.free_port(), f'  default:\n    paths:\n      "/":\n        fastcgi.spawn: "exec {command}"\n')


def _without_wrappers(pids):
    """h2o's own program that ends what it started has the same words in its command line."""
    return [pid for pid in pids if b"kill-on-close" not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]


@suite.fixture
def spawned(t):
    with host.temporary_folder() as folder:
        trivet = examples.Spawned(t.build, folder, responding.CONFIG)
        server = _h2o(folder, " ".join(trivet.command()))
        with running(server):
            yield responding.Pair(trivet, server)
        trivet.expect_clean(server.log_text())


@attach.fixture
def attached(t):
    with examples.attaching(t.build, responding.CONFIG) as trivet:
        server = _h2o(trivet.folder, examples.attach_command(trivet))
        with running(server):
            yield responding.Pair(trivet, server)
        eventually(lambda: not processes_with(f"{trivet.folder}/run/attach.sock"), "the end of the stub", 10)


def _answers(t, port):
    equal(web.ask(port, "/hello").status, 200, "GET")
    equal(web.ask(port, "/nowhere").status, 404, "404")
    equal(web.ask(port, "/members/x").status, 401, "a guard within Trivet")
    body = responding.BODY
    for chunked in (False, True):
        sent = (body[at:at + 30000] for at in range(0, len(body), 30000)) if chunked else body
        answer = web.ask(port, "/stream/a", "POST", sent, chunked=chunked, timeout=30 * t.build.slowness,
                         headers={"Transfer-Encoding": "chunked"} if chunked else None)
        expect((answer.status, answer.body) == (200, body), f"chunked={chunked}: {answer.status}")
    answer = web.ask(port, f"/write/a?n={1 << 20}")
    expect((answer.status, answer.body) == (200, site.written(1 << 20)), f"large answer: {answer.status}")


@suite.test("what h2o starts answers, is one process, and two SIGTERM let it end what runs")
def _(t):
    both = t.use(spawned)
    _answers(t, both.port)
    started = _without_wrappers(both.trivet.pids())
    equal(len(started), 1, "processes")
    slow = []
    asked = threading.Thread(target=lambda: slow.append(web.ask(both.port, "/slow/a?ms=700", timeout=30 * t.build.slowness)))
    asked.start()
    eventually(lambda: both.trivet.busy(), "the request", 10)
    for _ in range(2):
        os.kill(started[0], signal.SIGTERM)
    asked.join()
    equal((slow[0].status, slow[0].body), (200, b"slow\n"), "the request that ran")


@attach.test("the host that runs answers, through a reload and a restart of it")
def _(t):
    both = t.use(attached)
    _answers(t, both.port)
    told = host.run_trivet(t.build, "reload", "-c", both.trivet.file)
    equal(told.returncode, 0, f"reload: {told.stderr!r}")
    _answers(t, both.port)
    both.trivet.stop()
    both.trivet.start()
    _answers(t, both.port)
    equal(len(_without_wrappers(processes_with(f"{both.trivet.folder}/run/attach.sock"))), 1, "stubs")
