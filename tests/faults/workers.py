"""What a supervisor does about its workers: evens them out, replaces those that hang, leak or are worn out."""

import os
import pathlib
import re
import signal
import statistics
import time

from support import faulty, fcgi, host as hosts
from support.fcgi import STDIN, cgi, record, request
from support.load import load
from support.runner import Suite, equal, eventually, expect

suite = Suite("workers under load")


def _spread(t, host):
    """How far the requests of the busiest worker are above those of the idlest, after a second."""
    with load(t.build, host.unix, kept=64, rate=6000) as busy:
        time.sleep(1.0)
        busy.report()
        time.sleep(1.0 * t.build.slowness)
        pids = busy.report().pids
        total = busy.stop()
        equal((total.wrong, total.failed, total.closed), (0, 0, 0), total.short())
    expect(len(pids) == 4, f"workers that answer: {pids}")
    return 1 - min(pids.values()) / max(pids.values())


@suite.test("64 kept connections are even over four workers after a second, within a quarter")
def _(t):
    with faulty.running(t, processes=4) as host:
        spreads = [_spread(t, host) for _ in range(5)]
        print("     " + ", ".join(f"{each:.0%}" for each in spreads))
        expect(statistics.median(spreads) <= 0.25, f"requests of workers differ by {spreads}")


@suite.test("a receiver that is killed before it has taken what was handed to it loses no connection", timeout=90)
def _(t):
    with faulty.running(t) as host:
        time.sleep(1.1)
        old = faulty.children(host.pid)
        os.kill(old[1], signal.SIGKILL)  # The one that comes for it holds no connection.
        eventually(lambda: set(faulty.children(host.pid)) - set(old), "another worker", 10)
        (receiver,) = set(faulty.children(host.pid)) - set(old)
        eventually(lambda: f"worker ready worker=1 pid={receiver}" in host.log_text() or
                   re.search(rf"worker ready .*pid={receiver}\b", host.log_text()), "it is ready", 10)
        os.kill(receiver, signal.SIGSTOP)
        with load(t.build, host.unix, idle=200, patience=60) as busy:
            time.sleep(0.5)
            os.kill(receiver, signal.SIGKILL)
            faulty.wait_for_workers(host, 2)
            poked = busy.poke()
            equal((poked.idle_open, poked.closed, poked.failed, poked.wrong), (200, 0, 0, 0), "connections that were handed over")
            expect(poked.answered >= 200, poked.short())
            print(f"     {len(poked.pids)} workers answer: {sorted(poked.pids.values())}")


WATCHED = 'watchdog = "1s"\n'


@suite.test("S03: a plugin that loops for ever on the loop is named, its worker killed, its requests end as closed connections", timeout=90)
def _(t):
    with faulty.running(t, server=WATCHED) as host, load(t.build, host.unix, kept=4, once=4, rate=500) as busy:
        workers = faulty.children(host.pid)
        for place in ("loop", "guard on the loop"):
            equal(faulty.misbehave(host, "loop", place, 30), None, f"the answer to a loop: {place}")
            eventually(lambda: len(set(faulty.children(host.pid)) - set(workers)) == 1, "another worker", 20)
            workers = faulty.children(host.pid)
            line = faulty.ended(host)[-1]
            expect(faulty.PLACES[place][2] in line, f"the one who looped is not named: {line}")
            faulty.expect_served(host, 5)
            time.sleep(1.1)
        total = busy.stop()
        equal(total.wrong, 0, f"wrong answers ({total.first_wrong})")
        expect(total.failed <= 16, total.short())
        faulty.forget_log(host)


@suite.test("S30: workers that are replaced after max_requests, one at a time, lose no request and close no kept connection", timeout=90)
def _(t):
    with faulty.running(t, server="max_requests = 700\n") as host, load(t.build, host.unix, kept=4, once=4, rate=1000) as busy:
        seen = set(faulty.children(host.pid))
        deadline = time.monotonic() + (20 if t.build.is_long else 6)
        while time.monotonic() < deadline:
            now = faulty.children(host.pid)
            seen.update(now)
            time.sleep(0.02)
        total = busy.stop()
        print(f"     {len(seen)} workers; {total.short()}")
        total.expect_nothing_lost()
        expect(len(seen) >= 4, f"workers: {seen}")


@suite.test("S30: a worker whose plugin leaks memory is replaced at max_memory; nothing is lost", timeout=90)
def _(t):
    if t.build.sanitizer:
        return
    with faulty.running(t, server='max_memory = "128MiB"\n') as host, load(t.build, host.unix, kept=2, once=2, rate=300) as busy:
        workers = set(faulty.children(host.pid))
        with host.connect() as link:
            for _ in range(10):
                link.send(request(cgi("/thread?memory&n=20000000"), flags=fcgi.KEEP))
                equal(link.take().status, 200, "the leak")
            eventually(lambda: set(faulty.children(host.pid)) - workers, "another worker", 20)
        busy.stop().expect_nothing_lost()
        faulty.expect_served(host)


HELD = """
[plugin.echo]
[[route]]
path = "/held"
respond = "echo"
"""


def _hang(host):
    """The connection to a worker that loops on its loop, with every signal blocked; it is ended by who comes after."""
    link = host.connect(timeout=60)
    for deed in ("block", "ignore"):
        link.send(request(cgi(f"/loop?{deed}"), flags=fcgi.KEEP))
        equal(link.take().status, 200, deed)
    link.send(request(cgi("/loop?loop"), flags=fcgi.KEEP))
    return link


def _wait_for_work(workers):
    """Until one of them has been busy for a while: it loops."""
    def busy():
        return max(sum(map(int, pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:13]))
                   for each in workers)

    before = busy()
    eventually(lambda: busy() > before + 20, "a worker that loops", 20)  # 0.2 s of processor time


@suite.test("S03: a worker that hangs in a plugin does not outlive a killed supervisor for long; the others finish what runs",
            timeout=90)
def _(t):
    config = HELD + faulty.CONFIG
    with faulty.running(t, processes=3, config=config, server='shutdown_grace = "3s"\nwatchdog = "120s"\n') as host:
        workers = faulty.children(host.pid)
        with host.connect(timeout=60) as slow, _hang(host):
            _wait_for_work(workers)  # What comes now is not for the one that hangs.
            slow.send(request(cgi("/held", method="POST"), flags=fcgi.KEEP, body=None) + record(STDIN, b"half"))
            expect(slow.pump(20), "its answer does not begin")
            host.kill()
            slow.send(record(STDIN, b""))
            equal(slow.take().status, 200, "what ran in a worker whose supervisor is gone")
            begun = time.monotonic()
            # shutdown_grace, two seconds more, and one for looking.
            eventually(lambda: all(faulty.has_ended(each) for each in workers), "the end of every worker", 30)
            print(f"     every worker had ended {time.monotonic() - begun:.1f} s later")
        expect("this worker does not end: it is killed" in host.log_text(), "nothing tells of it")
        host.log.write_text("")
        host.start()
        faulty.expect_served(host, 5)


@suite.test("S03: a worker that hangs while it creates a plugin does not outlive a killed supervisor either", timeout=60)
def _(t):
    with hosts.temporary_folder() as folder:
        config = faulty.CONFIG + f"""
[plugin.crashes]
config = {{ how = "hang", only_if = "{folder}/hang" }}
"""
        with faulty.running(t, config=config, server='shutdown_grace = "1s"\nstart_timeout = "120s"\n') as host:
            (folder / "hang").touch()
            workers = faulty.children(host.pid)
            os.kill(workers[0], signal.SIGKILL)
            eventually(lambda: len(set(faulty.children(host.pid)) - set(workers)) == 1, "a worker that hangs", 10)
            workers = faulty.children(host.pid)
            time.sleep(0.5 * t.build.slowness)
            host.kill()
            eventually(lambda: all(faulty.has_ended(each) for each in workers), "the end of every worker", 30)
            (folder / "hang").unlink()
            host.log.write_text("")
            host.start()
