"""What one connection may do: cuts, kept connections, several requests at once, half-closes, aborts."""

import random
import socket
import threading
import time

from support import fcgi, site
from support.fcgi import cgi, record, request
from support.runner import Suite, equal, eventually, expect, one_of
from support.site import echoed, written

suite = Suite("connections")


@suite.fixture
def host(t):
    with site.running(t.build) as running:
        yield running


def pattern(size, seed):
    """Bytes that differ for each seed and from one kilobyte to the next."""
    return random.Random(seed).randbytes(size)


@suite.test("a request on the unix socket and one on the TCP port get the same answer")
def _(t):
    running = t.use(host)
    answers = [fcgi.exchange(each, cgi("/hello")) for each in (running.unix, running.tcp)]
    for answer in answers:
        equal(answer.status, 200, "status")
        expect(answer.complete, f"complete: {answer}")
        expect(answer.header("Content-Type"), "no Content-Type")
        equal(answer.header("Content-Length"), str(len(answer.body)), "Content-Length")
    equal(answers[0].body, answers[1].body, "body")
    expect(answers[0].body, "hello says nothing")


@suite.test("a request that arrives one byte at a time is answered")
def _(t):
    with t.use(host).connect() as link:
        for byte in request(cgi("/echo/a", "POST", b"slowly"), b"slowly"):
            link.send(bytes([byte]))
        answer = link.response()
        equal(answer.status, 200, "status")
        equal(echoed(answer.body), b"slowly", "body")


@suite.test("a request cut anywhere into two writes is answered")
def _(t):
    running = t.use(host)
    whole = request(cgi("/echo/a", "POST", b"in two"), b"in two", padding=3)
    with running.connect() as link:
        for cut in range(1, len(whole)):
            kept = request(cgi("/echo/a", "POST", b"in two"), b"in two", padding=3, flags=fcgi.KEEP)
            link.send(kept[:cut])
            link.send(kept[cut:])
            answer = link.take()
            equal(echoed(answer.body), b"in two", f"body, cut at {cut}")
            expect(answer.complete, f"complete, cut at {cut}")


@suite.test("parameters and a body in records of one byte with the largest padding are answered")
def _(t):
    with t.use(host).connect() as link:
        answer = link.talk(request(cgi("/echo/a", "POST", b"x" * 300), b"x" * 300, size=1, padding=255))
        equal(echoed(answer.body), b"x" * 300, "body")


@suite.test("records of the largest size, with and without padding, are answered")
def _(t):
    body = pattern(3 * 65535 + 17, 1)
    for padding in (0, 1, 255):
        with t.use(host).connect() as link:
            answer = link.talk(request(cgi("/echo/a", "POST", body), body, size=65535, padding=padding))
        equal(echoed(answer.body), body, f"body with padding {padding}")


@suite.test("names and values with needless four-byte lengths are understood")
def _(t):
    params = b"".join(fcgi.pair(name, value, long_form=True) for name, value in cgi("/hello").items())
    with t.use(host).connect() as link:
        link.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, params) + record(fcgi.STDIN))
        equal(link.response().status, 200, "status")


@suite.test("without FCGI_KEEP_CONN the connection closes after END_REQUEST")
def _(t):
    with t.use(host).connect() as link:
        link.send(request(cgi("/hello")))
        expect(link.response().complete, "complete")
        expect(link.closes(), "the connection is still open")


@suite.test("with FCGI_KEEP_CONN the connection stays and serves any id again")
def _(t):
    with t.use(host).connect() as link:
        for request_id in (1, 1, 255, 256, 32768, 65535, 1):
            link.send(request(cgi("/hello"), flags=fcgi.KEEP, request_id=request_id))
            answer = link.take(request_id)
            equal((answer.status, answer.complete), (200, True), f"id {request_id}")
        expect(link.stays_open(), "the connection closed")


@suite.test("requests sent without waiting on a kept connection are all answered")
def _(t):
    with t.use(host).connect() as link:
        ids = range(1, 51)
        link.send(b"".join(request(cgi("/echo/a", "POST", b"%d" % each), b"%d" % each, flags=fcgi.KEEP,
                                   request_id=each) for each in ids))
        for each in ids:
            equal(echoed(link.response(each).body), b"%d" % each, f"body of id {each}")


@suite.test("a hundred requests interleaved record by record on one connection each get their own answer")
def _(t):
    bodies = {each: pattern(2000 + 37 * each, each) for each in range(1, 101)}
    queues = {}
    for each, body in bodies.items():
        wire = [fcgi.begin(flags=fcgi.KEEP, request_id=each),
                fcgi.stream(fcgi.PARAMS, fcgi.pairs(cgi("/echo/a", "POST", body)), each)]
        wire += [record(fcgi.STDIN, body[at:at + 97], each, padding=each % 8) for at in range(0, len(body), 97)]
        queues[each] = [*wire, record(fcgi.STDIN, b"", each)]
    order = random.Random(100)
    mixed = bytearray()
    while queues:
        each = order.choice(list(queues))
        mixed += queues[each].pop(0)
        if not queues[each]:
            del queues[each]
    with t.use(host).connect(timeout=30) as link:
        link.talk(mixed, request_id=100, timeout=30 * t.build.slowness)
        for each, body in bodies.items():
            answer = link.response(each)
            equal(answer.status, 200, f"status of id {each}")
            expect(echoed(answer.body) == body, f"id {each} got another body than its own")
            expect(answer.complete, f"id {each} is complete")


@suite.test("requests of different lengths on 48 connections at once each get their own answer")
def _(t):
    running = t.use(host)
    wrong = []

    def client(number):
        lengths = random.Random(number)
        with running.connect(timeout=30) as link:
            for turn in range(30):
                body = pattern(lengths.choice((0, 1, 7, 100, 1000, 9000, 66000, 200000)), 1000 * number + turn)
                params = cgi(f"/echo/{number}/{turn}", "POST", body, HTTP_X_FILL="f" * lengths.randrange(4000))
                answer = link.talk(request(params, body, flags=fcgi.KEEP, size=lengths.choice((500, 8000, 65528))))
                if (answer.status, echoed(answer.body)) != (200, body):
                    wrong.append((number, turn, len(body), answer))
                link.responses.clear()

    crews = [threading.Thread(target=_noting(wrong, client), args=(number,)) for number in range(48)]
    for each in crews:
        each.start()
    for each in crews:
        each.join()
    expect(not wrong, f"{len(wrong)} wrong answers, first: {wrong[:2]}")


def _noting(wrong, work):
    """Makes an exception in a thread a finding instead of a line on standard error."""
    def run(number):
        try:
            work(number)
        except Exception as error:  # pylint: disable=broad-except
            wrong.append((number, repr(error)))
    return run


@suite.test("a request is answered while another on its connection waits in its plugin's queue")
def _(t):
    with t.use(host).connect() as link:
        link.send(request(cgi("/slow?ms=1500"), flags=fcgi.KEEP, request_id=1))
        link.send(request(cgi("/slow?ms=1"), flags=fcgi.KEEP, request_id=2))  # queued behind the first: one thread
        begun = time.monotonic()
        link.send(request(cgi("/hello"), flags=fcgi.KEEP, request_id=3))
        equal(link.response(3).status, 200, "status")
        expect(time.monotonic() - begun < 1.0 * t.build.slowness, "it waited for the slow one")
        expect(1 not in link.responses and 2 not in link.responses, "the slow ones were not slow: nothing was shown")
        for each in (1, 2):
            equal((link.response(each).status, link.response(each).complete), (200, True), f"slow request {each}")


@suite.test("a client that half-closes after its whole request gets the answer")
def _(t):
    for address in (t.use(host).unix, t.use(host).tcp):
        for flags in (0, fcgi.KEEP):
            with t.use(host).connect(address) as link:
                link.send(request(cgi("/echo/a", "POST", b"half"), b"half", flags=flags))
                link.half_close()
                equal(echoed(link.response().body), b"half", f"body on {address}")
                expect(link.closes(), "the connection is still open")


@suite.test("a client that half-closes inside PARAMS or inside its body is never answered 200")
def _(t):
    running = t.use(host)
    whole = request(cgi("/echo/a", "POST", b"0123456789"), b"0123456789")
    for cut in range(0, len(whole) - 1, 3):
        with running.connect() as link:
            link.send(whole[:cut])
            link.half_close()
            expect(link.closes(), f"the connection is still open, cut at {cut}")
            answer = link.responses.get(1)
            if answer is not None and answer.out:
                expect(answer.status >= 400, f"cut at {cut}: {answer}")
    running.expect_well()


@suite.test("a client that vanishes after any byte harms nobody and leaks no connection")
def _(t):
    running = t.use(host)
    whole = request(cgi("/stream/a", "POST", b"0123456789"), b"0123456789")
    running.expect_well()
    eventually(lambda: running.connections() == 0, "earlier connections are gone")
    for cut in range(len(whole) + 1):
        for address in (running.unix, running.tcp):
            link = running.connect(address)
            link.send(whole[:cut])
            link.break_off()
    running.expect_well()
    eventually(lambda: running.connections() == 0, "the host still holds connections of clients that are gone")


@suite.test("an abort in PARAMS, in the body, and after the answer each leave the connection usable")
def _(t):
    abort = record(fcgi.ABORT)
    params = fcgi.stream(fcgi.PARAMS, fcgi.pairs(cgi("/echo/a", "POST", b"0123456789")))
    cases = {
        "before PARAMS": fcgi.begin(flags=fcgi.KEEP) + abort,
        "inside PARAMS": fcgi.begin(flags=fcgi.KEEP) + record(fcgi.PARAMS, fcgi.pairs(cgi("/echo"))) + abort,
        "before the body": fcgi.begin(flags=fcgi.KEEP) + params + abort,
        "inside the body": fcgi.begin(flags=fcgi.KEEP) + params + record(fcgi.STDIN, b"01234") + abort,
        "with content": fcgi.begin(flags=fcgi.KEEP) + params + record(fcgi.ABORT, b"now!"),
    }
    with t.use(host).connect() as link:
        for name, wire in cases.items():
            link.send(wire)
            answer = link.take()
            expect(answer.ended, f"{name}: no END_REQUEST")
            expect(answer.status >= 400, f"{name}: {answer}")
            link.send(abort)  # late: of an id that is not active
            link.send(request(cgi("/hello"), flags=fcgi.KEEP))
            equal(link.take().status, 200, f"the next request after an abort {name}")
        expect(link.stays_open(), "the connection closed")


@suite.test("an abort of a request that a plugin is working on ends it once and frees its place")
def _(t):
    with t.use(host).connect() as link:
        for _ in range(20):
            link.send(request(cgi("/slow?ms=200"), flags=fcgi.KEEP) + record(fcgi.ABORT))
            answer = link.take()
            expect(answer.ended, "no END_REQUEST")
        # One plugin thread and a queue of one: were the aborted ones still queued, this would be refused.
        eventually(lambda: _ok(link), "the plugin is free again", 10)
        expect(link.stays_open(), "the connection closed")


def _ok(link):
    link.send(request(cgi("/slow?ms=1"), flags=fcgi.KEEP))
    return link.take().status == 200


@suite.test("four mebibytes echo to a client that writes everything before it reads, on the loop and on threads")
def _(t):
    body = pattern(4 << 20, 4)
    for path in ("/echo/a", "/stream/a"):
        for address in (t.use(host).unix, t.use(host).tcp):
            with t.use(host).connect(address, timeout=30) as link:
                link.send(request(cgi(path, "POST", body), body))  # blocks until the host has taken the last byte
                answer = link.response(timeout=30 * t.build.slowness)
                equal(answer.status, 200, f"status of {path}")
                back = echoed(answer.body) if path == "/echo/a" else answer.body
                expect(back == body, f"{path}: {len(back)} bytes came back, not the {len(body)} sent")
                expect(answer.complete, f"{path} is complete")


@suite.test("an answer that does not wait for the body reaches a client that writes everything before it reads")
def _(t):
    body = pattern(4 << 20, 6)
    for path in ("/write", "/write-events"):
        for size in (0, 100, 60000, 200000, 4 << 20):
            for flags in (0, fcgi.KEEP):
                with t.use(host).connect(timeout=10) as link:
                    link.send(request(cgi(f"{path}?n={size}", "POST", body), body, flags=flags))
                    answer = link.response()
                    equal((answer.status, answer.complete), (200, True), f"{path} with {size} bytes")
                    expect(answer.body == written(size), f"{path}: {len(answer.body)} bytes, not the {size} that it wrote")
                    if flags:
                        link.responses.clear()
                        link.send(request(cgi("/hello")))
                        equal(link.response().status, 200, "the next request")


@suite.test("an answer written at once and larger than the window reaches a client that writes everything first")
def _(t):
    body = bytes(8 << 20)
    for path in ("/write", "/write-events"):
        for flags in (0, fcgi.KEEP):
            with t.use(host).connect(timeout=5) as link:
                link.send(request(cgi(f"{path}?n=2000000&piece=2000000", "POST", body), body, flags=flags))
                answer = link.response()
                equal((answer.status, answer.complete), (200, True), path)
                expect(answer.body == written(2000000), f"{path}: {len(answer.body)} bytes, not the 2000000 that it wrote")


@suite.test("HEAD counts what a GET would send and sends none of it")
def _(t):
    for path in ("/write", "/write-events"):
        for size in (0, 1, 5000, 300000):
            with t.use(host).connect() as link:
                answer = link.talk(request(cgi(f"{path}?n={size}", "HEAD"), flags=fcgi.KEEP))
                equal((answer.status, answer.body, answer.complete), (200, b"", True), f"{path} with {size} bytes")
                one_of(answer.header("Content-Length"), (None, str(size)), "Content-Length")


@suite.test("a body past its Content-Length is cut there, a shorter one is no complete answer")
def _(t):
    for path in ("/write", "/write-events"):
        with t.use(host).connect() as link:
            answer = link.talk(request(cgi(f"{path}?n=200000&length=150000")))
            equal((answer.status, answer.header("Content-Length")), (200, "150000"), "head")
            expect(answer.body == written(150000), f"{len(answer.body)} bytes for a Content-Length of 150000")
        with t.use(host).connect() as link:
            answer = link.talk(request(cgi(f"{path}?n=150000&length=200000"), flags=fcgi.KEEP))
            expect(not answer.complete or answer.status >= 500, f"a short body passed for whole: {answer}")
        t.use(host).expect_well()


@suite.test("many megabytes go to readers that read a little at a time, in bounded memory")
def _(t):
    size = (64 << 20) if not t.build.sanitizer else (8 << 20)
    with site.running(t.build) as running:
        for path in ("/write", "/write-events"):
            with running.connect(timeout=60) as link:
                link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
                link.send(request(cgi(f"{path}?n={size}")))
                time.sleep(0.3)  # the host writes as far as it can
                running.expect_well()
                answer = link.response(timeout=60 * t.build.slowness)
                expect(answer.complete and answer.body == written(size), f"{path}: {answer}")
        if not t.build.sanitizer:
            peak = running.status_bytes("VmHWM")
            expect(peak < 32 << 20, f"the host grew to {peak / 2**20:.1f} MiB")


@suite.test("the head is one record that begins with Status even when a huge body follows")
def _(t):
    body = pattern(1 << 20, 5)
    with t.use(host).connect() as link:
        answer = link.talk(request(cgi("/echo/a", "POST", body), body))
        equal(answer.status, 200, "status")  # reading it checks the first record
        expect(echoed(answer.body) == body, "body")


@suite.test("FCGI_GET_VALUES is answered, also between the records of a request")
def _(t):
    ask = record(fcgi.GET_VALUES, fcgi.pairs([("FCGI_MAX_CONNS", ""), ("FCGI_MAX_REQS", ""), ("FCGI_MPXS_CONNS", ""),
                                              ("UNKNOWN", "")]), 0)
    with t.use(host).connect() as link:
        link.send(ask)
        alone = link.result()
        equal(alone.kind, fcgi.GET_VALUES_RESULT, "kind")
        expect(b"FCGI_MPXS_CONNS1" in alone.content, f"FCGI_MPXS_CONNS is not 1: {alone.content}")
        expect(b"UNKNOWN" not in alone.content, "an unknown name was answered")
        params = fcgi.pairs(cgi("/echo/a", "POST", b"body"))
        link.send(fcgi.begin() + record(fcgi.PARAMS, params[:50]) + ask + record(fcgi.PARAMS, params[50:])
                  + record(fcgi.PARAMS) + record(fcgi.STDIN, b"bo") + ask + record(fcgi.STDIN, b"dy") + record(fcgi.STDIN))
        equal(echoed(link.response().body), b"body", "body")
        equal(len(link.management), 2, "answers to FCGI_GET_VALUES")


@suite.test("an unknown management record is named in FCGI_UNKNOWN_TYPE and its content skipped")
def _(t):
    with t.use(host).connect() as link:
        for kind in (12, 100, 255):
            link.send(record(kind, fcgi.pairs(cgi("/hello")), 0))
            answer = link.result()
            equal((answer.kind, answer.content[0]), (fcgi.UNKNOWN_TYPE, kind), "answer")
        link.send(request(cgi("/hello")))
        equal(link.response().status, 200, "a request afterwards")


@suite.test("an unknown role gets FCGI_UNKNOWN_ROLE and the connection goes on")
def _(t):
    with t.use(host).connect() as link:
        for role in (0, 4, 65535):
            link.send(request(cgi("/hello"), role=role, flags=fcgi.KEEP))
            answer = link.take()
            equal((answer.protocol_status, bytes(answer.out)), (fcgi.UNKNOWN_ROLE, b""), f"role {role}")
        link.send(request(cgi("/hello")))
        equal(link.response().status, 200, "a request afterwards")


@suite.test("bytes that are not FastCGI close the connection and harm nobody")
def _(t):
    running = t.use(host)
    noise = random.Random(20)
    wires = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bytes(64),
             b"\xff" * 64, record(fcgi.BEGIN, bytes(8), version=2), record(fcgi.BEGIN, b"\0\1\0"),
             record(fcgi.BEGIN, bytes([0, 1] + [0] * 6), 0), request(cgi("/hello"), request_id=1)[:16] * 2]
    wires += [noise.randbytes(64) for _ in range(50)]
    for wire in wires:
        with running.connect() as link:
            link.send(wire)
            link.half_close()
            expect(link.closes(), f"still open after {wire[:24]!r}")
            expect(not any(answer.out and answer.status == 200 for answer in link.responses.values()),
                   f"{wire[:24]!r} was served")
    running.expect_well()


@suite.test("a hundred connections that come and go at once are all answered, and none stays")
def _(t):
    running = t.use(host)
    links = [running.connect(address) for _ in range(50) for address in (running.unix, running.tcp)]
    for link in links:
        link.send(request(cgi("/hello")))
    for link in links:
        equal(link.response().status, 200, "status")
        expect(link.closes(), "still open")
        link.close()
    eventually(lambda: running.connections() == 0, "the host still holds connections")


@suite.test("a reader that stops does not stop others, and its answer is whole when it reads again")
def _(t):
    running = t.use(host)
    body = pattern(8 << 20, 8)
    stuck = running.connect(timeout=30)
    stuck.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sender = threading.Thread(target=stuck.send, args=(request(cgi("/echo/a", "POST", body), body),))
    sender.start()
    for _ in range(50):
        running.expect_well()
    sender.join()
    answer = stuck.response(timeout=30 * t.build.slowness)
    expect(echoed(answer.body) == body and answer.complete, f"the stopped reader's answer: {answer}")
    stuck.close()
