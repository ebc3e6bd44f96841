"""`trivet bench`: right of wrong, in every role and shape, against Trivet, PHP-FPM and applications that misbehave."""

import contextlib
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import threading
import time

from support import fcgi, host as hosts, php, site
from support.runner import Suite, equal, eventually, expect, one_of

suite = Suite("bench")

HELLO = b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"


@suite.fixture
def running(t):
    with site.running(t.build) as one:
        yield one


def bench(t, address, *more, timeout=60.0):
    return hosts.run_trivet(t.build, "bench", address, *more, timeout=timeout)


def measured(t, address, *more, code=0, **rest):
    """The report as it is read by a program."""
    done = bench(t, address, *more, "--json", **rest)
    told = f"{done.stdout.decode()}{done.stderr.decode()}"
    equal(done.returncode, code, f"the exit code, of {told}")
    equal((done.stdout.count(b"\n"), done.stderr), (1, b""), f"one line and no more, of {told}")
    return json.loads(done.stdout)


def good(t, address, *more, **rest):
    report = measured(t, address, *more, **rest)
    equal((report["failed"], report["failures"]), (0, {}), "what failed")
    expect(report["good"] > 0, "something was answered")
    return report


class Application:
    """Answers at a unix socket as `behave(application, link, request_id, nth_on_this_connection)` says; ids whose PARAMS have
    ended are requests. False from it closes the connection."""

    def __init__(self, folder, behave, serves=True):
        self.address = f"unix:{folder}/app.sock"
        self.behave = behave
        self.accepted = 0
        self.requests = 0
        self.stopped = threading.Event()
        self._end = threading.Event()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(f"{folder}/app.sock")
        self._socket.listen(64)
        self._socket.settimeout(0.1)
        self._threads = [threading.Thread(target=self._accept)] if serves else []
        for each in self._threads:
            each.start()

    def _accept(self):
        while not self._end.is_set():
            with contextlib.suppress(TimeoutError):
                link, _ = self._socket.accept()
                self.accepted += 1
                thread = threading.Thread(target=self._serve, args=(link,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, link):
        link.settimeout(0.1)
        received, nth = b"", 0
        with link:
            while not self._end.is_set():
                try:
                    piece = link.recv(65536)
                except TimeoutError:
                    continue
                except OSError:
                    return
                if not piece:
                    return
                received += piece
                while len(received) >= 8:
                    _, kind, request_id, size, padding, _ = struct.unpack(">BBHHBB", received[:8])
                    if len(received) < 8 + size + padding:
                        break
                    received = received[8 + size + padding:]
                    if kind != fcgi.PARAMS or size != 0:
                        continue
                    nth += 1
                    self.requests += 1
                    try:
                        if self.behave(self, link, request_id, nth) is False:
                            return
                    except OSError:
                        return

    def end(self):
        self._end.set()
        for each in self._threads:
            each.join()
        self._socket.close()


@contextlib.contextmanager
def application(behave, **more):
    with hosts.temporary_folder() as folder:
        app = Application(folder, behave, **more)
        try:
            yield app
        finally:
            app.end()


def answer(request_id, output=HELLO, app_status=0, protocol_status=0):
    out = fcgi.record(fcgi.STDOUT, output, request_id) if output else b""
    return out + fcgi.record(fcgi.END, struct.pack(">IB3x", app_status, protocol_status), request_id)


def always(*args, **more):
    def behave(_, link, request_id, __):
        link.sendall(answer(request_id, *args, **more))
    return behave


# --- what is measured


@suite.test("bench sends exactly as many requests as it is asked to, in every shape, and all are answered")
def _(t):
    host = t.use(running)
    for shape in ([], ["-c", 7], ["--mux", 33], ["-c", 3, "--mux", 50], ["--new-conn"], ["-c", 5, "--new-conn"],
                  ["--rate", "20000/s"], ["-c", 4, "--mux", 3, "--rate", "5000"], ["-c", 3, "--new-conn", "--rate", "2000"]):
        for address in (host.unix, host.tcp):
            report = good(t, address, "/hello/x", "-n", 300, *shape)
            equal(report["good"], 300, f"answers of {shape}")
            wanted = 300 if "--new-conn" in shape else report["connections"]
            expect(report["connections_opened"] <= wanted, f"{shape}: {report['connections_opened']} connections")
            expect(report["latency_ns"]["p50"] <= report["latency_ns"]["p999"] <= report["latency_ns"]["max"], f"order in {report}")


@suite.test("bench carries bodies of every size, and the application sees all of each")
def _(t):
    host = t.use(running)
    for size, count in (("0B", 0), ("5B", 5), ("16KiB", 16384), ("16385B", 16385), ("32KiB", 32768), ("1MiB", 1 << 20),
                        ("3000001B", 3000001)):
        report = good(t, host.unix, "/echo/x", "-n", 6, "--body", size, "-c", 2, "--mux", 2)
        expect(report["body_bytes"] >= count, f"echo gave {report['body_bytes']} of {count}")
        expect(report["bytes_sent"] >= 6 * count, f"{report['bytes_sent']} sent")


@suite.test("bench asks in the roles of authorizer and filter")
def _(t):
    host = t.use(running)
    key = f"HTTP_X_API_KEY={site.KEY}"
    allowed = good(t, host.unix, "/members/x", "--role", "authorizer", "-p", key, "-n", 50, "--mux", 5)
    equal(allowed["role"], "authorizer", "role")
    good(t, host.unix, "/members/x", "--role", "authorizer", "--expect-status", 401, "-n", 20)
    denied = measured(t, host.unix, "/members/x", "--role", "authorizer", "-n", 20, code=1)
    equal((denied["failures"], denied["first_problem"]), ({"status": 20}, "status 401"), "a denial is no good answer")
    for size, count in (("0B", 0), ("10B", 10), ("1MiB", 1 << 20)):
        report = good(t, host.unix, "/shout/x", "--role", "filter", "--data", size, "-n", 5)
        equal(report["body_bytes"], count, "what was filtered")
    good(t, host.unix, "/shout/x", "--role", "filter", "--data", "1MiB", "--body", "100KiB", "-n", 5, "--new-conn")


@suite.test("bench ends by itself after its time, and tells a person what it measured")
def _(t):
    host = t.use(running)
    began = time.monotonic()
    done = bench(t, host.unix, "/hello/x", "-d", "300ms", "-c", 2)
    expect(0.3 <= time.monotonic() - began, "not before its time")
    text = done.stdout.decode()
    equal((done.returncode, done.stderr), (0, b""), f"exit code and messages, of {text}")
    for line in ("requests ", " good, 0 failed in 0.30 s", "rate ", "received ", "sent ", "connections  2 opened", "\nlatency\n",
                 "p50", "p99.9", "max"):
        expect(line in text, f"no {line!r} in {text}")


@suite.test("bench keeps the pace of an open loop, and counts a pause of the application on everybody who came meanwhile")
def _(t):
    def pauses_once(app, link, request_id, _):
        if app.requests == 50:
            time.sleep(1.0)
        link.sendall(answer(request_id))

    with application(pauses_once) as app:
        report = good(t, app.address, "-n", 200, "--rate", "100/s", "--timeout", "30s")
    # A hundred came while it stood still, the last of them at its end: half of all waited, and a quarter half as long.
    expect(report["latency_ns"]["max"] >= 0.9e9, f"the longest waited: {report['latency_ns']}")
    expect(report["latency_ns"]["p90"] >= 0.5e9, f"those who came meanwhile waited as well: {report['latency_ns']}")


@suite.test("bench tells of requests whose time came and that no connection was free for")
def _(t):
    def slow(_, link, request_id, __):
        time.sleep(0.1)
        link.sendall(answer(request_id))

    with application(slow) as app:
        report = measured(t, app.address, "-d", "1s", "--rate", "100/s", code=1)
    equal(list(report["failures"]), ["unsent"], "kinds of failures")
    equal(report["failed"] + report["good"], 100, "all of the second are accounted for")


@suite.test("bench needs neither a Status nor the same bytes where it is told so, and sees any other byte")
def _(t):
    def rising(app, link, request_id, _):
        link.sendall(answer(request_id, b"Content-Type: text/plain\n\n%09d" % app.requests))

    with application(rising) as app:
        good(t, app.address, "-n", 20, "--any-body")
    with application(rising) as app:
        report = measured(t, app.address, "-n", 20, code=1)
        equal((report["good"], report["failures"]), (1, {"body": 19}), "bodies that differ from the first")


# --- applications that are not as they should be


@suite.test("bench counts what is wrong with answers by its kind, and goes on")
def _(t):
    cases = (
        ("app_status", always(app_status=3)),
        ("refused", always(b"", protocol_status=2)),
        ("head", always(b"")),
        ("head", always(b"Status: 200 OK\r\n")),
        ("head", always(b"no head at all\r\n\r\n")),
        ("status", always(b"Status: 500 Broken\r\n\r\n")),
    )
    for kind, behave in cases:
        with application(behave) as app:
            report = measured(t, app.address, "-n", 12, "-c", 2, code=1)
            equal((report["good"], report["failures"]), (0, {kind: 12}), "what was counted")
            expect(report["first_problem"], "a reason is told")


@suite.test("bench counts what is no FastCGI, and never reads on after it")
def _(t):
    replies = (
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        fcgi.record(fcgi.STDOUT, HELLO, 77),
        fcgi.record(fcgi.PARAMS, b"", 1),
        fcgi.record(fcgi.END, b"1234567", 1),
        answer(1) + answer(1),
        fcgi.record(fcgi.STDOUT, HELLO, 0),
    )
    for reply in replies:
        with application(lambda _, link, __, ___, reply=reply: link.sendall(reply)) as app:
            report = measured(t, app.address, "-n", 5, code=1)
            expect(set(report["failures"]) <= {"protocol"}, f"{reply[:20]}: {report['failures']}")
            expect(report["failures"]["protocol"] >= 1, f"{reply[:20]}: {report}")
            equal(report["good"] + report["failed"], 5, "all are accounted for")


@suite.test("bench takes an application that closes every connection after its answer, asked or not")
def _(t):
    def closes(_, link, request_id, __):
        link.sendall(answer(request_id))
        return False

    with application(closes) as app:
        report = good(t, app.address, "-n", 60, "-c", 3)
        equal(report["good"], 60, "answers")
        good(t, app.address, "-n", 60, "-c", 3, "--new-conn")
        good(t, app.address, "-n", 60, "-c", 3, "--rate", "5000")


@suite.test("bench sends again what a kept connection closed on without a byte, and counts what was cut within its answer")
def _(t):
    def drops_every_third(_, link, request_id, nth):
        if nth == 3:
            return False
        return link.sendall(answer(request_id))

    with application(drops_every_third) as app:
        report = good(t, app.address, "-n", 30)
        expect(report["sent_again"] >= 10, f"{report['sent_again']} sent again")

    def cuts(_, link, request_id, __):
        link.sendall(answer(request_id)[:20])
        return False

    with application(cuts) as app:
        equal(measured(t, app.address, "-n", 10, code=1)["failures"], {"closed": 10}, "cut answers")
    with application(lambda *_: False) as app:
        equal(measured(t, app.address, "-n", 10, code=1)["failures"], {"closed": 10}, "never answered on a new connection")


@suite.test("bench gives up on an application that hangs, and stops by itself")
def _(t):
    for shape in ([], ["--mux", 4], ["--new-conn"], ["--rate", "50"]):
        with application(lambda *_: None) as app:
            report = measured(t, app.address, "-n", 8, "-c", 2, "--timeout", "200ms", *shape, code=1)
            equal(report["failures"], {"timeout": 8}, f"of {shape}")
            equal(report["first_problem"], "no answer within 200 ms", "reason")
    with application(None, serves=False) as app:
        equal(measured(t, app.address, "-n", 2, "--timeout", "200ms", code=1)["failures"], {"timeout": 2}, "nobody accepts")


@suite.test("bench goes on with the others on a connection when one of them hangs")
def _(t):
    def first_hangs(app, link, request_id, _):
        if app.requests > 1:
            link.sendall(answer(request_id))

    with application(first_hangs) as app:
        report = measured(t, app.address, "-d", "1s", "--mux", 5, "--timeout", "300ms", code=1)
        equal(report["failures"], {"timeout": 1}, "what failed")
        expect(report["good"] > 5, f"{report['good']} good")
        equal(app.accepted, 1, "connections")


@suite.test("bench takes an answer that comes before the whole body was sent")
def _(t):
    def early(_, link, request_id, __):
        link.sendall(answer(request_id))

    with application(early) as app:
        good(t, app.address, "-n", 10, "--body", "4MiB")
        good(t, app.address, "-n", 10, "--body", "4MiB", "--new-conn")


@suite.test("bench does not wait for an application that answers at once and takes no more of the body")
def _(t):
    def answers_and_reads_no_more(app, link, request_id, _):
        link.sendall(answer(request_id))
        app.stopped.wait(60)

    for shape in ([], ["--new-conn"], ["--rate", "100"], ["--mux", 3]):
        with application(answers_and_reads_no_more) as app:
            began = time.monotonic()
            report = measured(t, app.address, "-n", 3, "--body", "100MiB", "--timeout", "1s", *shape,
                              code=1 if "--mux" in shape else 0)
            app.stopped.set()
        equal(report["good"], 1 if "--mux" in shape else 3, f"answers of {shape}")
        equal(report["good"] + report["failed"], 3, "all are accounted for")
        expect(time.monotonic() - began < 30, "it ends by itself")


@suite.test("bench takes answers that come byte by byte, with padding, with FCGI_STDERR, and shows what that begins with")
def _(t):
    def dribbles(_, link, request_id, __):
        noise = fcgi.record(fcgi.STDERR, b"told \x1b[m", request_id, padding=255)
        head = fcgi.record(fcgi.STDOUT, HELLO[:9], request_id, padding=3)
        for byte in noise + head + answer(request_id, HELLO[9:]):
            link.sendall(bytes([byte]))

    with application(dribbles) as app:
        equal(good(t, app.address, "-n", 3)["stderr_bytes"], 24, "bytes of FCGI_STDERR")
        text = bench(t, app.address, "-n", 1).stdout.decode()
        expect('stderr       8 bytes, beginning with "told \\x1b[m"' in text, f"what was told, in {text}")


@suite.test("bench says where nobody is reached, and goes on counting when nobody is any more")
def _(t):
    with hosts.temporary_folder() as folder:
        done = bench(t, f"unix:{folder}/nobody.sock")
        equal((done.returncode, done.stdout), (69, b""), f"of {done.stderr.decode()}")
        expect(b"there is no such socket" in done.stderr, done.stderr.decode())
    equal(bench(t, "tcp:127.0.0.1:1", "--timeout", "1s").returncode, 69, "a port where nobody listens")
    equal(bench(t, "nonsense:").returncode, 64, "no address")

    def goes_away(app, link, request_id, _):
        link.sendall(answer(request_id))
        if app.requests == 5:
            os.unlink(app.address[5:])
            return False
        return True

    with application(goes_away) as app:
        report = measured(t, app.address, "-n", 10, code=1)
        one_of(report["failures"], ({"connect": 5},), "what failed")


@suite.test("bench against PHP-FPM, also where its processes end after a few requests")
def _(t):
    for requests in (0, 7):
        with hosts.temporary_folder() as folder, php.running(folder, children=3, requests=requests) as fpm:
            script = ("-p", f"SCRIPT_FILENAME={fpm.root}/hello.php")
            for shape in ([], ["-c", 3], ["--new-conn"], ["-c", 6, "--new-conn"]):
                report = good(t, fpm.address, "/hello.php", *script, "-n", 60, *shape)
                equal((report["good"], report["body_bytes"]), (60, len(b"Hello, World\n")), "answers")
            upload = ("-p", f"SCRIPT_FILENAME={fpm.root}/upload.php", "--body", "300KiB")
            good(t, fpm.address, "/upload.php", *upload, "-n", 10, "-c", 2)
            nobody = measured(t, fpm.address, "/none.php", "-p", f"SCRIPT_FILENAME={fpm.root}/none.php", "-n", 5, code=1)
            equal(nobody["failures"], {"status": 5}, "a script that is not there")


# --- whoever started it


def _started(t, *arguments, **more):
    return subprocess.Popen([str(t.build.binary), "bench", *map(str, arguments)], stdout=subprocess.PIPE, **more)


@suite.test("bench ends at once on SIGINT and on SIGTERM, and tells what there is")
def _(t):
    def all_but_the_last(app, link, request_id, _):
        if app.requests < 20:
            link.sendall(answer(request_id))

    for number in (signal.SIGINT, signal.SIGTERM):
        with application(all_but_the_last) as app, _started(t, app.address, "-d", "1h", "--timeout", "1h", "--json") as one:
            eventually(lambda: app.requests == 20, "it runs")  # pylint: disable=cell-var-from-loop
            one.send_signal(number)
            report = json.loads(one.communicate(timeout=30)[0])
            equal((one.returncode, report["good"], report["failed"], report["left"], report["interrupted"]), (0, 19, 0, 1, True),
                  "what is told")


@suite.test("bench shows on a terminal how it goes, once a second, and nowhere else")
def _(t):
    host = t.use(running)
    ours, theirs = pty.openpty()
    try:
        with _started(t, host.unix, "/hello/x", "-d", "2500ms", stderr=theirs) as one:
            out = one.communicate(timeout=60)[0]
        equal(one.returncode, 0, "exit code")
        shown = b""
        while select.select([ours], [], [], 0.5)[0]:
            shown += os.read(ours, 65536)
    finally:
        os.close(ours)
        os.close(theirs)
    lines = [each for each in shown.split(b"\r\x1b[K") if b"requests/s, 0 failed" in each]
    expect(1 <= len(lines) <= 3, f"lines of progress: {shown!r}")
    expect(shown.endswith(b"\r\x1b[K"), "the last one is cleared")
    expect(b"requests/s" in out and b"\x1b" not in out, "the report goes to standard output alone")


@suite.test("bench has no more memory for ten thousand requests at a time than they need, and none for a large body")
def _(t):
    with application(lambda *_: None) as app:
        with _started(t, app.address, "--mux", 10000, "-d", "1h", "--timeout", "1h", stderr=subprocess.DEVNULL) as one:
            try:
                eventually(lambda: app.requests == 10000, "all were sent", 60)
                status = open(f"/proc/{one.pid}/status", encoding="ascii").read()
                peak = int(status.partition("VmHWM:")[2].split()[0])
                expect(peak < 32768 * (10 if t.build.sanitizer else 1), f"{peak} KiB at most")
            finally:
                one.send_signal(signal.SIGINT)
