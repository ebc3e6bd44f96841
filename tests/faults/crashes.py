"""Workers that are killed, and plugins that end their process, hang, or cannot be started again."""

import os
import re
import signal
import time

from support import faulty
from support.load import load
from support.runner import Suite, equal, eventually, expect

suite = Suite("crashes")

KEPT, ONCE = 4, 4

# What a plugin does, and what the supervisor says of its worker's end.
ENDS = {
    "segv": "signal 11", "abort": "signal 6", "exit": "exit code 0", "exit&n=7": "exit code 7", "leave": "exit code 0",
    "leave&n=7": "exit code 7", "hurry&n=7": "exit code 7", "vanish": "exit code 0", "terminate": "signal 6", "overflow": "signal 11", "thread": "signal 6",
}
# Nobody's code runs on a thread that a plugin made itself.
UNNAMED = ("thread",)


def _kill_for(t, host, seconds, busy):
    """Kills the older of two workers each second; the reports, one for each kill."""
    reports = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(1.0)
        workers = faulty.children(host.pid)
        busy.report()
        os.kill(min(workers, key=faulty.begun), signal.SIGKILL)
        eventually(lambda old=workers: set(faulty.children(host.pid)) - set(old), "another worker", 10)
        time.sleep(0.2 * t.build.slowness)
        reports.append(busy.report())
    return reports


@suite.test("S01: a worker killed each second costs what it ran; the next answer comes within 100 ms", timeout=120)
def _(t):
    with faulty.running(t) as host, load(t.build, host.unix, kept=KEPT, once=ONCE, rate=2000) as busy:
        reports = _kill_for(t, host, 60 if t.build.is_long else 9, busy)
        total = busy.stop()
        for each in reports:
            total = total + each
            # What was in flight in one of two workers, and what it had accepted.
            expect(each.failed + each.refused <= KEPT + ONCE, f"one kill cost {each.failed} requests")
            expect(each.closed <= KEPT, f"one kill closed {each.closed} of {KEPT} kept connections")
        equal(total.wrong, 0, f"wrong answers ({total.first_wrong})")
        gaps = sorted(each.slowest_gap_ms for each in reports)
        print(f"     {len(reports)} kills, {total.failed} requests lost, {total.closed} kept connections closed; until the "
              f"next answer {gaps[len(gaps) // 2]:.1f} ms, at most {gaps[-1]:.1f} ms")
        expect(gaps[len(gaps) // 2] < 100 * t.build.slowness, f"milliseconds until the next answer: {gaps}")
        equal(len(faulty.ended(host)), len(reports), "ends that were told")


@suite.test("S01: with one worker only, the next one answers soon after it was killed", timeout=60)
def _(t):
    with faulty.running(t, processes=1) as host, load(t.build, host.unix, kept=2, once=2, rate=1000) as busy:
        gaps = []
        for _ in range(20 if t.build.is_long else 4):
            time.sleep(1.2)
            (worker,) = faulty.children(host.pid)
            busy.report()
            os.kill(worker, signal.SIGKILL)
            eventually(lambda old=worker: faulty.children(host.pid) not in ([], [old]), "another worker", 10)
            time.sleep(0.3 * t.build.slowness)
            report = busy.report()
            equal(report.wrong, 0, f"wrong answers ({report.first_wrong})")
            expect(report.failed <= 4, f"{report.failed} requests were lost")
            gaps.append(report.slowest_gap_ms)
        gaps.sort()
        print(f"     until the next answer {gaps[len(gaps) // 2]:.1f} ms, at most {gaps[-1]:.1f} ms")
        expect(gaps[len(gaps) // 2] < 100 * t.build.slowness, f"milliseconds until the next answer: {gaps}")


def _end_in_every_way(t, place):
    path, _, named = faulty.PLACES[place]
    with faulty.running(t) as host, load(t.build, host.unix, kept=2, once=2, rate=500) as busy:
        kills = 0
        for deed, told in ENDS.items():
            faulty.wait_for_workers(host, 2, settled=True)
            equal(faulty.misbehave(host, deed, place), None, f"the answer to {deed} at {path}")
            kills += 1
            eventually(lambda count=kills: len(faulty.ended(host)) == count, f"a line that tells of {deed} at {path}", 10)
            line = faulty.ended(host)[-1]
            expect(f'how="{told}' in line, f"{deed} at {path}: {line}")
            # Nothing hears a system call of its own: then it is one of those who ran, mostly the only one.
            one_of = re.sub(r"plugin=(\S+) route=(\S+)", r"\1 for \2", named)
            expect(deed in UNNAMED or named in line or (deed == "vanish" and one_of in line), f"{deed} at {path} is not named: {line}")
            faulty.expect_served(host, 5)
        total = busy.stop()
        equal(total.wrong, 0, f"wrong answers ({total.first_wrong})")
        expect(total.failed <= 4 * kills, f"{total.failed} good requests were lost in {kills} ends")
        expect(total.slowest_gap_ms < 1000 * t.build.slowness, f"no good answer for {total.slowest_gap_ms} ms")
        faulty.wait_for_workers(host, 2)
        faulty.forget_log(host)


@suite.test("S02: a plugin that ends its process, in any way and anywhere, costs that worker and is named", timeout=90)
def _(t):
    if t.build.sanitizer:
        return  # It handles faults itself, and its report would fail the test.
    faulty.all_at_once(lambda place: _end_in_every_way(t, place), list(faulty.PLACES))


@suite.test("S02: a plugin that throws fails its request, denies as a guard, and its worker goes on")
def _(t):
    with faulty.running(t) as host:
        workers = faulty.children(host.pid)
        for place in faulty.PLACES:
            for deed in ("throw", "number"):
                answer = faulty.misbehave(host, deed, place)
                equal((answer.status, answer.complete), (500, True), f"{deed}: {place}")
                expect(answer.header("Variable-REMOTE_USER") is None, "a variable of a verdict that never was")
                told = host.log_text().splitlines()[-1]
                expect(f"route={faulty.PLACES[place][2].partition('route=')[2]} " in told and "status=500" in told, told)
        equal(faulty.children(host.pid), workers, "workers")


@suite.test("S03: a plugin that sleeps or loops for ever on a thread is answered 504, denies as a guard, harms nobody")
def _(t):
    for deed in ("sleep", "loop"):
        with faulty.running(t, config=faulty.IMPATIENT, server='shutdown_grace = "200ms"') as host:
            with load(t.build, host.unix, kept=2, once=2, rate=500) as busy:
                for place in ("thread", "guard"):
                    answer = faulty.misbehave(host, deed, place)
                    equal((answer.status, answer.complete), (504, True), f"{deed}: {place}")
                    told = host.log_text()
                    expect('did not answer within its timeout' in told, f"nothing tells of {deed}: {told}")
                total = busy.stop()
                total.expect_nothing_lost()


SPARE = """
[plugin.edition]
file = "edition_1.so"
threads = 0
[plugin.spare]
file = "{file}"
{settings}
[[route]]
name = "spare"
path = "/spare"
respond = "spare"
[[route]]
path = "/**"
respond = "edition"
"""


def _cannot_start_again(t, file, settings, marker):
    """What is told, where the second of two workers ends for ever while it starts."""
    with faulty.running(t, config=SPARE.format(file=file, settings=settings)) as host:
        equal(host.get("/spare").status, 200, "the plugin, while it starts")
        time.sleep(1.1)
        with load(t.build, host.unix, kept=2, once=2, rate=200) as busy:
            (host.folder / marker).touch()
            os.kill(faulty.children(host.pid)[0], signal.SIGKILL)
            span = 20 if t.build.is_long else 4
            supervisor = host.processor_seconds()
            size = host.log.stat().st_size
            time.sleep(span)
            spent = host.processor_seconds() - supervisor
            lines = faulty.ended(host)
            delays = [int(each) for each in re.findall(r"milliseconds=(\d+)", host.log_text())]
            (host.folder / marker).unlink()
            total = busy.stop()
        expect(total.failed + total.wrong <= 4, f"{total.short()}")
        expect(len(delays) >= 3 and delays == sorted(delays) and delays[-1] >= 400, f"delays {delays}")
        expect(delays[-1] <= 10000, f"delays {delays}")
        expect(spent < 0.01 * span * t.build.slowness + 0.03, f"the supervisor took {spent:.2f} s in {span} s")
        expect(host.log.stat().st_size - size < 8192, f"{host.log.stat().st_size - size} bytes of log in {span} s")
        expect(all("plugin=spare" in each for each in lines[1:]), f"not named: {lines}")
        faulty.wait_for_workers(host, 2, 15)
        eventually(lambda: "worker ready" in host.log_text(), "it starts when it can", 15)
        faulty.forget_log(host)


@suite.test("S04: a plugin that crashes at load, or in create, is tried again later and later; the other worker serves")
def _(t):
    if t.build.sanitizer:
        return
    cases = [("crashes_at_load.so", "threads = 0", "crash-at-load"),
             ("crashes.so", 'threads = 1\nconfig = { only_if = "crash-in-create" }', "crash-in-create")]
    faulty.all_at_once(lambda case: _cannot_start_again(t, *case), cases)


@suite.test("S04: a plugin that crashes at its first call, a hundred times, takes no other route down", timeout=120)
def _(t):
    if t.build.sanitizer:
        return
    for place, deed in (("loop", "segv"), ("guard", "segv"), ("loop", "leave"), ("thread", "leave&n=7")):
        with faulty.running(t) as host, load(t.build, host.unix, kept=2, once=2, rate=200) as busy:
            refused = 0
            for _ in range(100):
                answer = faulty.misbehave(host, deed, place, 30)
                expect(answer is None or (answer.status, answer.complete) == (500, True), f"the answer of {place}: {answer}")
                refused += answer is not None
            total = busy.stop()
            kills = len(faulty.ended(host))
            print(f"     {deed} on {place}: {kills} workers ended, {refused} calls refused; {total.short()}")
            equal(kills + refused, 100, "calls")
            expect(kills < 30, f"{kills} workers ended in 100 calls")
            equal(total.wrong, 0, f"wrong answers ({total.first_wrong})")
            expect(total.failed <= 4 * kills, f"{total.failed} good requests were lost in {kills} ends")
            expect(total.slowest_gap_ms < 1000 * t.build.slowness, f"no good answer for {total.slowest_gap_ms} ms")
            expect("is not called for a while" in host.log_text(), "nothing tells of it")
            eventually(lambda: faulty.misbehave(host, "nothing", place).status == 200, "it is called again", 15)
            faulty.wait_for_workers(host, 2)
            faulty.forget_log(host)
