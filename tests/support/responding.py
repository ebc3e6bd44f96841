"""What every web server has to pass on of a responder, to be tried behind each of them."""

import contextlib
import dataclasses
import json
import random
import threading

from support import host, site, web
from support.runner import Failure, equal, expect, one_of
from support.servers import running, web_user

CONFIG = site.CONFIG + """
[plugin.headers]
[[route]]
name = "headers"
path = "/headers/**"
respond = "headers"
"""

BODY = random.Random(4).randbytes(1 << 20)


@dataclasses.dataclass
class Pair:
    trivet: host.Host
    web: object

    @property
    def port(self):
        return self.web.port

    def totals(self):
        """What `trivet status` counts over all workers."""
        told = host.run_trivet(self.trivet.build, "status", "--admin", f"unix:{self.trivet.folder}/run/admin.sock", "--json")
        if told.returncode != 0:
            raise Failure(f"status ended with {told.returncode}: {told.stderr.decode()[-200:]}")
        return json.loads(told.stdout)["totals"]


@contextlib.contextmanager
def behind(build, make):
    """A host with two workers, and the web server that make(host, port) gives, before it: at host.web, a unix socket
    that it can connect to, or at host.port."""
    with host.temporary_folder() as folder:
        group = f'group = "{web_user()}"' if web_user() else ""
        listen = f'[[listen]]\nname = "web"\naddress = "unix:{folder}/web.sock"\nmode = "0660"\n{group}\n'
        with site.running(build, listen + CONFIG, processes=2) as trivet:
            trivet.web = folder / "web.sock"
            with running(make(trivet, host.free_port())) as server:
                yield Pair(trivet, server)


@dataclasses.dataclass
class Ways:
    """What differs between servers."""

    keeps: bool = False  # sends several requests on a connection to the host
    length_arrives: bool = True  # passes Content-Length of an answer on
    redirect_body: bytes = b"text"  # what is left of the body of a redirect
    takes_early: bool = True  # lives when an answer comes before it has sent the body of the request, or while it does


def add(suite, pair, ways=Ways()):
    """Tests of `suite` with the fixture `pair`."""

    @suite.test("GET with a query, HEAD, 404, 405 and statuses of all kinds pass")
    def _(t):
        port = t.use(pair).port
        seen = web.ask(port, "/echo/a%20b?x=1&y=%2F", headers={"X-Some": "thing"})
        equal(seen.status, 200, "status")
        equal(seen.body.split(b"\n")[1:3], [b"GET", b"/echo/a%20b"], "what echo saw")
        told = site.variables(seen.body)
        for name, value in (("QUERY_STRING", "x=1&y=%2F"), ("REQUEST_METHOD", "GET"), ("REMOTE_ADDR", "127.0.0.1"),
                            ("SERVER_PROTOCOL", "HTTP/1.1"), ("HTTP_X_SOME", "thing")):
            equal(told.get(name), value, name)
        head = web.raw(port, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        expect(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, f"{head!r}")
        get = web.ask(port, "/hello")
        one_of(get.header("Content-Length"), (str(len(get.body)),) if ways.length_arrives else (None,), "Content-Length")
        nothing = web.ask(port, "/nowhere/x")
        equal((nothing.status, nothing.body), (404, b"404 Not Found\n"), "no route")
        refused = web.ask(port, "/posts/a")
        equal((refused.status, refused.header("Allow")), (405, "POST"), "another method")
        for status in (201, 204, 302, 403, 418, 429, 503):
            answer = web.ask(port, f"/headers/x?status={status}&Location=/there&Retry-After=7&body=text")
            body = {204: b"", 302: ways.redirect_body}.get(status, b"text")
            equal((answer.status, answer.body), (status, body), f"status {status}")
            equal(answer.header("Retry-After"), "7", f"a header of {status}")

    @suite.test("one mebibyte comes back, by length and chunked, as bytes come and as a plugin reads" if ways.takes_early else
                "a body comes back")
    def _(t):
        port = t.use(pair).port
        for uri in ("/echo/a", "/stream/a") if ways.takes_early else ():
            for chunked in (False, True):
                sent = (BODY[at:at + 30000] for at in range(0, len(BODY), 30000)) if chunked else BODY
                answer = web.ask(port, uri, "POST", sent, timeout=30 * t.build.slowness, chunked=chunked,
                                 headers={"Transfer-Encoding": "chunked"} if chunked else None)
                back = site.echoed(answer.body) if uri == "/echo/a" else answer.body
                expect((answer.status, back) == (200, BODY), f"{uri} chunked={chunked}: {answer.status}, {len(back)} bytes")
        for size in (0, 1, 65535, 65536):
            answer = web.ask(port, "/echo/a", "POST", BODY[:size])
            expect((answer.status, site.echoed(answer.body)) == (200, BODY[:size]), f"{size} bytes: {answer}")

    @suite.test("an answer of one mebibyte arrives whole" + (
        ", also before the body of its request" if ways.takes_early else ""))
    def _(t):
        port = t.use(pair).port
        for uri in ("/write/a", "/write-events/a"):
            answer = web.ask(port, f"{uri}?n={1 << 20}", timeout=30 * t.build.slowness)
            expect((answer.status, answer.body) == (200, site.written(1 << 20)), f"{uri}: {answer.status}, {len(answer.body)}")
            if not ways.takes_early:
                continue
            early = web.ask(port, f"{uri}?n=70000", "POST", BODY, timeout=30 * t.build.slowness)
            expect((early.status, early.body) == (200, site.written(70000)), f"{uri}, early: {early.status}")

    @suite.test("several cookies and many headers pass in both directions")
    def _(t):
        port = t.use(pair).port
        lines = "".join(f"X-Many-{number}: {'v' * 50}{number}\r\n" for number in range(40))
        raw = web.raw(port, f"GET /echo/a HTTP/1.1\r\nHost: x\r\nCookie: a=1\r\nCookie: b=2\r\nX-Twice: 1\r\nX-Twice: 2\r\n"
                            f"{lines}Connection: close\r\n\r\n".encode())
        told = raw.decode("latin-1").split("\n")
        cookie = next((line for line in told if line.startswith("HTTP_COOKIE=")), "")
        one_of(cookie.replace(" ", "").replace(",", ";").rstrip("\r"), ("HTTP_COOKIE=a=1;b=2",), "cookies")
        twice = next((line for line in told if line.startswith("HTTP_X_TWICE=")), "")
        # Yaws turns them round, in answers too; Jetty passes the last.
        one_of(twice.replace(" ", "").rstrip("\r"), [f"HTTP_X_TWICE={each}" for each in ("1,2", "2,1", "2")], "repeated")
        for number in range(40):
            expect(f"HTTP_X_MANY_{number}={'v' * 50}{number}" in told, f"X-Many-{number} did not arrive")
        many = "".join(f"&X-Answer-{number}={number}" for number in range(30))
        answer = web.ask(port, f"/headers/a?Set-Cookie=a%3d1&Set-Cookie=b%3d2%3b%20path%3d/&Set-Cookie=c%3d3{many}")
        cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
        one_of(cookies, (["a=1", "b=2; path=/", "c=3"], ["c=3", "b=2; path=/", "a=1"]), "cookies of the answer")
        equal([answer.header(f"X-Answer-{number}") for number in range(30)], [str(number) for number in range(30)], "headers")

    @suite.test("requests on one connection get one answer each" + (
        ", and share connections to the host" if ways.keeps else ", and no connection to the host stays"))
    def _(t):
        both = t.use(pair)
        before = both.totals()["connections_accepted"]
        kept = web.Kept(both.port)
        for number in range(40):
            if number % 4 == 3:
                body = b"%d" % number * 50
                equal(site.echoed(kept.ask("/echo/a", "POST", body).body), body, f"body {number}")
            else:
                equal(kept.ask("/hello", "HEAD" if number % 4 == 1 else "GET").status, 200, f"request {number}")
        kept.close()
        made = both.totals()["connections_accepted"] - before
        expect(made <= 10 if ways.keeps else made == 40, f"{made} connections for 40 requests")

    @suite.test("a hundred requests at once are all answered, each with its own answer")
    def _(t):
        both = t.use(pair)

        def one(number):
            body = b"request %d " % number * (number * 11 % 997 + 1)
            return site.echoed(web.ask(both.port, "/echo/a", "POST", body, timeout=40 * t.build.slowness).body) == body

        expect(all(web.at_once(100, one, threads=50)), "an answer was wrong")

    @suite.test("`trivet reload` under requests fails none of them")
    def _(t):
        both = t.use(pair)
        done = threading.Event()

        def client(number):
            if number == 0:
                try:
                    for _ in range(3):
                        told = host.run_trivet(t.build, "reload", "-c", both.trivet.file)
                        equal((told.returncode, told.stderr), (0, b""), "reload")
                finally:
                    done.set()
                return 3
            asked = 0
            while not done.is_set() or asked < 10:
                body = b"%d of %d" % (asked, number)
                answer = web.ask(both.port, "/echo/a", "POST", body, timeout=40 * t.build.slowness)
                expect((answer.status, site.echoed(answer.body)) == (200, body), f"request {asked} of {number}: {answer}")
                asked += 1
            return asked

        expect(min(web.at_once(5, client)) >= 3, "too few requests")
