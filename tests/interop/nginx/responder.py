"""nginx before a responder: kept connections, bodies, clients that leave."""

import random
import socket
import threading

from support import examples, site, web
from support.runner import Suite, equal, eventually, expect, one_of
from support.site import echoed

suite = Suite("nginx responder")


def _locations(_text, _root):
    return """
client_max_body_size 64m;
fastcgi_buffer_size 16k;
fastcgi_buffers 8 16k;
location / { include trivet_params; fastcgi_pass trivet; }
location /unbuffered/ {
  include trivet_params;
  fastcgi_param TRIVET_ROUTE echo;
  fastcgi_request_buffering off;
  fastcgi_buffering off;
  fastcgi_pass trivet;
}
location /single/ { include trivet_params; fastcgi_param TRIVET_ROUTE hello; fastcgi_keep_conn off; fastcgi_pass trivet; }
location /blocking-unbuffered/ {
  include trivet_params;
  fastcgi_param TRIVET_ROUTE stream;
  fastcgi_request_buffering off;
  fastcgi_buffering off;
  fastcgi_pass trivet;
}
"""


@suite.fixture
def pair(t):
    with examples.nginx(t.build, site.CONFIG, _locations) as running:
        yield running


def _body(uri, answer):
    """The request body within the answer: `stream` sends nothing else, `echo` tells what it saw before it."""
    return answer.body if "stream" in uri or "blocking" in uri else echoed(answer.body)


@suite.test("a GET reaches hello, its answer the client")
def _(t):
    answer = web.ask(t.use(pair).extra_port, "/hello?name=x")
    equal(answer.status, 200, "status")
    expect(answer.body, "no body")
    equal(answer.header("Content-Length"), str(len(answer.body)), "Content-Length")
    expect(answer.header("Status") is None, "the Status line leaked into the headers")


@suite.test("HEAD has the head of GET and no body")
def _(t):
    port = t.use(pair).extra_port
    get = web.ask(port, "/hello")
    head = web.raw(port, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 200"), f"{head[:100]!r}")
    expect(head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, f"there is a body: {head!r}")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    one_of(lengths, ([], [b"content-length: %d" % len(get.body)]), "Content-Length")
    kept = web.Kept(port)
    for _ in range(10):  # on a kept connection a body would be taken for the next answer
        equal(kept.ask("/hello", "HEAD").status, 200, "HEAD")
        equal(kept.ask("/hello").body, get.body, "GET after HEAD")
    kept.close()


@suite.test("four mebibytes come back byte by byte, buffered and as they come, by length and chunked")
def _(t):
    body = random.Random(4).randbytes(4 << 20)
    for uri in ("/echo/a", "/stream/a", "/unbuffered/a", "/blocking-unbuffered/a"):
        for chunked in (False, True):
            sent = (body[at:at + 30000] for at in range(0, len(body), 30000)) if chunked else body
            answer = web.ask(t.use(pair).extra_port, uri, "POST", sent, chunked=chunked,
                             headers={"Transfer-Encoding": "chunked"} if chunked else None, timeout=30 * t.build.slowness)
            equal(answer.status, 200, f"status of {uri}, chunked {chunked}")
            back = _body(uri, answer)
            expect(back == body, f"{uri}, chunked {chunked}: {len(back)} bytes came back")


@suite.test("an empty body, one byte and bodies around record sizes come back")
def _(t):
    kept = web.Kept(t.use(pair).extra_port)
    for size in (0, 1, 7, 8191, 8192, 8193, 32767, 32768, 65527, 65528, 65535, 65536, 262144):
        body = random.Random(size).randbytes(size)
        for uri in ("/echo/a", "/stream/a", "/unbuffered/a"):
            answer = kept.ask(uri, "POST", body)
            equal((answer.status, _body(uri, answer) == body), (200, True), f"{size} bytes to {uri}")
    kept.close()


@suite.test("answers of every size arrive whole, also to a client that reads late, and an early one to a client that sends")
def _(t):
    running = t.use(pair)
    for path in ("/write", "/write-events"):
        for size in (0, 1, 3000, 65535, 65536, 1 << 20, 16 << 20):
            answer = web.ask(running.extra_port, f"{path}?n={size}")
            equal((answer.status, answer.body == site.written(size)), (200, True), f"{size} bytes of {path}")
            # Whole before the body came: nginx stops sending, and still relays it.
            answer = web.ask(running.extra_port, f"{path}?n={size}", "POST", b"b" * (2 << 20))
            equal((answer.status, answer.body == site.written(size)), (200, True), f"{size} bytes of {path}, early")
    got = web.raw(running.extra_port, b"GET /write?n=3000000 HTTP/1.0\r\nHost: x\r\n\r\n", pause=0.3)
    expect(got.endswith(site.written(3000000)), "a client that reads late")


@suite.test("no route is 404, another method 405 with Allow, and neither ends the kept connection")
def _(t):
    running = t.use(pair)
    kept = web.Kept(running.extra_port)
    before = running.trivet.connections()
    for _ in range(5):
        equal(kept.ask("/nowhere").status, 404, "no route")
        refused = kept.ask("/posts/a")
        equal((refused.status, refused.header("Allow")), (405, "POST"), "another method")
        equal(echoed(kept.ask("/posts/a", "POST", b"x").body), b"x", "the method that fits")
    expect(running.trivet.connections() <= before + 1, "a refusal cost a connection")
    kept.close()


@suite.test("a large request head goes through up to nginx's own buffers")
def _(t):
    for size in (1000, 4000, 7000):
        answer = web.ask(t.use(pair).extra_port, "/hello", headers={"X-Big": "b" * size, "Cookie": "c" * size})
        equal(answer.status, 200, f"status with {size} bytes twice")


@suite.test("TRIVET_ variables cannot come from a client")
def _(t):
    headers = {"TRIVET_ROUTE": "echo", "TRIVET-ROUTE": "echo", "Trivet-Role": "authorizer"}
    equal(web.ask(t.use(pair).extra_port, "/nowhere", headers=headers).status, 404, "status")


@suite.test("without keep-alive each answer is whole and its connection closed at once")
def _(t):
    running = t.use(pair)
    for _ in range(50):
        equal(web.ask(running.extra_port, "/single/a", timeout=4 * t.build.slowness).status, 200, "status")
    # What is left are connections of the kept pool, never more than it may hold.
    eventually(lambda: running.trivet.connections() <= 16, "connections without keep-alive are gone")


@suite.test("clients that leave in the middle of an answer harm nobody and leak no connection")
def _(t):
    running = t.use(pair)
    body = random.Random(9).randbytes(3 << 20)
    for uri in (b"/unbuffered/a", b"/blocking-unbuffered/a", b"/echo/a"):
        for read in (0, 1, 1000, 100000):
            head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (uri, len(body))
            with socket.create_connection(("127.0.0.1", running.extra_port)) as link:
                link.settimeout(5 * t.build.slowness)
                sender = threading.Thread(target=_send, args=(link, head + body))
                sender.start()
                got = 0
                while got < read:
                    got += len(link.recv(read - got)) or read
                link.shutdown(socket.SHUT_RDWR)
                sender.join()
        for _ in range(5):
            equal(web.ask(running.extra_port, "/hello").status, 200, "others are served")
    eventually(lambda: running.trivet.connections() <= 16, "connections of clients that left are gone", 10)
    equal(web.ask(running.extra_port, "/stream/a", "POST", b"free").body, b"free", "a plugin thread is free")


def _send(link, content):
    try:
        link.sendall(content)
    except OSError:
        pass


@suite.test("two hundred requests at once are all answered, each with its own answer")
def _(t):
    running = t.use(pair)

    def one(number):
        body = b"request %d " % number * (number * 11 % 997 + 1)
        uri = ("/echo/a", "/stream/a")[number % 2]
        answer = web.ask(running.extra_port, uri, "POST", body, timeout=40)
        return answer.status == 200 and _body(uri, answer) == body

    expect(all(web.at_once(200, one, threads=200)), "an answer was wrong")


@suite.test("502 to no one over four thousand requests on kept connections", timeout=120)
def _(t):
    running = t.use(pair)
    turns = 4000 if not t.build.sanitizer else 800
    kept = [web.Kept(running.extra_port) for _ in range(16)]
    running.web.mark_log()

    def client(number):
        statuses = []
        for turn in range(turns // 16):
            if turn % 5 == 4:
                answer = kept[number].ask("/echo/a", "POST", b"%d" % turn)
                statuses.append(answer.status if echoed(answer.body) == b"%d" % turn else answer.body)
            else:
                statuses.append(kept[number].ask("/hello").status)
        return statuses

    statuses = [each for client_statuses in web.at_once(16, client) for each in client_statuses]
    for each in kept:
        each.close()
    equal(sorted(set(statuses)), [200], "statuses")
    expect(running.trivet.connections() <= 32, f"{running.trivet.connections()} connections for 16 clients")
    told = [line for line in running.web.log_since_mark().splitlines() if "upstream" in line]
    expect(not told, f"nginx complained: {told[:3]}")
