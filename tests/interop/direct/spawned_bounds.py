"""The host as a web server starts it: what it may cost, keep, write and take its time for."""

import contextlib
import os
import pwd
import random
import resource
import signal
import socket
import time

from support import examples, fcgi, host, site
from support.runner import Suite, equal, eventually, expect, skip
from support.servers import CONF, give_to_web_user

suite = Suite("spawned, its bounds")


class Started(host.Process):
    """`trivet serve` with a listening socket as descriptor 0. `redirect` is what a shell makes of the others."""

    def __init__(self, build, folder, config, **more):
        super().__init__("spawned", folder / "spawned.log")
        self.trivet = examples.Spawned(build, folder, config, **more)
        self.socket_path = folder / "spawned.sock"
        self.unix = f"unix:{self.socket_path}"
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.socket_path))
        self.listener.listen(5)

    def start(self, redirect="", arguments=(), prepare=None, **environment):  # pylint: disable=arguments-differ
        shell = ["sh", "-c", f'exec "$@" {redirect}', str(self.trivet.folder)]
        super().start([*shell, *self.trivet.command(), *arguments], {**examples.SPAWNED_ENVIRONMENT, **environment}, prepare,
                      self.listener, str(self.trivet.folder))
        return self

    def stop(self):
        equal(self.end(within=12 * self.trivet.build.slowness), 0, "exit code")
        self.listener.close()
        self.trivet.expect_clean(self.log_text())

    def get(self, uri):
        return fcgi.exchange(self.unix, fcgi.cgi(uri), timeout=20 * self.trivet.build.slowness)

    def ask_ahead(self, uri):
        """A whole request that waits in the backlog: when it is accepted it is read in the same turn."""
        link = fcgi.Connection(self.unix, 30 * self.trivet.build.slowness)
        link.send(fcgi.request(fcgi.cgi(uri)))
        return link

    def wait_until_busy(self):
        eventually(lambda: "ready" in self.log_text() and self.sockets() > 1, "the request", 20)


@contextlib.contextmanager
def prepared(t, config=site.CONFIG, **more):
    with host.temporary_folder() as folder:
        process = Started(t.build, folder, config, **more)
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        process.stop()


@suite.test("missing standard streams and leaked descriptors do no harm")
def _(t):
    body = random.Random(4).randbytes(4 << 20)
    for redirect in (">&-", "2>&-", ">&- 2>&-", '5>>"$0/leaked" 8>>"$0/leaked" 9<"$0"'):
        with prepared(t) as process:
            process.start(redirect)
            equal(process.get("/hello").status, 200, f"an answer with {redirect}")
            kept = [each for each in process.descriptors() if each.endswith("/leaked") or each == str(process.trivet.folder)]
            equal(kept, [], "descriptors of the web server that are kept open")
            answer = fcgi.exchange(process.unix, fcgi.cgi("/stream/a", "POST", body), body, timeout=30 * t.build.slowness)
            equal(answer.body == body, True, f"four mebibytes with {redirect}")


@suite.test("nothing is written to standard output, and the log to standard error whatever the file says")
def _(t):
    with prepared(t, site.CONFIG + "[log]\ntarget = \"file:/nowhere/at/all.log\"\n") as process:
        process.start('>>"$0/stdout"')
        equal(process.get("/hello").status, 200, "an answer")
        equal(process.get("/nowhere").status, 404, "a refusal")
        equal((process.trivet.folder / "stdout").read_bytes(), b"", "what standard output got")
        expect("ready" in process.log_text() and "no route" in process.log_text(), "standard error has no log")


@suite.test("a SIGTERM at any time of its start leaves nothing behind")
def _(t):
    with prepared(t) as process:
        process.start()
        equal(process.get("/hello").status, 200, "an answer")
        for step in range(40):
            process.end()
            process.start()
            time.sleep(step * 0.002 * t.build.slowness)
            process.process.send_signal(signal.SIGTERM)
            process.process.wait(20 * t.build.slowness)
            equal(os.listdir(process.trivet.folder / "cache"), [], f"what lies about after {step * 2} ms")
        process.start()
        equal(process.get("/hello").status, 200, "an answer afterwards")


@suite.test("it waits at most 5 s for a request, though the file allows an hour")
def _(t):
    config = site.CONFIG.replace('timeout = "20s"', 'timeout = "60s"')
    with prepared(t, config, server='shutdown_grace = "1h"') as process:
        _link = process.ask_ahead("/slow?ms=40000")
        process.start()
        process.wait_until_busy()
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.process.wait(20 * t.build.slowness)
        took = time.monotonic() - begun
        expect(4.5 < took < 7 * t.build.slowness, f"it took {took:.1f} s")


@suite.test("where the web server's user may not write, the temporary folder serves")
def _(t):
    if os.getuid() != 0:
        skip("only root can start it as somebody else")
    user = pwd.getpwnam("www-data")

    def drop():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    with prepared(t) as process:
        for each in ("cache", "spool"):
            os.chown(process.trivet.folder / each, 0, 0)
        (process.trivet.folder / "tmp").mkdir()
        give_to_web_user(process.trivet.folder / "tmp", process.log.parent)
        process.start(prepare=drop, TMPDIR=str(process.trivet.folder / "tmp"))
        equal(process.get("/hello").status, 200, "an answer")
        expect("spool_dir cannot be used" in process.log_text(), "it is not told")
        body = random.Random(4).randbytes(4 << 20)
        answer = fcgi.exchange(process.unix, fcgi.cgi("/stream/a", "POST", body), body, timeout=30 * t.build.slowness)
        equal(answer.body == body, True, "four mebibytes")
        equal(os.listdir(process.trivet.folder / "tmp"), [], "what lies about there")


def _start_cost(t, config):
    """The processor time of a process that starts, answers once and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with prepared(t, config) as process:
        process.start()
        equal(process.get("/hello").status, 200, "an answer")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@suite.test("it starts the demo, answers and ends with less than 50 ms of processor time")
def _(t):
    text = (CONF / "demo" / "trivet.toml.in").read_text()
    best = min(_start_cost(t, text[text.index("[plugin."):]) for _ in range(5))
    expect(best < 0.050 * t.build.slowness, f"it took {best * 1000:.1f} ms")
