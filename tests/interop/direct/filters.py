"""FCGI_FILTER: data of any size through a chain of filters, in bounded memory."""

import hashlib
import os
import select
import subprocess

from support import fcgi, host as hosts, site
from support.fcgi import DATA, FILTER, PARAMS, STDIN, cgi, pairs, record, request
from support.runner import Suite, equal, expect

suite = Suite("filters")

ROT13 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                        b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm")


def shouted(data):
    """What the filters `upper`, then `rot13` make of it, computed without them."""
    return data.upper().translate(ROT13)


@suite.fixture
def host(t):
    t.build.plugin("rot13")
    with site.running(t.build) as running:
        yield running


def filtered(uri, data, body=b"", **more):
    params = cgi(uri, body=body, FCGI_DATA_LENGTH=len(data), FCGI_DATA_LAST_MOD=1700000000, **more)
    return request(params, body, FILTER, data=data)


@suite.test("data goes through two filters in order")
def _(t):
    data = bytes(range(256)) * 1000
    with t.use(host).connect() as link:
        answer = link.talk(filtered("/shout/a", data))
        equal(answer.status, 200, "status")
        expect(answer.body == shouted(data), f"body: {answer.body[:100]!r}")
        expect(answer.complete, "complete")


@suite.test("data in records of one byte comes out right, and an empty file comes out empty")
def _(t):
    for data in (b"Hello, World", b""):
        with t.use(host).connect() as link:
            params = pairs(cgi("/shout/a", FCGI_DATA_LENGTH=len(data)))
            link.send(fcgi.begin(FILTER) + fcgi.stream(PARAMS, params) + record(STDIN)
                      + fcgi.stream(DATA, data, size=1, padding=7))
            answer = link.response()
            equal((answer.status, answer.body), (200, shouted(data)), "answer")


@suite.test("data shorter than FCGI_DATA_LENGTH is not a clean 200, and a surplus is dropped")
def _(t):
    for announced, wanted in ((6, 200), (12, 200), (100, None)):
        with t.use(host).connect() as link:
            params = pairs(cgi("/shout/a", FCGI_DATA_LENGTH=announced))
            link.send(fcgi.begin(FILTER) + fcgi.stream(PARAMS, params) + record(STDIN)
                      + fcgi.stream(DATA, b"Hello, World"))
            if wanted:
                answer = link.response()
                equal((answer.status, answer.body), (200, shouted(b"Hello, World"[:announced])), f"length {announced}")
            else:
                try:
                    answer = link.response()
                except ConnectionError:
                    continue
                expect(not answer.complete or answer.status >= 400, f"short data passed for whole: {answer}")


@suite.test("data before the end of the body is refused and the connection goes on")
def _(t):
    with t.use(host).connect() as link:
        link.send(fcgi.begin(FILTER, fcgi.KEEP) + fcgi.stream(PARAMS, pairs(cgi("/shout/a")))
                  + record(DATA, b"early") + record(STDIN) + record(DATA))
        equal(link.take().status, 400, "status")
        link.send(request(cgi("/hello")))
        equal(link.response().status, 200, "a request afterwards")


@suite.test("a filter request on a route without filters gets 500, a responder request with TRIVET_ROLE=filter is filtered")
def _(t):
    with t.use(host).connect() as link:
        link.send(filtered("/hello", b"data"))
        equal(link.response().status, 500, "status on a route without filters")
    answer = t.use(host).exchange(cgi("/shout/a", "POST", b"Hello", TRIVET_ROLE="filter"), b"Hello")
    equal((answer.status, answer.body), (200, shouted(b"Hello")), "the request body as data")
    answer = t.use(host).exchange(cgi("/shout/a", "POST", b"Hello"), b"Hello")
    equal(answer.status, 200, "the responder's output, filtered")
    expect(answer.body.endswith(b"\n\n" + shouted(b"Hello")), f"the responder's output, filtered: {answer.body}")


@suite.test("a filter client that vanishes anywhere harms nobody")
def _(t):
    running = t.use(host)
    whole = filtered("/shout/a", b"Hello, World")
    for cut in range(0, len(whole), 5):
        link = running.connect()
        link.send(whole[:cut])
        link.break_off()
    running.expect_well()


def _write_big_file(path, mebibytes):
    """Writes text that repeats nowhere within a mebibyte; the SHA-256 of what the filters have to make of it."""
    wanted = hashlib.sha256()
    base = (b"The quick brown fox jumps over the lazy dog, 0123456789.\n" * 20000)[:(1 << 20) - 16]
    with open(path, "wb") as file:
        for number in range(mebibytes):
            block = b"Block %09d\n" % number + base
            file.write(block)
            wanted.update(shouted(block))
    return wanted.hexdigest(), os.path.getsize(path)


@suite.test("a gibibyte goes through two filters by `trivet call` and comes out right", timeout=300)
def _(t):
    with site.running(t.build) as running, hosts.temporary_folder() as folder:
        t.build.plugin("rot13")
        mebibytes = 64 if t.build.sanitizer else 1024
        wanted, size = _write_big_file(folder / "data", mebibytes)
        running.expect_well()
        got, seen = hashlib.sha256(), 0
        with subprocess.Popen([str(t.build.binary), "call", running.unix, "/shout/a", "--role", "filter", "--data",
                               f"@{folder}/data"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as call:
            while piece := call.stdout.read(1 << 20):
                got.update(piece)
                seen += len(piece)
            errors = call.stderr.read()
        equal(call.returncode, 0, f"exit code of call ({errors[-300:]!r})")
        equal(seen, size, "bytes that came out")
        equal(got.hexdigest(), wanted, "SHA-256 of what came out")
        if not t.build.sanitizer:
            peak = running.status_bytes("VmHWM")
            print(f"     the host's largest memory was {peak / 2**20:.1f} MiB for {mebibytes} MiB of data")
            expect(peak < 32 << 20, f"the host grew to {peak / 2**20:.1f} MiB, allowed are 32")


@suite.test("half a gibibyte from a client that does not read is kept in the spool's file, not in memory", timeout=120)
def _(t):
    with site.running(t.build) as running:
        link = running.connect(timeout=60)
        block = record(DATA, b"x" * 65528)
        link.send(fcgi.begin(FILTER) + fcgi.stream(PARAMS, pairs(cgi("/shout/a"))) + record(STDIN))
        link.socket.setblocking(False)
        sent = _send_until_it_stops(link, block, 512 << 20)
        if not t.build.sanitizer:
            print(f"     {sent >> 20} MiB were taken")
            peak = running.status_bytes("VmHWM")
            expect(peak < 32 << 20, f"the host grew to {peak / 2**20:.1f} MiB while nobody read")
        running.expect_well()
        link.break_off()


def _send_until_it_stops(link, block, limit):
    sent, view = 0, memoryview(block)
    while sent < limit:
        poll = select.poll()
        poll.register(link.socket, select.POLLOUT)
        if not poll.poll(1000):
            break
        taken = link.socket.send(view)
        view = view[taken:] or memoryview(block)
        sent += taken
    return sent

