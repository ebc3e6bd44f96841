"""Reloads, one after the other, while workers old and new are killed or stopped at any moment: each reload ends."""

import contextlib
import os
import random
import signal
import threading
import time

from support import faulty
from support.load import load
from support.reloading import Exclusive, reloading
from support.runner import Failure, Suite, expect

suite = Suite("storm")

SETTINGS = 'reload_grace = "2s"\nstart_timeout = "3s"\nwatchdog = "3s"\n'
# The worst: three generations whose workers are stopped are waited for (reload_grace and two seconds, at the same
# time), then a worker that is stopped while it starts (start_timeout, a second to the next look, one for SIGKILL).
LONGEST = 20.0


class Killer:
    """Kills and stops children of a process, at random moments, as often as it can."""

    def __init__(self, pid, seed):
        self.pid = pid
        self.random = random.Random(seed)
        self.deeds = []
        self.stopped = []
        self.over = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.over:
            longest = self.random.choice((0.001, 0.005, 0.02, 0.1, 0.5))
            for _ in range(self.random.randrange(1, 10)):
                time.sleep(self.random.uniform(0, longest))
                self._one()
            time.sleep(self.random.choice((0.0, 0.1, 1.0)))

    def _one(self):
        workers = faulty.children(self.pid)
        if not workers:
            return
        # The first is the oldest, the last has hardly begun.
        victim = self.random.choice((workers[0], workers[-1], self.random.choice(workers)))
        number = self.random.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGABRT))
        self.deeds.append((round(time.monotonic(), 3), victim, number.name))
        del self.deeds[:-40]
        self._send(victim, number)
        if number == signal.SIGSTOP:
            self.stopped.append(victim)
        if self.stopped and self.random.random() < 0.5:
            self._send(self.stopped.pop(self.random.randrange(len(self.stopped))), signal.SIGCONT)

    def _send(self, pid, number):
        if pid in faulty.children(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self):
        self.over = True
        self.thread.join()
        for each in self.stopped:
            self._send(each, signal.SIGCONT)


def _storm(t, seconds, processes, **more):
    seed = int(os.environ.get("STORM_SEED", time.time_ns() % 1000000))
    print(f"     STORM_SEED={seed}")
    chance = random.Random(seed)
    with (reloading(t, processes=processes, server=SETTINGS, **more) as host,
          load(t.build, host.unix, kept=4, once=2, rate=300, patience=60) as busy):
        killer = Killer(host.pid, seed + 1)
        codes, slowest, begun = {0: 0, 1: 0}, 0.0, time.monotonic()
        try:
            while time.monotonic() - begun < seconds:
                asked = time.monotonic()
                code, message = host.ask_to_reload(LONGEST)
                slowest = max(slowest, time.monotonic() - asked)
                expect(code in codes, f"{code}: {message}")
                codes[code] += 1
                if chance.random() < 0.3:
                    host.ask("status", timeout=10)
                if chance.random() < 0.2:
                    host.send_signal(signal.SIGHUP)
                time.sleep(chance.choice((0.0, 0.0, 0.1, 0.5)))
        except Failure:
            print("     " + "\n     ".join(map(str, killer.deeds)))
            raise
        finally:
            killer.end()
        print(f"     {codes[0]} reloads done, {codes[1]} refused, the slowest took {slowest:.1f} s")
        faulty.wait_for_workers(host, processes, 40)
        total = busy.stop()
        expect(total.wrong == 0, f"wrong answers: {total.first_wrong}")
        host.reload(2)
        faulty.wait_for_workers(host, processes, 20)
        faulty.expect_served(host)


@suite.test("reloads while workers are killed and stopped at random moments all end, and the host comes to rest", timeout=150)
def _(t):
    _storm(t, 600 if t.build.is_long else 10, 3)


@suite.test("the same with a plugin that one process alone can have", timeout=150)
def _(t):
    _storm(t, 300 if t.build.is_long else 10, 1, kind=Exclusive)
