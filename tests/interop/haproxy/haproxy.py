"""HAProxy: many requests at once on few connections, the capacities it asks for, ABORT at its time-out."""

import random
import threading

from support import examples, refusals, site, web
from support.runner import Suite, equal, eventually, expect, one_of

EXAMPLE = Suite("haproxy example")
suite = Suite("haproxy")

CONFIG = examples.plugins_and_routes("haproxy")

SLOW = site.CONFIG.replace("threads = 1\nqueue = 1\n", "threads = 40\nqueue = 256\n")


@EXAMPLE.fixture
def example(t):
    with examples.haproxy(t.build, CONFIG) as running:
        yield running


@EXAMPLE.test("the responder answers")
def _(t):
    equal(web.ask(t.use(example).port, "/app/x").status, 200, "status")


@EXAMPLE.test("the guarded responder sees the guard's user, whatever the client claims")
def _(t):
    port = t.use(example).port
    key = {"X-Api-Key": site.key_of(CONFIG)}
    claims = {"Authorization": "Basic bWFsbG9yeTp4", "Remote-User": "mallory", "Variable-Remote-User": "mallory"}
    seen = site.variables(web.ask(port, "/account/me", headers={**key, **claims}).body)
    equal(seen.get("REMOTE_USER"), site.user_of(CONFIG), "REMOTE_USER")
    equal(seen.get("AUTH_TYPE", ""), "", "AUTH_TYPE, which HAProxy made of an unverified header")
    denied = web.ask(port, "/account/me", headers=claims)
    equal((denied.status, denied.body), (401, b"a key is needed\n"), "without the key")
    expect(denied.header("WWW-Authenticate"), "401 has no WWW-Authenticate")


@suite.fixture
def pair(t):
    with examples.haproxy(t.build, SLOW) as running:
        yield running


@suite.test("GET, HEAD and 405 work")
def _(t):
    port = t.use(pair).port
    get = web.ask(port, "/hello")
    equal((get.status, get.header("Content-Length")), (200, str(len(get.body))), "GET")
    head = web.raw(port, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, f"{head!r}")
    equal(web.ask(port, "/posts/a").status, 405, "another method")


@suite.test("four mebibytes come back byte by byte, a short body also chunked")
def _(t):
    port = t.use(pair).port
    body = random.Random(4).randbytes(4 << 20)
    for uri in ("/echo/a", "/stream/a"):
        for sent, chunked in ((body, False), (body[:5000], False), (body[:5000], True)):
            pieces = (sent[at:at + 1000] for at in range(0, len(sent), 1000)) if chunked else sent
            answer = web.ask(port, uri, "POST", pieces, timeout=30 * t.build.slowness, chunked=chunked)
            back = site.echoed(answer.body) if uri == "/echo/a" else answer.body
            equal((answer.status, back == sent), (200, True), f"{uri} {len(sent)} bytes, chunked={chunked}")


@suite.test("the head is one record, however much comes with it: this HAProxy dies of a cut one", timeout=90)
def _(t):
    running = t.use(pair)
    for uri in ("/write/a?n=1", "/write/a?n=70000", "/write/a?n=3000000", "/write-events/a?n=3000000", "/shout/a"):
        for _ in range(20):
            equal(web.ask(running.port, uri, timeout=30 * t.build.slowness).status, 200, uri)
    expect(running.web.running, "HAProxy died")


@suite.test("many slow requests share few connections")
def _(t):
    running = t.use(pair)
    most = 0
    done = threading.Event()

    def watch():
        nonlocal most
        while not done.wait(0.01):
            most = max(most, running.trivet.connections())

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = web.at_once(40, lambda _n: web.ask(running.port, "/slow/a?ms=600", timeout=40 * t.build.slowness), threads=40)
    done.set()
    watcher.join()
    equal([answer.status for answer in answers], [200] * 40, "answers")
    expect(1 <= most <= 12, f"40 requests at once took {most} connections")


@suite.test("two hundred requests of all sizes at once on shared connections are each right", timeout=120)
def _(t):
    running = t.use(pair)
    bodies = [random.Random(seed).randbytes(size) for seed, size in enumerate((0, 1, 5000, 70000, 300000))]

    def one(number):
        body = bodies[number % 5]
        uri = ("/stream/a", "/echo/a")[number % 2]
        answer = web.ask(running.port, uri, "POST", body, timeout=60 * t.build.slowness)
        back = site.echoed(answer.body) if uri == "/echo/a" else answer.body
        return answer.status == 200 and back == body

    expect(all(web.at_once(200, one, threads=100)), "an answer was wrong or another's")
    expect(running.web.running, "HAProxy died")


@suite.test("clients that leave in the middle do not disturb those on the same connection", timeout=90)
def _(t):
    running = t.use(pair)

    def one(number):
        if number % 2:
            with web.socket.create_connection(("127.0.0.1", running.port), timeout=20) as link:
                link.sendall(b"GET /write/a?n=3000000 HTTP/1.1\r\nHost: x\r\n\r\n")
                return len(link.recv(1000)) > 0
        body = b"%d " % number * 5000
        answer = web.ask(running.port, "/stream/a", "POST", body, timeout=40 * t.build.slowness)
        return (answer.status, answer.body) == (200, body)

    expect(all(web.at_once(60, one, threads=30)), "an answer was wrong")
    expect(running.web.running, "HAProxy died")


@suite.test("ABORT at HAProxy's time-out cancels the request and leaves the connection to the others", timeout=90)
def _(t):
    with examples.haproxy(t.build, SLOW, threads=1, changes={"timeout server 60s": "timeout server 500ms"}) as running:
        def one(number):
            if number == 0:
                return web.ask(running.port, "/slow/a?ms=10000", timeout=40 * t.build.slowness).status
            return [web.ask(running.port, "/hello", timeout=40 * t.build.slowness).status for _ in range(50)]

        gave_up, *others = web.at_once(4, one, threads=4)
        one_of(gave_up, (502, 504), "the request that took too long")
        equal(others, [[200] * 50] * 3, "the others")
        # Its thread is free again long before its ten seconds: 40 requests need all 40 threads.
        answers = web.at_once(40, lambda _n: web.ask(running.port, "/slow/a?ms=50", timeout=40).status, threads=40)
        equal(answers, [200] * 40, "afterwards")
        eventually(lambda: running.trivet.get("/hello").status == 200, "the host answers")


STEER = "".join(f"  set-param TRIVET_{each} %[req.hdr(x-set-{each.lower()})] if {{ req.hdr(x-set-{each.lower()}) -m found }}\n"
                for each in ("ROUTE", "ROLE", "PATH"))


@suite.test("no refusal or failure of a guard is a grant, its status arrives, and its twin is let in", timeout=90)
def _(t):
    # HAProxy asks no authorizers: steered, Trivet answers these as one, and 200 is the grant.
    for each in ("throws", "silent", "slow"):
        t.build.plugin(each)

    def ask(port, steer, headers):
        steered = {"TRIVET_ROLE": "authorizer", **steer}
        named = {"X-Set-" + name.removeprefix("TRIVET_").title(): value for name, value in steered.items()}
        return web.ask(port, "/x", headers={**named, **headers}, timeout=20 * t.build.slowness)

    changes = {"  docroot /srv/www\n": "  docroot /srv/www\n" + STEER}
    with examples.haproxy(t.build, refusals.CONFIG, changes=changes) as running:
        for case in refusals.CASES:
            if case.steer.get("TRIVET_ROUTE") == "":
                continue  # HAProxy sets no empty parameters
            equal(ask(running.port, case.steer, case.headers).status, case.status, f"status for {case.name}")
            own = case.same_route and "TRIVET_ROLE" not in case.steer
            granted = ask(running.port, case.steer if own else {"TRIVET_ROUTE": "private"}, {"X-Api-Key": site.KEY})
            seen = (granted.status, granted.header("Variable-REMOTE_USER"))
            equal(seen, (200, site.USER), f"the twin of {case.name}")
