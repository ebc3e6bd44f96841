"""A worker whose allocations fail, one by one: it may lose what the memory was for, or end; never a verdict, never a hang."""

import contextlib
import mmap
import struct
import time

from support import faulty, fcgi, host as hosts, refusals, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("allocations")

CONFIG = """
[plugin.upper]
[[route]]
name = "shout"
path = "/shout/**"
respond = "echo"
filter = ["upper"]
""" + refusals.CONFIG

BODY = b"a body of some length\n" * 300

# What is asked, and whether anything but a denial would be wrong.
ASKED = {
    "a response of a plugin thread": (request(cgi("/hello")), False),
    "a body that comes back through a guard": (request(cgi("/private/x", "POST", BODY, **site.GOOD), BODY), False),
    "a filter": (request(cgi("/shout/x", "POST", BODY), BODY), False),
    "a guard that lets in": (request(cgi("/private/x", TRIVET_ROUTE="private", **site.GOOD), role=fcgi.AUTHORIZER), False),
    "a guard that does not": (request(cgi("/private/x", TRIVET_ROUTE="private", **site.BAD), role=fcgi.AUTHORIZER), True),
    "a guard before a response that does not": (request(cgi("/private/x", **site.BAD)), True),
    "a guard that throws": (request(cgi("/throws/x", TRIVET_ROUTE="throws", **site.GOOD), role=fcgi.AUTHORIZER), True),
}
# Each end of a worker costs a second.
SHORT = ("a body that comes back through a guard", "a guard that does not", "a guard before a response that does not")


class Allocations:
    """The file by which tests/faults/failing_allocations.c is told which one fails."""

    def __init__(self, folder):
        self.path = folder / "allocations"
        self.path.write_bytes(struct.pack("ii", -1, 0))
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 8)

    @contextlib.contextmanager
    def failing(self, number):
        """The one after so many fails."""
        self.memory[:] = struct.pack("ii", number, 0)
        yield
        self.memory[:4] = struct.pack("i", -1)

    def failed(self):
        return struct.unpack("ii", self.memory[:])[1]


def _ask(host, wire):
    """An answer; None where the connection ended before there was any of it."""
    with host.connect(timeout=20) as link:
        try:
            link.send(wire)
            return link.response()
        except (ConnectionError, fcgi.Broken):
            return link.responses.get(1)


def _judge(answer, usual, denies, what):
    if answer is None or not answer.out:
        return
    if denies:
        expect(answer.status != 200, f"{what}: GRANTED: {answer}")
    if not answer.complete:
        return
    if answer.status == usual.status:
        equal((answer.body, answer.protocol_status), (usual.body, usual.protocol_status), f"{what}: the answer")
    else:
        expect(answer.status in (408, 413, 500, 502, 503), f"{what}: {answer}")


@suite.test("S07: allocations that fail one by one cost an answer or a worker, never a grant, a wrong answer or a hang", timeout=150)
def _(t):
    shim = t.build.folder / "test-support" / "failing_allocations.so"
    if not shim.exists():
        skip(f"{shim} was not built")
    if t.build.sanitizer:
        return  # It has allocation functions of its own.
    step = 1 if t.build.is_long else 13
    asked = ASKED if t.build.is_long else {what: ASKED[what] for what in SHORT}
    with hosts.temporary_folder() as folder:
        allocations = Allocations(folder)
        host = hosts.Host(t.build, folder, CONFIG, processes=2)
        host.start(wrapper=["/usr/bin/env", f"LD_PRELOAD={shim}", f"FAILING_ALLOCATIONS={allocations.path}"])
        for turn, (what, (wire, denies)) in enumerate(asked.items()):
            usual = _ask(host, wire)
            expect(usual.complete, f"{what}: {usual}")
            number, unhurt, failed, ends = turn % step, 0, 0, 0
            # Until there are no more than that; what is done beside the request counts as well, so not at the first.
            while unhurt < 2 and number < 2000:
                before = len(faulty.ended(host))
                with allocations.failing(number):
                    answer = _ask(host, wire)
                _judge(answer, usual, denies, f"{what}, allocation {number}")
                unhurt = 0 if allocations.failed() else unhurt + 1
                failed += allocations.failed()
                number += step
                equal(host.get("/hello").status, 200, f"a good request after {what}, allocation {number}")
                if answer is None:
                    eventually(lambda had=before: len(faulty.ended(host)) > had, f"{what}: nobody ended, and no answer came", 10)
                    ends += 1
                    time.sleep(1.1)  # One that lived for a second is replaced at once.
            print(f"     {what}: {failed} failed, {ends} workers ended")
            expect(failed > 0, f"{what}: nothing failed")
        faulty.wait_for_workers(host, 2)
        faulty.forget_log(host)
        host.stop()
