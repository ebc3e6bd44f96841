"""Plugins that change or use up what belongs to the whole process: others are served, and what was begun goes on."""

import contextlib
import os
import pathlib
import re
import signal
import time

from support import faulty, fcgi, host as hosts
from support.fcgi import cgi, request
from support.load import load
from support.runner import Suite, equal, eventually, expect

suite = Suite("misbehaviour")


@contextlib.contextmanager
def _watched(t, workers=2, **more):
    """A host and a load on another route of which nothing may be lost."""
    with faulty.running(t, processes=workers, **more) as host:
        with load(t.build, host.unix, kept=2, once=2, rate=500) as busy:
            yield host, busy
        faulty.expect_served(host)


def _do_everywhere(host, deed, places=faulty.PLACES):
    """As responder and as guard, on the loop and on threads; the pids of the workers that did it."""
    did = set()
    for place in places:
        answer = faulty.misbehave(host, deed, place)
        equal((answer.status, answer.complete), (200, True), f"{deed}: {place}")
        if place in ("loop", "thread"):
            did.add(int(answer.body))
    return did


def _nothing_lost(t, deeds, **more):
    with _watched(t, **more) as (host, busy):
        workers = faulty.children(host.pid)
        for deed in deeds:
            _do_everywhere(host, deed)
            equal(host.get("/hello").status, 200, f"another route after {deed}")
        time.sleep(0.2)
        busy.stop().expect_nothing_lost()
        equal(faulty.children(host.pid), workers, f"workers after {deeds}")
        faulty.forget_log(host)


@suite.test("S30: leaked descriptors, as many as there can be, and leaked memory stop no request that has a connection")
def _(t):
    with _watched(t) as (host, busy):
        with host.connect() as link:
            link.send(request(cgi("/loop?descriptors&n=30000"), flags=fcgi.KEEP))
            equal(link.take().status, 200, "the deed")
            for _ in range(20):
                link.send(request(cgi("/"), flags=fcgi.KEEP))
                equal(link.take().status, 200, "a request on the same connection")
        faulty.expect_served(host)  # The other worker accepts.
        equal(faulty.misbehave(host, "memory&n=100000000", "thread").status, 200, "a hundred megabytes")
        total = busy.stop()
        equal((total.wrong, total.failed), (0, 0), f"{total.short()}")


@suite.test("S30: threads that a plugin leaves running disturb nobody; S09: nor do fifty children that end at once")
def _(t):
    _nothing_lost(t, ["threads&n=20", "children&n=50"])


@suite.test("S31 S32 S33: another working directory, umask, locale or environment changes no answer, and the log goes on")
def _(t):
    with hosts.temporary_folder() as folder:
        files = f'[log]\ntarget = "file:{folder}/log"\naccess = "file:{folder}/access"\n'
        with _watched(t, 1, config=faulty.CONFIG + files) as (host, busy):
            before = host.get("/hello")
            for deed in ("chdir", "umask&n=511", "locale", "environment"):
                _do_everywhere(host, deed)
            after = host.get("/hello")
            equal(after.headers, before.headers, "the head of an answer")
            equal(host.get("/nowhere/" + "x" * 1234).status, 200, "an answer with a large length")
            for each in ("log", "access"):
                (folder / each).rename(folder / f"{each}.1")
            host.send_signal(signal.SIGHUP)
            new = folder / "access"
            eventually(lambda: host.get("/hello").status == 200 and new.exists() and "route=hello" in new.read_text(),
                       "lines in the new access log", 10)
            line = [each for each in new.read_text().splitlines() if "route=hello" in each][-1]
            expect(re.search(r" total_us=\d+ request=", line), f"a number in another locale: {line}")
            body = b"x" * 600000  # It is spooled to a file, whatever the umask is.
            answer = host.exchange(cgi("/thread?nothing", "POST", body), body)
            equal((answer.status, answer.complete), (200, True), "a large body")
            busy.stop().expect_nothing_lost()


@suite.test("S34: blocked and ignored signals keep no worker from ending, nor do fault handlers that are gone")
def _(t):
    for deed in ("block", "ignore", "faults"):
        with faulty.running(t) as host:
            did = _do_everywhere(host, deed)
            equal(host.get("/hello").status, 200, f"another route after {deed}")
            workers = faulty.children(host.pid)
            expect(did <= set(workers), f"{did} {workers}")
            if deed == "faults" and not t.build.sanitizer:
                equal(faulty.misbehave(host, "segv"), None, "a fault that nobody handles")
                eventually(lambda: faulty.ended(host), "a line that tells", 10)
                expect("signal 11" in faulty.ended(host)[-1], faulty.ended(host)[-1])
                faulty.expect_served(host, 5)
                faulty.forget_log(host)
            host.send_signal(signal.SIGHUP)
            faulty.expect_served(host)
            begun = time.monotonic()
            equal(host.end(), 0, f"exit code after {deed}")
            expect(time.monotonic() - begun < 4 * t.build.slowness, f"the end took long after {deed}")
            eventually(lambda all_=workers: all(faulty.has_ended(each) for each in all_), "no worker is left", 5)


@suite.test("S36: what a plugin writes to standard output or error, however much, reaches no answer")
def _(t):
    _nothing_lost(t, ["output&n=100", "output&n=100000"])


def _holders(path):
    """Processes that have a socket bound to this path open."""
    bound = {line.split()[6] for line in pathlib.Path("/proc/net/unix").read_text().splitlines() if line.endswith(f" {path}")}
    found = set()
    for each in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if (name := os.readlink(each)).startswith("socket:[") and name[8:-1] in bound:
                found.add(int(each.parts[2]))
    return found


@suite.test("a plugin that forks and comes back in both is answered once, and no child of its is left")
def _(t):
    with _watched(t) as (host, busy):
        workers = faulty.children(host.pid)
        for _ in range(5):
            _do_everywhere(host, "fork")
        eventually(lambda: _holders(host.socket_path) <= {host.pid, *workers}, "no other process has the socket", 10)
        faulty.expect_served(host)
        busy.stop().expect_nothing_lost()
        equal(faulty.children(host.pid), workers, "workers")


def _close_descriptors(t, place):
    with faulty.running(t) as host, load(t.build, host.unix, kept=2, once=2, rate=500) as busy:
        workers = faulty.children(host.pid)
        expect(faulty.misbehave(host, "close&n=1000", place) is None, "an answer without a socket")
        eventually(lambda: len(set(faulty.children(host.pid)) - set(workers)) == 1, "another worker", 25)
        faulty.expect_served(host)
        total = busy.stop()
        equal(total.wrong, 0, f"wrong answers ({total.first_wrong})")
        expect(total.failed <= 4, total.short())
        faulty.forget_log(host)


@suite.test("S35: a worker whose plugin closed descriptors 0 to 1000 is replaced, the others serve", timeout=90)
def _(t):
    faulty.all_at_once(lambda place: _close_descriptors(t, place), ["loop", "thread"])
