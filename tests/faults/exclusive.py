"""Plugins that one process alone can have: two generations never have one at the same time, and nothing is lost but a moment.

`holder` takes a lock and a port when it is created, and does not start where they are held: whatever were started too early
would fail, and the reload with it.
"""

import json
import os
import re
import signal
import time

from support import faulty, fcgi, host as hosts
from support.fcgi import cgi, request
from support.load import load, loads, stop
from support.reloading import Exclusive, expect_reloads_lose_nothing, haproxy_before, reloading
from support.runner import Suite, equal, eventually, expect

suite = Suite("exclusive plugins")


def exclusive(t, server="", **more):
    for edition in (1, 2):
        t.build.plugin(f"holder_{edition}")
    return reloading(t, processes=1, kind=Exclusive, server=server, **more)


def _with(host, settings):
    """The configuration with other settings of the plugin."""
    return re.sub(r"(port = \d+).*\}", rf"\1{settings} }}", host.file.read_text())


@suite.test("reloads in a row under load lose nothing, close no kept connection, and bring each time the new code", timeout=120)
def _(t):
    with exclusive(t) as host:
        expect_reloads_lose_nothing(host, 100 if t.build.is_long else 8)
        host.expect_settled(1)


@suite.test("reloads behind HAProxy, and under multiplexed connections that are never idle, lose nothing", timeout=120)
def _(t):
    count = 30 if t.build.is_long else 3
    with exclusive(t) as host, haproxy_before(host) as web, loads(
            t.build, (web, {"kept": 16, "rate": 500}), (host.unix, {"kept": 2, "streams": 8, "rate": 1000})) as busy:
        for number in range(count):
            begun = time.monotonic()
            host.reload(2 - number % 2)
            # The third of reload_grace, ten seconds, is not waited for.
            expect(time.monotonic() - begun < 3 * t.build.slowness, f"a reload took {time.monotonic() - begun:.1f} s")
            time.sleep(0.1)
        total = stop(busy)
        print(f"     {count} reloads; {total.short()}")
        total.expect_nothing_lost()
        host.expect_settled(1)


@suite.test("more kept connections than wait otherwise all survive a reload, and are answered by the new code", timeout=120)
def _(t):
    idle = 3000
    with exclusive(t) as host, load(t.build, host.unix, idle=idle, kept=2, rate=200, patience=60) as busy:
        begun = time.monotonic()
        host.reload(2)
        print(f"     reload {time.monotonic() - begun:.2f} s")
        between = busy.report()
        equal((between.idle_open, between.closed, between.failed), (idle, 0, 0), "idle connections after the reload")
        poked = busy.poke()
        equal(set(poked.editions), {"2"}, "editions that answered")
        expect(poked.answered >= idle, poked.short())
        (between + poked + busy.stop()).expect_nothing_lost()


@suite.test("while what runs ends, those who come wait and status answers; nobody waits longer than reload_grace", timeout=90)
def _(t):
    with exclusive(t, server='reload_grace = "3s"\n') as host:
        with host.connect(timeout=60) as slow, load(t.build, host.unix, kept=2, once=2, rate=100) as busy:
            slow.send(request(cgi("/slow?ms=1500"), flags=fcgi.KEEP))
            time.sleep(0.3 * t.build.slowness)
            host.put(2)
            asked = host.begin_to_reload()
            eventually(lambda: "retiring" in host.log_text(), "the old worker retires", 10)
            told = host.ask("status", "--json", timeout=10)
            equal(told.returncode, 0, f"status: {told.stderr!r}")
            status = json.loads(told.stdout)
            equal((status["state"], status["generation"]), ("reloading", 1), "status while nobody serves")
            expect(asked.poll() is None, "the reload did not wait for the request")
            answer = slow.take()
            equal((answer.status, answer.complete), (200, True), "the request that ran")
            equal(host.end_of_reload(asked), (0, ""), "the reload")
            equal(host.edition(), 2, "the edition afterwards")
            slow.send(request(cgi("/"), flags=fcgi.KEEP))
            equal(slow.take().body.split()[0], b"2", "the edition on the connection of the request that ran")
            total = busy.stop()
            total.expect_nothing_lost()
            expect(total.slowest_gap_ms > 500, f"nobody has waited: {total.short()}")
        with host.connect(timeout=60) as slow:
            slow.send(request(cgi("/slow?ms=30000"), flags=fcgi.KEEP))
            time.sleep(0.3 * t.build.slowness)
            begun = time.monotonic()
            host.reload(1)
            took = time.monotonic() - begun
            expect(2.5 < took < 8 * t.build.slowness, f"the reload took {took:.1f} s, reload_grace is 3 s")


@suite.test("no worker runs for a moment: status says so and answers")
def _(t):
    with exclusive(t, server='start_timeout = "2s"\n') as host:
        good = host.file.read_text()
        (old,) = faulty.children(host.pid)
        host.file.write_text(_with(host, ', then = "hang"'))
        asked = host.begin_to_reload()
        eventually(lambda: old not in faulty.children(host.pid), "the old worker has ended", 10)
        told = host.ask("status", timeout=10)
        equal(told.returncode, 0, f"status: {told.stderr!r}")
        expect(b"reloading" in told.stdout, told.stdout)
        equal(host.end_of_reload(asked)[0], 1, "exit code")
        host.file.write_text(good)
        equal(host.edition(), 1, "the edition afterwards")


@suite.test("where the new generation cannot start the old one comes back, the message says why, and nothing is lost", timeout=90)
def _(t):
    ways = {
        "throw": (1, ['plugin "holder": thrown on purpose, with the lock and the port']),
        "abort": (1, ['a worker ended before it was ready: signal 6 (Aborted) in plugin "holder"']),
        "hang": (1, ['in plugin "holder"', "not ready within server.start_timeout"]),
    }
    if t.build.sanitizer:
        del ways["abort"]
    with exclusive(t, server='start_timeout = "1s"\n') as host:
        good = host.file.read_text()
        with loads(t.build, (host.unix, {"kept": 4, "once": 4, "rate": 500}), (host.unix, {"idle": 100})) as busy:
            host.put(2)
            for then, (code, said) in ways.items():
                host.file.write_text(_with(host, f', then = "{then}"'))
                found, message = host.ask_to_reload()
                equal(found, code, f"exit code with a plugin that does {then}: {message}")
                for each in said:
                    expect(each in message, f"{then}: {each!r} is not in {message}")
                equal(host.edition(), 1, f"the edition that answers after {then}")
                expect(host.ask("status").stdout.count(b"generation 1") > 0, host.ask("status").stdout)
            poked = busy[1].poke()
            equal(poked.idle_open, 100, "idle connections that are left")
            total = poked + stop(busy)
            print(f"     {total.short()}")
            total.expect_nothing_lost()
            host.file.write_text(good)
            host.reload(2)
        faulty.wait_for_workers(host, 1)
        faulty.forget_log(host)


@suite.test("what is wrong with the new configuration is found before the old worker has noticed anything")
def _(t):
    with exclusive(t) as host:
        good, workers = host.file.read_text(), faulty.children(host.pid)
        for text, code, said in ((good + "[log]\nlevl = 1\n", 78, "levl"),
                                 (good.replace("processes = 1", "processes = 2"), 78, "is exclusive"),
                                 (good.replace('lock = "', 'lick = "'), 78, "lick"),
                                 (good + '[[listen]]\naddress = "unix:/nowhere/x.sock"\n', 1, "/nowhere")):
            host.file.write_text(text)
            found, message = host.ask_to_reload()
            equal((found, said in message), (code, True), message)
            equal(faulty.children(host.pid), workers, "the workers")
        host.file.write_text(good)


@suite.test("a worker that is killed, worn out or has lost a thread has ended before the next one starts", timeout=90)
def _(t):
    with exclusive(t, server="max_requests = 500\n") as host, load(t.build, host.unix, kept=4, once=4, rate=1000) as busy:
        seen = set()
        deadline = time.monotonic() + (20 if t.build.is_long else 4) * t.build.slowness
        while time.monotonic() < deadline:
            now = set(faulty.children(host.pid))
            expect(len(now) <= 1, f"two workers at once: {now}")
            seen |= now
            time.sleep(0.002)
        total = busy.stop()
        print(f"     {len(seen)} workers worn out; {total.short()}")
        total.expect_nothing_lost()
        expect(len(seen) >= 3, f"workers: {seen}")
        bad = [line for line in faulty.ended(host) if " how=" in line]
        equal(bad, [], "workers that did not end in order")
    with exclusive(t) as host:
        time.sleep(1.1)
        for _ in range(3):
            (worker,) = faulty.children(host.pid)
            begun = time.monotonic()
            os.kill(worker, signal.SIGKILL)
            equal(host.edition(), 1, "the answer after kill -9")
            print(f"     the next answer after kill -9: {(time.monotonic() - begun) * 1000:.0f} ms")
            time.sleep(1.1)
    with exclusive(t) as host:
        text = host.file.read_text().replace('timeout = "60s"', 'timeout = "500ms"', 1).replace(
            "[plugin.slow]", "[plugin.slow]\nconfig = { stubborn = true }")
        host.file.write_text(text)
        host.reload(1)
        (worker,) = faulty.children(host.pid)
        equal(host.get("/slow?ms=600000").status, 504, "a call that does not come back")
        eventually(lambda: faulty.children(host.pid) not in ([], [worker]), "another worker", 15)
        equal(host.edition(), 1, "the edition afterwards")
        faulty.forget_log(host)


@suite.test("from a configuration without an exclusive plugin to one with, and back, nobody waits but for who still has it", timeout=60)
def _(t):
    with exclusive(t, server='reload_grace = "10s"\n') as host, load(t.build, host.unix, kept=2, once=2, rate=300) as busy:
        good = host.file.read_text()
        plain = re.sub(r"\[plugin.holder\][^[]*", f'[plugin.holder]\nfile = "{t.build.plugin("edition_2")}"\n', good)
        with host.connect(timeout=60) as slow:
            slow.send(request(cgi("/slow?ms=2000"), flags=fcgi.KEEP))
            time.sleep(0.3 * t.build.slowness)
            begun = time.monotonic()
            host.file.write_text(plain)
            equal(host.ask_to_reload(), (0, ""), "to one without")
            expect(time.monotonic() - begun < 1 * t.build.slowness, "it has waited for the request that ran")
            equal(host.edition(), 2, "the edition without")
            host.file.write_text(good)
            equal(host.ask_to_reload(), (0, ""), "back")
            expect(time.monotonic() - begun > 1.5, "it has not waited for the worker that still had it")
            equal(slow.take().status, 200, "the request that ran")
        equal(host.edition(), 1, "the edition with it")
        busy.stop().expect_nothing_lost()
        host.expect_settled(1)


@suite.test("binary upgrades under load lose nothing; one that cannot serve goes back, and its connections with it", timeout=90)
def _(t):
    with exclusive(t) as host, load(t.build, host.unix, kept=4, once=2, idle=50, rate=500) as busy:
        for _ in range(20 if t.build.is_long else 3):
            told = host.ask("upgrade", timeout=60)
            equal((told.returncode, told.stderr), (0, b""), "`trivet upgrade`")
            equal(host.edition(), 1, "the edition afterwards")
        good = host.file.read_text()
        host.file.write_text(_with(host, ', then = "throw"'))
        told = host.ask("upgrade", timeout=60)
        equal(told.returncode, 1, f"an upgrade whose plugin does not start: {told.stderr!r}")
        expect(b"thrown on purpose" in told.stderr, told.stderr)
        host.file.write_text(good)
        total = busy.poke() + busy.stop()
        print(f"     {total.short()}")
        total.expect_nothing_lost()
        equal(host.edition(), 1, "the edition afterwards")


@suite.test("more than one process is refused with its place and cure; by default there is one, and the log says so")
def _(t):
    with exclusive(t) as host:
        good = host.file.read_text()
        host.file.write_text(good.replace("processes = 1", "processes = 3"))
        line = good[:good.index("processes = 1")].count("\n") + 1
        told = hosts.run_trivet(t.build, "check", "-c", host.file)
        equal(told.returncode, 78, "exit code of `trivet check`")
        expect(f"{host.file}:{line}:13: error: 3 processes cannot all have the plugin \"holder\"".encode() in told.stdout +
               told.stderr and b"set it to 1" in told.stdout + told.stderr, told.stdout + told.stderr)
        told = hosts.run_trivet(t.build, "serve", "-c", host.file, "--processes", "2")
        equal(told.returncode, 78, "exit code of `trivet serve --processes 2`")
        expect(b"--processes: error: 2 processes cannot all have" in told.stderr, told.stderr)
        host.file.write_text(good.replace("processes = 1\n", ""))
        equal(hosts.run_trivet(t.build, "check", "-c", host.file).returncode, 0, "check without `processes`")
        equal(host.ask_to_reload(), (0, ""), "a reload without `processes`")
        faulty.wait_for_workers(host, 1)
        expect("there is one worker: a plugin is exclusive plugin=holder" in host.log_text(), "no line in the log")
