"""Signals, and a clock that jumps."""

import os
import re
import signal
import threading
import time

from support import faulty, fcgi, host as hosts
from support.fcgi import cgi, request
from support.load import load
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("signals")


@suite.test("S09: beside a stopped worker the others serve; continued, it answers what it was asked", timeout=90)
def _(t):
    with faulty.running(t, processes=3) as host:
        links = [host.connect(timeout=30) for _ in range(9)]
        asked = request(cgi("/hello"), flags=fcgi.KEEP)
        for link in links:
            link.send(asked)
            equal(link.take().status, 200, "a kept connection")
        victim = faulty.children(host.pid)[1]
        os.kill(victim, signal.SIGSTOP)
        try:
            with load(t.build, host.unix, once=4, rate=200, patience=60) as busy:
                for link in links:
                    link.send(asked)
                time.sleep(5.0)
                busy.report().expect_nothing_lost()
                os.kill(victim, signal.SIGCONT)
                total = busy.stop()
                equal((total.wrong, total.failed), (0, 0), total.short())
        finally:
            if not faulty.has_ended(victim):
                os.kill(victim, signal.SIGCONT)
        for link in links:
            with link:
                try:
                    equal(link.response().status, 200, "an answer on a kept connection")
                except ConnectionError:
                    expect(faulty.has_ended(victim), "a connection was closed, and its worker lives")
        faulty.expect_served(host)


@suite.test("S09: SIGCHLD, SIGPIPE, SIGWINCH and SIGURG in storms, to supervisor and workers, disturb nobody")
def _(t):
    with faulty.running(t) as host, load(t.build, host.unix, kept=2, once=2, rate=500) as busy:
        workers = faulty.children(host.pid)
        for _ in range(300):
            for each in (host.pid, *workers):
                for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGWINCH, signal.SIGURG, signal.SIGCONT):
                    os.kill(each, number)
        busy.stop().expect_nothing_lost()
        equal(faulty.children(host.pid), workers, "workers")


@suite.test("S09: clients that are gone before their answer cost no worker: SIGPIPE")
def _(t):
    with faulty.running(t) as host:
        workers = faulty.children(host.pid)
        for number in range(200):
            link = host.connect(host.tcp if number % 2 else None)
            link.send(request(cgi("/?ms=10")))
            link.break_off()
        faulty.expect_served(host)
        equal(faulty.children(host.pid), workers, "workers")


@suite.test("S13: SIGTERM to a supervisor under load cuts no answer, and all end with 0 in time")
def _(t):
    with faulty.running(t) as host:
        workers = faulty.children(host.pid)
        answered, cut = [], []
        stop = threading.Event()

        def client():
            while not stop.is_set():
                try:
                    with host.connect() as link:
                        link.send(request(cgi("/hello")))
                        answer = link.response()
                        (answered if answer.complete and answer.status in (200, 503) else cut).append(repr(answer))
                except fcgi.Broken as broken:
                    cut.append(str(broken))
                except OSError:
                    pass  # Refused, or never accepted: nothing of an answer came.

        crews = [threading.Thread(target=client) for _ in range(6)]
        for each in crews:
            each.start()
        eventually(lambda: len(answered) > 200, "load")
        begun = time.monotonic()
        code = host.end()
        took = time.monotonic() - begun
        stop.set()
        for each in crews:
            each.join()
        equal(code, 0, "exit code")
        expect(not cut, f"{len(cut)} answers were cut, first {cut[:1]}")
        expect(took < 7 * t.build.slowness, f"the end took {took:.1f} s")
        expect(not host.socket_path.exists(), "the socket's file is left")
        expect(all(faulty.has_ended(each) for each in workers), "a worker is left")


@suite.test("S13: a socket file that another put in the place of the host's own is left alone")
def _(t):
    with hosts.temporary_folder() as folder:
        host = hosts.Host(t.build, folder, faulty.CONFIG, processes=2)
        host.start()
        host.socket_path.unlink()
        host.socket_path.write_text("another's")
        equal(host.end(), 0, "exit code")
        equal(host.socket_path.read_text(), "another's", "the file")


JUMPING = """
[plugin.hello]
[plugin.slow]
threads = 4
timeout = "1s"
config = { stubborn = false }
[[route]]
path = "/slow"
respond = "slow"
[[route]]
path = "/**"
respond = "hello"
[limits]
header_time = "1s"
stall_time = "1s"
"""
YEAR = 366 * 24 * 3600


@suite.test("S16: a clock set forward or back by a year moves no timer, and is what the log shows")
def _(t):
    shim = t.build.folder / "test-support" / "other_time.so"
    if not shim.exists():
        skip(f"{shim} was not built")
    if t.build.sanitizer:
        return  # Its own library has to be the first that is preloaded.
    for processes in (0, 2):
        with hosts.temporary_folder() as folder:
            offset = folder / "offset"
            offset.write_text("0")
            host = hosts.Host(t.build, folder, JUMPING, processes=processes)
            host.start(wrapper=["/usr/bin/env", f"LD_PRELOAD={shim}", f"OTHER_TIME={offset}"])
            this_year = int(re.search(r"^(\d{4})-", host.log_text(), re.MULTILINE)[1])
            for jump, year in ((YEAR, this_year + 1), (-YEAR, this_year - 1)):
                with host.connect() as half, host.connect() as slow:
                    begun = time.monotonic()
                    half.send(fcgi.begin())
                    slow.send(request(cgi("/slow?ms=20000")))
                    time.sleep(0.3)
                    offset.write_text(str(jump))
                    host.expect_well("/")
                    equal(slow.response().status, 504, "a plugin past its timeout")
                    expect(half.closes(5 * t.build.slowness), "half a request is still there")
                    took = time.monotonic() - begun
                    expect(0.8 < took < 4 * t.build.slowness, f"timeouts of 1 s took {took:.2f} s")
                eventually(lambda wanted=year: f"\n{wanted}-" in host.log_text(), f"a line of the year {year}", 5)
                offset.write_text("0")
            host.stop()
