"""PHP-FPM behind Trivet: `respond = { fastcgi = ... }`, from a client that speaks FastCGI itself and from nginx."""

import hashlib
import json
import random
import signal
import threading
import time

from support import examples, fcgi, host as hosts, php, site, web
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect

suite = Suite("PHP-FPM")

ROT13 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                        b"NOPQRSTUVWXYZABCDEFGHIJKLMnopqrstuvwxyzabcdefghijklm")


def config(fpm):
    respond = f'fastcgi = "{fpm.address}", root = "{fpm.root}"'
    return site.CONFIG + f"""
[[route]]
name = "php"
path = "/php/**"
respond = {{ {respond}, connections = 4 }}

[[route]]
name = "loud"
path = "/loud/**"
respond = {{ {respond} }}
filter = ["upper", "rot13"]

[[route]]
name = "as-told"
path = "/as-told/**"
respond = {{ fastcgi = "{fpm.address}" }}

[[route]]
name = "hurried"
path = "/hurried/**"
respond = {{ {respond}, timeout = "500ms" }}

[[route]]
name = "as-it-comes"
path = "/as-it-comes/**"
respond = {{ {respond}, stream = true }}

[[route]]
name = "gated"
path = "/gated/**"
authorize = ["key"]
variables = ["REMOTE_USER"]
respond = {{ {respond} }}

[[route]]
name = "nobody"
path = "/nobody/**"
respond = {{ fastcgi = "unix:{fpm.folder}/nobody.sock" }}
"""


class Pair:
    def __init__(self, fpm, trivet):
        self.fpm, self.trivet = fpm, trivet

    def get(self, uri, **more):
        return self.trivet.get(uri, **more)


@suite.fixture
def pair(t):
    t.build.plugin("rot13")
    with hosts.temporary_folder() as folder, php.running(folder) as fpm:
        with site.running(t.build, config(fpm)) as trivet:
            yield Pair(fpm, trivet)


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


@suite.test("a GET reaches a script, with its parameters and without the host's own")
def _(t):
    running = t.use(pair)
    answer = running.get("/php/hello.php?name=Ann", SERVER_SOFTWARE="x")
    equal((answer.status, answer.body), (200, b"Hello, Ann\n"), "answer")
    equal(answer.header("Content-Type"), "text/plain;charset=UTF-8", "type")
    equal(answer.header("Content-Length"), "11", "an answer that ends at once gets a length")
    told = json.loads(running.get("/php/info.php/more%20path?a=b", TRIVET_ROUTE="php", TRIVET_METHOD="GET", HTTP_X="y",
                                  HTTP_PROXY="evil", SCRIPT_FILENAME="/etc/passwd", DOCUMENT_ROOT="/etc").body)
    root = str(running.fpm.root)
    for name, wanted in {"SCRIPT_FILENAME": f"{root}/info.php", "DOCUMENT_ROOT": root, "SCRIPT_NAME": "/php/info.php",
                         "PATH_INFO": "/more path", "PHP_SELF": "/php/info.php/more path", "HTTP_X": "y",
                         "REQUEST_URI": "/php/info.php/more%20path?a=b", "QUERY_STRING": "a=b",
                         "PATH_TRANSLATED": f"{root}/more path"}.items():
        equal(told.get(name), wanted, name)
    for name in told:
        expect(not name.startswith("TRIVET_") and name != "HTTP_PROXY", f"{name} was passed on")


@suite.test("a guard's user arrives, a client's claim does not, and who is denied reaches no script")
def _(t):
    running = t.use(pair)
    told = json.loads(running.get("/gated/info.php", REMOTE_USER="forged", **site.GOOD).body)
    equal(told["REMOTE_USER"], site.USER, "REMOTE_USER")
    equal(running.get("/gated/info.php", **site.BAD).status, 403, "denied")


@suite.test("indexes, folders, and what is no script")
def _(t):
    running = t.use(pair)
    equal(running.get("/php/").body, b"index of /php/index.php", "the index")
    equal(running.get("/php/sub/").body, b"index of /php/sub/index.php", "of a folder below")
    moved = running.get("/php/sub?x=1")
    equal((moved.status, moved.header("Location")), (301, "/php/sub/?x=1"), "without its slash")
    for path in ("/php/upload/cat.jpg", "/php/upload/cat.jpg/x.php", "/php/nowhere.php", "/php/upload/"):
        answer = running.get(path)
        equal(answer.status, 404, path)
        expect(b"never" not in answer.body, path)


@suite.test("without `root` the web server says which script runs")
def _(t):
    running = t.use(pair)
    answer = running.get("/as-told/x", SCRIPT_FILENAME=f"{running.fpm.root}/hello.php", SCRIPT_NAME="/x")
    equal((answer.status, answer.body), (200, b"Hello, World\n"), "answer")
    equal(running.get("/as-told/x", SCRIPT_FILENAME="/nonexistent.php").status, 404, "PHP's own 404")


@suite.test("a form, a cookie, a status, repeated headers and cookies")
def _(t):
    running = t.use(pair)
    form = b"a=1&b=%C3%A4"
    answer = running.trivet.exchange(cgi("/php/form.php", "POST", form, HTTP_COOKIE="c=d",
                                         CONTENT_TYPE="application/x-www-form-urlencoded"), form)
    equal(json.loads(answer.body), [{"a": "1", "b": "ä"}, {"c": "d"}], "form and cookie")
    for code in (200, 201, 404, 418, 503):
        answer = running.get(f"/php/status.php?code={code}")
        equal((answer.status, answer.body), (code, b"body"), "status")
    lines = [line for line in answer.split()[0] if line.startswith(("X-One", "X-Two", "Set-Cookie", "Connection"))]
    equal(lines, ["X-One: 1", "X-Two: a", "X-Two: b", "Set-Cookie: first=1; path=/", "Set-Cookie: second=2; path=/"],
          "headers")
    answer = running.get("/php/status.php?code=303&location=/x")
    equal((answer.status, answer.header("Location")), (303, "/x"), "a redirect")
    answer = running.get("/php/hello.php", REQUEST_METHOD="HEAD")
    equal((answer.status, answer.body), (200, b""), "HEAD")


@suite.test("64 MiB go up and come down, and the host stays small", timeout=240)
def _(t):
    running = t.use(pair)
    body = content(64 << 20)
    wanted = f"{len(body)} {hashlib.sha256(body).hexdigest()} {len(body)}".encode()
    answer = running.trivet.exchange(cgi("/php/upload.php", "POST", body), body, timeout=120)
    equal((answer.status, answer.body), (200, wanted), "upload")
    answer = running.trivet.exchange(cgi("/php/download.php?n=1024"), timeout=60)
    piece = (b"0123456789abcdef" * 4096)[4:]
    wanted = hashlib.sha256(b"".join(at.to_bytes(4, "big") + piece for at in range(1024))).hexdigest()
    body = answer.body
    equal((answer.status, len(body), hashlib.sha256(body).hexdigest()), (200, 64 << 20, wanted), "download")
    if not t.build.sanitizer:
        peak = running.trivet.status_bytes("VmHWM")
        print(f"     the host's largest memory was {peak / 2**20:.1f} MiB")
        expect(peak < 32 << 20, f"the host grew to {peak / 2**20:.1f} MiB")


@suite.test("a client that reads late holds PHP back, not the host's memory", timeout=120)
def _(t):
    running = t.use(pair)
    link = running.trivet.connect(timeout=60)
    link.send(request(cgi("/php/download.php?n=1024")))
    time.sleep(2)
    if not t.build.sanitizer:
        expect(running.trivet.status_bytes("VmRSS") < 32 << 20, "the host grew")
    equal(len(link.response(timeout=60).body), 64 << 20, "bytes")
    link.close()


@suite.test("what PHP writes to its log is in the host's, line by line")
def _(t):
    running = t.use(pair)
    running.trivet.mark_log()
    equal(running.get("/php/stderr.php").body, b"fine", "body")
    log = running.trivet.log_since_mark()
    for part in ("the application says", "route=php", "told\\x09by PHP", "a warning"):
        expect(part in log, f"no {part!r} in the log: {log}")


@suite.test("a script that ends with a status of its own is answered whole")
def _(t):
    answer = t.use(pair).get("/php/exit.php")
    equal((answer.status, answer.body, answer.app_status), (200, b"before", 0), "answer")


@suite.test("a script that takes too long is 504, and the next request is answered")
def _(t):
    running = t.use(pair)
    begun = time.monotonic()
    equal(running.get("/hurried/sleep.php?s=2").status, 504, "status")
    expect(time.monotonic() - begun < 1.8, "it took longer than its timeout")
    equal(running.get("/hurried/hello.php").status, 200, "afterwards")


@suite.test("a body without a length reaches PHP whole, from a client and from nginx, chunked and unbuffered", timeout=120)
def _(t):
    running = t.use(pair)
    body = content(3_000_001)
    wanted = f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode()
    for missing in (None, ""):
        answer = running.trivet.exchange(cgi("/php/upload.php", "POST", CONTENT_LENGTH=missing), body, timeout=30)
        equal((answer.status, answer.body), (200, wanted + b" 3000001"), f"CONTENT_LENGTH {missing!r}")

    def locations(_text, _root):
        return """
location /php/ {
  include trivet_params;
  fastcgi_param TRIVET_ROUTE php;
  fastcgi_request_buffering off;
  fastcgi_buffering off;
  fastcgi_pass trivet;
}
client_max_body_size 64m;
"""
    with examples.nginx(t.build, config(running.fpm), locations) as behind:
        pieces = (body[at:at + 30000] for at in range(0, len(body), 30000))
        answer = web.ask(behind.extra_port, "/php/upload.php", "POST", pieces, chunked=True,
                         headers={"Transfer-Encoding": "chunked"}, timeout=30)
        equal((answer.status, answer.body), (200, wanted + b" 3000001"), "chunked through nginx")
        answer = web.ask(behind.extra_port, "/php/upload.php", "POST", body, timeout=30)
        equal((answer.status, answer.body), (200, wanted + b" 3000001"), "by length through nginx")
        equal(web.ask(behind.extra_port, "/php/hello.php?name=x").body, b"Hello, x\n", "GET through nginx")


@suite.test("events pass at once, also through filters")
def _(t):
    for route in ("php", "loud"):
        with t.use(pair).trivet.connect() as link:
            begun = time.monotonic()
            link.send(request(cgi(f"/{route}/events.php")))
            times = []
            while not link.closed and len(times) < 4:
                link.pump(5.0)
                answer = link.responses.get(1)
                while answer is not None and len(times) < answer.out.count(b"\n\n"):
                    times.append(time.monotonic() - begun)
            equal(len(times), 4, f"events of {route}")
            for number, at in enumerate(times):
                expect(at < 0.3 * number + 0.25 * t.build.slowness, f"{route}: they came after {times} s")


@suite.test("filters take PHP's output")
def _(t):
    answer = t.use(pair).get("/loud/hello.php?name=Ann", HTTP_ACCEPT_ENCODING="gzip", HTTP_RANGE="bytes=0-1")
    equal((answer.status, answer.body), (200, b"Hello, Ann\n".upper().translate(ROT13)), "answer")
    told = json.loads(t.use(pair).get("/loud/info.php", HTTP_ACCEPT_ENCODING="gzip").body.translate(ROT13).lower())
    expect("http_accept_encoding" not in told, "a hidden parameter was passed on")


@suite.test("a client that is gone is told to PHP by the end of its connection", timeout=60)
def _(t):
    running = t.use(pair)
    file = running.fpm.folder / "told" / "gone"
    link = running.trivet.connect()
    link.send(request(cgi(f"/php/watch.php?file={file}")))
    link.pump(2.0)
    link.break_off()
    eventually(file.exists, "what PHP writes when its client is gone", 8)
    equal(file.read_text(), "aborted", "what PHP says")


@suite.test("10,000 requests need no more connections than are allowed, and none fails", timeout=240)
def _(t):
    running = t.use(pair)
    eventually(lambda: running.trivet.connections() == 0, "the end of connections that are kept")
    failed, most = [], [0]

    def ask(_number):
        with running.trivet.connect(timeout=60) as link:
            for number in range(1250):
                link.send(request(cgi(f"/php/hello.php?name={number}"), flags=fcgi.KEEP))
                answer = link.take()
                if (answer.status, answer.body) != (200, b"Hello, %d\n" % number):
                    failed.append(answer)
                if number % 50 == 0:
                    most[0] = max(most[0], running.trivet.connections())

    web.at_once(8, ask)
    equal(failed, [], "failed")
    expect(most[0] <= 8 + 4, f"{most[0]} connections, 8 of them from clients")


@suite.test("requests in the moment when PHP-FPM replaces its processes fail no more than they must", timeout=120)
def _(t):
    with hosts.temporary_folder() as folder, php.running(folder, children=2, requests=25) as fpm:
        with site.running(t.build, config(fpm)) as trivet:
            with trivet.connect(timeout=60) as link:
                for number in range(500):
                    link.send(request(cgi(f"/php/hello.php?name={number}"), flags=fcgi.KEEP))
                    equal(link.take().status, 200, f"request {number}")


@suite.test("no PHP-FPM is 502 that names its socket, and one that is started again serves at once", timeout=90)
def _(t):
    with hosts.temporary_folder() as folder, php.running(folder) as fpm:
        with site.running(t.build, config(fpm)) as trivet:
            equal(trivet.get("/php/hello.php").status, 200, "before")
            asked = threading.Thread(target=trivet.get, args=("/php/sleep.php?s=5",))
            asked.start()
            time.sleep(0.3)
            fpm.end(signal.SIGTERM)
            asked.join()
            fpm.socket.unlink(missing_ok=True)
            trivet.mark_log()
            equal(trivet.get("/php/hello.php").status, 502, "while it is away")
            expect(f"unix:{fpm.socket}: it cannot be reached: No such file or directory" in trivet.log_since_mark(),
                   trivet.log_since_mark())
            fpm.start()
            equal(trivet.get("/php/hello.php").status, 200, "again")


@suite.test("a socket that was never there is 502")
def _(t):
    equal(t.use(pair).get("/nobody/x").status, 502, "status")


@suite.test("more requests than connections wait, and are answered")
def _(t):
    running = t.use(pair)
    answers = web.at_once(12, lambda _: running.get("/php/sleep.php?s=0.2"))
    equal([answer.status for answer in answers], [200] * 12, "status")


@suite.test("Trivet answers behind Trivet: bodies, statuses and an answer that is cut")
def _(t):
    with site.running(t.build) as inner:
        respond = f'respond = {{ fastcgi = "{inner.unix}" }}'
        text = "\n".join(f'[[route]]\nname = "{name}"\npath = "/{name}/**"\n{respond}\n'
                         for name in ("hello", "echo", "stream", "write", "nowhere", "posts"))
        with site.running(t.build, text) as outer:
            equal(outer.get("/hello").body, inner.get("/hello").body, "hello")
            body = content(1 << 20)
            for length in (len(body), None):
                answer = outer.exchange(cgi("/stream/a", "POST", CONTENT_LENGTH=length), body)
                expect((answer.status, answer.body) == (200, body), f"length {length}: {answer}")
            equal(outer.get("/nowhere/x").status, 404, "404")
            refused = outer.get("/posts/x")
            equal((refused.status, refused.header("Allow")), (405, "POST"), "405")
            equal(outer.get("/write/?n=3000000").body, site.written(3000000), "3 MB")
            outer.expect_well()
