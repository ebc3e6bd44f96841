"""`keep_busy`, the load driver, at work beside a test: what was asked, and whether each answer was right."""

import collections
import contextlib
import json
import select
import subprocess
import time

from support import runner

class Report(dict):
    """What happened since the report before, by name: answered, wrong, failed, closed, slowest_gap_ms, ..."""

    def __getattr__(self, name):
        return self[name]

    def __add__(self, other):
        total = Report(self)
        for name, value in other.items():
            if isinstance(value, dict):
                total[name] = dict(collections.Counter(total[name]) + collections.Counter(value))
            elif name.startswith("slowest"):
                total[name] = max(total[name], value)
            elif name == "first_wrong":
                total[name] = total[name] or value
            elif name != "idle_open":
                total[name] += value
        return total

    def short(self):
        return (f"{self.answered} answered, {self.wrong} wrong, {self.failed} failed, {self.closed} kept connections closed, "
                f"slowest answer {self.slowest_answer_ms:.1f} ms, longest gap {self.slowest_gap_ms:.1f} ms")

    def expect_nothing_lost(self):
        lost = {name: self[name] for name in ("wrong", "failed", "closed", "refused") if self[name]}
        runner.expect(not lost, f"{lost} of {self.answered}; {self.first_wrong}")
        runner.expect(self.answered > 0, "nothing was answered")


class Load:
    """Each line that keep_busy says has to come within `patience` seconds."""

    def __init__(self, build, address, patience=30.0, **options):
        program = build.folder / "bin" / "keep_busy"
        if not program.exists():
            runner.skip(f"{program} was not built")
        arguments = [each for name, value in options.items() for each in (f"--{name}", str(value))]
        self.patience = patience * build.slowness
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [str(program), address, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._unread = b""
        runner.equal(self._line(), b"up", "what keep_busy says first")

    def _line(self):
        deadline = time.monotonic() + self.patience
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise runner.Failure("keep_busy did not get all the answers that it waits for")
            more = self.process.stdout.read1(65536)
            if not more:
                raise runner.Failure(f"keep_busy ended with {self.process.wait()}")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _order(self, what):
        self.process.stdin.write(what + b"\n")
        self.process.stdin.flush()
        return Report(json.loads(self._line()))

    def report(self):
        return self._order(b"report")

    def poke(self):
        """The idle connections ask once more; the report when they have their answers."""
        return self._order(b"poke")

    def stop(self):
        """Lets open requests end; the last report."""
        last = self._order(b"stop")
        runner.equal(self.process.wait(self.patience), 0, "exit code of keep_busy")
        return last

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()


@contextlib.contextmanager
def load(build, address, **options):
    """A Load for the time of a `with`."""
    running = Load(build, address, **options)
    try:
        yield running
    finally:
        running.kill()


@contextlib.contextmanager
def loads(build, *several):
    """Several at once: each an (address, options)."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(load(build, address, **options)) for address, options in several]


def stop(running):
    """The sum of the last reports of several loads."""
    reports = [each.stop() for each in running]
    total = reports[0]
    for each in reports[1:]:
        total = total + each
    return total
