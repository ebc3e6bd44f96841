"""Kept connections move to other workers: when a reload retires theirs, and to even them out."""

import collections
import pathlib
import signal
import threading
import time

from support import fcgi, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect

suite = Suite("moving")

CONFIG = """
[plugin.perish]
threads = 0
[plugin.slow]
threads = 8
timeout = "60s"
[[route]]
name = "pid"
path = "/loop/**"
respond = "perish"
[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"
"""


def children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return {int(each) for each in listed.read_text().split()} if listed.exists() else set()


def running_with(t, processes=2, **more):
    return site.running(t.build, CONFIG, processes=processes, **more)


def pid_over(link, request_id=1):
    """Which worker answers on this connection."""
    link.send(request(cgi("/loop"), flags=fcgi.KEEP, request_id=request_id))
    answer = link.take(request_id)
    equal((answer.status, answer.complete), (200, True), "an answer on a kept connection")
    return int(answer.body)


def reload(t, running):
    """Returns when no worker from before accepts any more."""
    before = children(running.pid)
    running.mark_log()
    running.send_signal(signal.SIGHUP)
    # The host says it once the old workers have stopped accepting; new ones answer before that.
    eventually(lambda: "reloaded" in running.log_since_mark(), "the end of the reload", 20)
    return before


def gone(pids):
    return not any(pathlib.Path(f"/proc/{each}").exists() for each in pids)


@suite.test("kept connections outlive a reload: none closes, and new workers answer on all of them")
def _(t):
    with running_with(t) as running:
        links = [running.connect(running.tcp if i % 4 == 0 else None) for i in range(300)]
        for link in links:
            pid_over(link)
        for _ in range(3):
            old = reload(t, running)
            eventually(lambda old=old: gone(old), "the old workers end", 10 * t.build.slowness)
            for link in links:
                expect(pid_over(link) not in old, "an old worker answers")
        expect(not any(link.closed for link in links), "a kept connection was closed")
        for link in links:
            link.close()


@suite.test("requests on kept connections without a pause: five reloads lose none")
def _(t):
    with running_with(t) as running:
        stop = threading.Event()
        counts, failures = collections.Counter(), []

        def client(number):
            try:
                with running.connect() as link:
                    while not stop.is_set():
                        counts[pid_over(link)] += 1
            except Exception as error:  # pylint: disable=broad-exception-caught
                failures.append(f"client {number}: {error!r}")

        clients = [threading.Thread(target=client, args=(i,)) for i in range(6)]
        for each in clients:
            each.start()
        olds = set()
        for _ in range(5):
            old = reload(t, running)
            olds |= old
            eventually(lambda old=old: gone(old), "the old workers end", 10 * t.build.slowness)
        stop.set()
        for each in clients:
            each.join()
        equal(failures, [], "failures")
        expect(len([each for each in counts if each in olds]) >= 5, f"old workers answered too: {counts}")


@suite.test("a multiplexed connection that never comes to rest is frozen, moves, and every request is answered")
def _(t):
    grace = 3 * t.build.slowness
    with running_with(t, server=f'reload_grace = "{int(grace * 1000)}ms"') as running, running.connect() as link:
        first = pid_over(link)
        old = set()
        open_ids, next_id, answered = set(), 1, 0
        begun = time.monotonic()
        slowest = 0.0
        sent_at = {}
        while time.monotonic() - begun < 2 * grace or open_ids:
            over = time.monotonic() - begun >= 2 * grace
            # Three at a time, so that one is always open.
            while len(open_ids) < 3 and not over:
                link.send(request(cgi("/slow?ms=60"), flags=fcgi.KEEP, request_id=next_id))
                open_ids.add(next_id)
                sent_at[next_id] = time.monotonic()
                next_id = next_id % 60000 + 1
            if not old and time.monotonic() - begun > 0.3:
                old = children(running.pid)
                running.send_signal(signal.SIGHUP)
            link.pump(1.0)
            for each in [each for each in open_ids if each in link.responses and link.responses[each].ended]:
                answer = link.take(each)
                equal((answer.status, answer.complete), (200, True), f"request {each}")
                slowest = max(slowest, time.monotonic() - sent_at.pop(each))
                open_ids.remove(each)
                answered += 1
            expect(not link.closed, "the connection was closed")
        expect(answered > 20, f"{answered} answers")
        expect(first in old, "asked before the reload")
        expect(pid_over(link) not in old, "it stayed with its old worker")
        eventually(lambda: gone(old), "the old workers end", 10 * t.build.slowness)
        expect(slowest < 2 * t.build.slowness, f"the slowest of {answered} answers took {slowest:.2f} s")


@suite.test("what still runs when reload_grace is over is cut, and the old worker ends")
def _(t):
    with running_with(t, server='reload_grace = "1s"') as running, running.connect() as link:
        link.send(request(cgi("/slow?ms=30000"), flags=fcgi.KEEP))
        time.sleep(0.3 * t.build.slowness)
        old = reload(t, running)
        expect(link.closes(10 * t.build.slowness), "the request runs on")
        eventually(lambda: gone(old), "the old workers end", 10 * t.build.slowness)
        expect("reload_grace is over: what still runs is cancelled" in running.log_text(), "it is not told")


@suite.test("a request that runs through a reload is answered by the old worker, the next one by a new one")
def _(t):
    with running_with(t) as running, running.connect() as link:
        first = pid_over(link)
        link.send(request(cgi("/slow?ms=1500"), flags=fcgi.KEEP))
        time.sleep(0.3 * t.build.slowness)
        old = reload(t, running)
        answer = link.take()
        equal((answer.status, answer.complete), (200, True), "the request that ran")
        second = pid_over(link)
        expect(first in old and second not in old, f"{first}, then {second}; old ones {old}")


@suite.test("kept connections spread over the workers by themselves")
def _(t):
    with running_with(t, 4) as running:
        links = []
        for _ in range(48):
            link = running.connect()
            links.append(link)
            pid_over(link)

        def is_even():
            counts = collections.Counter(pid_over(link) for link in links).values()
            return len(counts) == 4 and max(counts) <= 18 and min(counts) >= 6

        eventually(is_even, "the connections spread over four workers", 10)
        for link in links:
            link.close()
