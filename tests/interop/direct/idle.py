"""Ten thousand connections that do nothing, and clients that stop in the middle."""

import resource
import time

from support import fcgi, site
from support.fcgi import cgi, record, request
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("idle connections")

IDLE = 10000
HALF = 200


def _raise_descriptor_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        skip(f"RLIMIT_NOFILE allows {hard} descriptors at most, {wanted} are needed (ulimit -Hn)")
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def _open_idle(running, count):
    """Kept connections that have had one request each: what a web server's pool holds."""
    links = []
    one = request(cgi("/hello"), flags=fcgi.KEEP)
    for _ in range(count):
        link = fcgi.connect(running.unix)
        link.sendall(one)
        links.append(link)
        if len(links) % 500 == 0:  # everything that was asked is answered before more is asked
            for each in links[-500:]:
                _take_answer(each)
    return links


def _take_answer(link):
    got = b""
    while not got.endswith(b"\x01\x03\x00\x01\x00\x08\x00\x00" + bytes(8)):
        piece = link.recv(65536)
        if not piece:
            raise ConnectionError("an idle connection was closed")
        got += piece


@suite.test("beside ten thousand idle connections and 200 half headers, good requests take under 50 ms at p99", timeout=180)
def _(t):
    _raise_descriptor_limit(IDLE + HALF + 500)
    count = IDLE if not t.build.sanitizer else 1000
    with site.running(t.build, site.CONFIG + '[limits]\nheader_time = "120s"\n') as running:
        for _ in range(200):
            running.expect_well()
        eventually(lambda: running.connections() == 0, "the first requests' connections are gone")
        before = running.proportional_bytes()
        idle = _open_idle(running, count)
        eventually(lambda: running.connections() == count, "every connection is open", 20)
        after = running.proportional_bytes()
        half = []
        for number in range(HALF):
            link = fcgi.connect(running.unix)
            link.sendall((fcgi.begin() + record(fcgi.PARAMS, fcgi.pairs(cgi("/hello"))))[:4 + number % 40])
            half.append(link)
        times = []
        with running.connect() as kept:
            for number in range(2000):
                begun = time.monotonic()
                if number % 2:
                    kept.send(request(cgi("/hello"), flags=fcgi.KEEP))
                    equal(kept.take().status, 200, "status")
                else:
                    equal(running.get("/hello").status, 200, "status")
                times.append(time.monotonic() - begun)
        each = (after - before) / count
        print(f"     p50 {_percentile(times, .5) * 1e3:.2f} ms, p99 {_percentile(times, .99) * 1e3:.2f} ms, "
              f"{each:.0f} bytes per idle connection")
        expect(_percentile(times, .99) < 0.05 * t.build.slowness, f"p99 is {_percentile(times, .99) * 1e3:.1f} ms")
        for link in idle[::97]:  # they are idle, not dead
            link.sendall(request(cgi("/hello"), flags=fcgi.KEEP))
            _take_answer(link)
        for link in idle + half:
            link.close()
        eventually(lambda: running.connections() == 0, "all connections are gone", 20)
        running.expect_well()
        if not t.build.sanitizer:
            expect(each < 4096, f"an idle connection costs {each:.0f} bytes, allowed are 4096")


@suite.test("clients that stop in PARAMS get 408 or are closed, those that stop in the body too, within their limits")
def _(t):
    limits = '[limits]\nheader_time = "500ms"\nstall_time = "500ms"\n'
    with site.running(t.build, site.CONFIG + limits) as running:
        begin = fcgi.begin()
        params = fcgi.stream(fcgi.PARAMS, fcgi.pairs(cgi("/echo/a", "POST", b"0123456789")))
        cases = {"half a BEGIN": begin[:11], "no PARAMS": begin, "half of PARAMS": (begin + params)[:60],
                 "half of the body": begin + params + record(fcgi.STDIN, b"01234")}
        links = [(name, running.connect()) for name in cases for _ in range(5)]
        for name, link in links:
            link.send(cases[name])
        for name, link in links:
            with link:
                expect(link.closes(5 * t.build.slowness), f"{name}: the connection is still open")
                answer = link.responses.get(1)
                # A head that echo sent before the body stopped cannot be taken back: then there is no end.
                expect(answer is None or answer.status in (400, 408) or not (answer.ended or answer.out_ended),
                       f"{name}: {answer}")
        with running.connect() as link:  # an idle kept connection has no such limit
            link.send(request(cgi("/hello"), flags=fcgi.KEEP))
            equal(link.take().status, 200, "status")
            expect(link.stays_open(1.5), "an idle kept connection was closed")
            link.send(request(cgi("/hello")))
            equal(link.take().status, 200, "status")


@suite.test("a client that sends one byte at a time within the limits is served, however slow in sum", timeout=60)
def _(t):
    limits = '[limits]\nheader_time = "20s"\nstall_time = "1s"\n'
    with site.running(t.build, site.CONFIG + limits) as running, running.connect() as link:
        link.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(cgi("/echo/a", "POST", b"0123456789"))))
        for byte in b"0123456789":
            time.sleep(0.25)
            link.send(record(fcgi.STDIN, bytes([byte])))
        link.send(record(fcgi.STDIN))
        equal(site.echoed(link.response().body), b"0123456789", "body")
