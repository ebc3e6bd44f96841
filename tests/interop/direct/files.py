"""Files by FastCGI alone: paths that want out, folders that are switched, large files, slow clients, disks of all kinds."""

import contextlib
import os
import pathlib
import resource
import shutil
import socket
import statistics
import subprocess
import time

from support import fcgi, file_site, host as hosts, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect, one_of

suite = Suite("files")
MIB = 1 << 20


def _config(folder):
    return file_site.config(folder) + site.KEYGATE + f"""
[[route]]
name = "guarded"
path = "/guarded/private/**"
authorize = ["key"]
respond = {{ files = "{folder}/www/private" }}

[[route]]
name = "open"
path = "/guarded/**"
respond = {{ files = "{folder}/www" }}

[[route]]
name = "robots"
path = "/robots.txt"
respond = {{ files = "{folder}/www/plain.txt" }}

[[route]]
name = "shout"
path = "/shout/**"
respond = {{ files = "{folder}/www" }}
filter = ["upper"]

[plugin.upper]
"""


@contextlib.contextmanager
def _served(t, **more):
    t.build.plugin("keygate")
    with file_site.tree() as folder:
        private = folder / "www" / "private"
        private.mkdir()
        (private / "secret.txt").write_bytes(file_site.SECRET)
        more.setdefault("config", _config(folder))
        with site.running(t.build, **more) as running:
            running.files = folder
            yield running


@suite.fixture
def host(t):
    with _served(t) as running:
        yield running


def _escapes(folder):
    """Ways to write a path that may lead out of /files/, to FOLDER/secret.txt beside its folder or to /etc/passwd."""
    outside = ["secret.txt", "etc/passwd"]
    ups = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", ".%2e/", "%2e./", "..;/", "..;x=1/", "..%5c", "..\\", "%252e%252e/",
           "..%252f", "%25252e%25252e/", "%c0%ae%c0%ae/", "..%c0%af", "%e0%80%ae%e0%80%ae/", "..%00/", "..%09/", "..%20/",
           ".../", "....//", "..//", "%2e%2e//", "./../", "sub/../../", "sub/..%2f../", "above/", "inside/../", "\u2025/",
           "%u002e%u002e/", "..%ef%bc%8f", "\uff0e\uff0e/"]
    for end in outside:
        for up in ups:
            for times in (1, 2, 8):
                yield "/files/" + up * times + end
    absolute = str(folder / "secret.txt")
    for path in (absolute, "/etc/passwd", "%2fetc%2fpasswd", "//etc/passwd", "/./etc/passwd", "%2f%2fetc/passwd"):
        yield "/files/" + path
        yield "/files" + path
        yield "//files/" + path
    yield from ("/files/out", "/files/absolute", "/files/above/secret.txt", "/files/above/www/plain.txt",
                "/files/out%00.txt", "/files/out/", "/files/./out", "/files/sub/../out", "/files/proc/self/root/etc/passwd",
                "http://localhost/files/../secret.txt", "/files/?/../secret.txt", "/files/sub/%2e%2e/%2e%2e/secret.txt",
                "/files/.hidden", "/files/%2ehidden", "/files/sub/.%2e/.hidden", "/files/plain.txt/../../secret.txt")


@suite.test("no spelling of a path leads out of the folder, by whatever parameter it comes")
def _(t):
    running = t.use(host)
    count = 0
    for uri in _escapes(running.files):
        forms = [cgi(uri), cgi("/files/x", TRIVET_PATH=uri), cgi(uri, REQUEST_URI=None),
                 cgi(uri, REQUEST_URI=None, SCRIPT_NAME="/files", PATH_INFO=uri[len("/files"):]),
                 cgi("/files/" + uri.lstrip("/"), TRIVET_ROUTE="files"), cgi(uri, TRIVET_ROUTE="files")]
        for params in forms:
            answer = running.exchange({name: value.encode() for name, value in params.items()})
            out = bytes(answer.out)
            expect(file_site.SECRET not in out and b"root:" not in out, f"{params} got out: {out[:300]!r}")
            one_of(answer.status, (200, 301, 400, 403, 404), f"status of {params}")
            if answer.status == 200:
                equal(answer.body, file_site.PAGE, f"what {params} got")
            if answer.status == 301:
                location = dict(answer.headers)["Location"]
                expect(location.startswith("/") and not location.startswith("//"), f"Location: {location}")
            count += 1
    expect(count > 1000, f"only {count} were tried")
    equal(running.get("/files/plain.txt").body, b"0123456789", "the twin that is allowed")


@suite.test("no spelling of a guarded folder is served by the open route around it")
def _(t):
    running = t.use(host)
    let_in = 0
    for rest in ("private/secret.txt", "private//secret.txt", "/private/secret.txt", "./private/secret.txt", "x/../private/secret.txt",
                 "private%2fsecret.txt", "private%2Fsecret.txt", "%70rivate/secret.txt", "private/./secret.txt",
                 "private;/secret.txt", "private/%2e/secret.txt", "PRIVATE/secret.txt", "private%5csecret.txt",
                 "private/secret.txt/", "private%00/secret.txt", "private/secret.txt%00", "private%20/secret.txt",
                 "private\\secret.txt", "above/www/private/secret.txt", "private./secret.txt", "p%72ivate//secret.txt"):
        answer = running.get("/guarded/" + rest)
        expect(file_site.SECRET not in bytes(answer.out), f"{rest} was served without a grant")
        let_in += file_site.SECRET in bytes(running.get("/guarded/" + rest, HTTP_X_API_KEY=site.KEY).out)
    expect(let_in >= 2, f"only {let_in} were let in with the key")


@suite.test("a route that TRIVET_ROUTE names serves its own paths, and no file for others or for none")
def _(t):
    running = t.use(host)
    equal(running.get("/files/plain.txt", TRIVET_ROUTE="files").status, 200, "its own")
    for params in (cgi("/elsewhere/plain.txt", TRIVET_ROUTE="files"), cgi("/plain.txt", TRIVET_ROUTE="files"),
                   cgi("/", TRIVET_ROUTE="files", REQUEST_URI=None, SCRIPT_NAME=None),
                   cgi("/files/plain.txt", TRIVET_ROUTE="robots")):
        running.get("/files/plain.txt")  # what came before on this request's place in memory must not matter
        equal(running.exchange(params).status, 404, f"status of {params}")
    equal(running.get("/robots.txt").body, b"0123456789", "the one file")
    equal(running.get("/robots.txt/").status, 404, "below the one file")


@suite.test("OPTIONS tells the methods, every other one is refused with them, and no body is waited for")
def _(t):
    running = t.use(host)
    answer = running.get("/files/plain.txt", method="OPTIONS")
    equal((answer.status, dict(answer.headers)["Allow"], answer.body), (204, "GET, HEAD, OPTIONS", b""), "OPTIONS")
    for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND", "TRACE", "CONNECT", "get", "X"):
        answer = running.exchange(cgi("/files/plain.txt", method, b"x" * 100_000), b"x" * 100_000)
        equal((answer.status, dict(answer.headers)["Allow"]), (405, "GET, HEAD, OPTIONS"), method)
    answer = running.exchange(cgi("/files/plain.txt", "GET", b"x" * 100_000), b"x" * 100_000)
    equal((answer.status, answer.body), (200, b"0123456789"), "GET with a body")


@suite.test("filters get the whole file, whatever part or version of it was asked for")
def _(t):
    t.build.plugin("upper")
    running = t.use(host)
    tag = dict(running.get("/files/index.html").headers)["ETag"]
    for headers in ({}, {"HTTP_RANGE": "bytes=0-4"}, {"HTTP_IF_MATCH": '"x"'}):
        answer = running.get("/shout/index.html", **headers)
        if headers.get("HTTP_IF_MATCH"):
            one_of(answer.status, (200, 412), f"with {headers}")
        else:
            equal((answer.status, answer.body), (200, file_site.PAGE.upper()), f"with {headers}")
        expect(dict(answer.headers).get("ETag") != tag, "the tag of the unfiltered file")
        expect("Accept-Ranges" not in dict(answer.headers), "Accept-Ranges behind a filter")


@suite.test("a folder that is a symbolic link is switched between two requests, and away for a while")
def _(t):
    with hosts.temporary_folder() as folder:
        for each in ("1", "2"):
            (folder / each).mkdir()
            (folder / each / "index.html").write_text(each)
        (folder / "www").symlink_to("1")
        with site.running(t.build, file_site.config(folder)) as running:
            equal(running.get("/files/").body, b"1", "before")
            (folder / "next").symlink_to("2")
            (folder / "next").rename(folder / "www")
            equal(running.get("/files/").body, b"2", "after")
            (folder / "www").unlink()
            answer = running.get("/files/")
            equal((answer.status, dict(answer.headers).get("Retry-After")), (503, "1"), "while it is away")
            (folder / "www").symlink_to("1")
            equal(running.get("/files/").body, b"1", "when it is back")


@suite.test("a folder that is not there is told at the start, and a worker that starts later serves the rest")
def _(t):
    with hosts.temporary_folder() as folder:
        (folder / "www").mkdir()
        (folder / "www" / "a").write_text("a")
        config = file_site.config(folder) + '[plugin.hello]\n[[route]]\npath = "/hello"\nrespond = "hello"\n'
        with site.running(t.build, config, processes=1) as running:
            checked = [t.build.binary, "check", "-c", running.file]
            equal(subprocess.run(checked, check=False, capture_output=True).returncode, 0, "check")
            shutil.rmtree(folder / "www")
            told = subprocess.run(checked, check=False, capture_output=True, text=True)
            equal(told.returncode, 78, "check without the folder")
            expect(f'cannot serve "{folder}/www": No such file or directory' in told.stderr + told.stdout, told.stderr)
            workers = pathlib.Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
            equal(len(workers), 1, "workers")
            os.kill(int(workers[0]), 9)
            eventually(lambda: _status(running, "/hello") == 200, "the next worker", 10)
            equal(running.get("/files/a").status, 503, "its files")


def _status(running, uri):
    try:
        return running.get(uri).status
    except (OSError, TimeoutError):
        return 0


@suite.test("a file that becomes shorter while it is sent is no complete answer, one that grows has the length it had")
def _(t):
    running = t.use(host)
    path = running.files / "www" / "changing.bin"
    for change, complete in ((lambda: os.truncate(path, 5 * MIB), False), (lambda: os.truncate(path, 30 * MIB), True)):
        path.write_bytes(bytes(20 * MIB))
        with running.connect() as link:
            link.send(request(cgi("/files/changing.bin")))
            while len(link.responses.get(1, fcgi.Response(1)).out) < MIB:
                link.pump(5)
            change()
            answer = link.response(timeout=30)
            equal(dict(answer.headers)["Content-Length"], str(20 * MIB), "the length it had")
            equal(answer.complete and len(answer.body) == 20 * MIB, complete, f"{len(answer.body)} bytes, complete")
    path.unlink()


@suite.test("a gibibyte goes through in bounded memory", timeout=180)
def _(t):
    with _served(t) as running:
        path = running.files / "www" / "sparse.bin"
        with open(path, "wb") as file:
            file.truncate(1024 * MIB)
        running.get("/files/plain.txt")
        before = running.status_bytes("VmRSS")
        got = _count(running, "/files/sparse.bin")
        expect(got > 1024 * MIB, f"only {got} bytes came")
        grown = running.status_bytes("VmHWM") - before
        expect(grown < (4 if not t.build.sanitizer else 64) * MIB, f"memory grew by {grown >> 10} KiB")


def _count(running, uri, rate=None):
    """How many bytes come back, without keeping them."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(60)
        link.connect(str(running.socket_path))
        link.sendall(request(cgi(uri)))
        count, buffer = 0, bytearray(1 << 18)
        while got := link.recv_into(buffer):
            count += got
            if rate:
                time.sleep(got / rate)
        return count


@suite.test("clients that do not read hold a descriptor each, no thread and no large buffer, and free it when they go")
def _(t):
    count = 400
    with _served(t) as running:
        (running.files / "www" / "big.bin").write_bytes(bytes(8 * MIB))
        _count(running, "/files/big.bin")
        threads = len(os.listdir(f"/proc/{running.pid}/task"))
        memory = running.status_bytes("VmRSS")
        links = []
        try:
            for _ in range(count):
                link = socket.socket(socket.AF_UNIX)
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                link.connect(str(running.socket_path))
                link.sendall(request(cgi("/files/big.bin")))
                links.append(link)

            def held():
                return sum(1 for each in running.descriptors() if each.endswith("/big.bin"))

            eventually(lambda: held() == count, "a descriptor for each", 20)
            equal(len(os.listdir(f"/proc/{running.pid}/task")), threads, "threads")
            grown = running.status_bytes("VmRSS") - memory
            expect(grown < count * (256 << 10) or t.build.sanitizer, f"{grown // count} bytes for each")
            start = time.monotonic()
            equal(running.get("/files/plain.txt").body, b"0123456789", "another client")
            expect(time.monotonic() - start < t.build.slowness, "another client had to wait")
        finally:
            for link in links:
                link.close()
        eventually(lambda: held() == 0, "no descriptor when they are gone", 10)


@suite.test("a client that reads slowly does not slow another down", sanitized=False)
def _(t):
    with _served(t) as running:
        (running.files / "www" / "big.bin").write_bytes(bytes(32 * MIB))

        def percentile():
            times = []
            for _ in range(300):
                start = time.monotonic()
                equal(running.get("/files/plain.txt").status, 200, "status")
                times.append(time.monotonic() - start)
            return sorted(times)[int(len(times) * 0.9)]

        alone, beside = [], []
        percentile()
        for _ in range(3):
            alone.append(percentile())
            slow = [socket.socket(socket.AF_UNIX) for _ in range(20)]
            for link in slow:
                link.connect(str(running.socket_path))
                link.sendall(request(cgi("/files/big.bin")))
            beside.append(percentile())
            for link in slow:
                link.close()
        # Not a measurement: the machine has other things to do. Whoever waited for the slow ones would take seconds.
        expect(statistics.median(beside) < 10 * statistics.median(alone) + 0.05, f"alone {alone}, beside {beside}")


@suite.test("without descriptors a file is 503, said in the log, and served again when there are some")
def _(t):
    with _served(t) as running, running.connect() as link:
        link.send(request(cgi("/files/plain.txt"), flags=fcgi.KEEP))
        equal(link.take().status, 200, "before")
        before = resource.prlimit(running.pid, resource.RLIMIT_NOFILE)
        # All below the lowest free number are taken.
        taken = {int(each) for each in os.listdir(f"/proc/{running.pid}/fd")}
        lowest = min(set(range(len(taken) + 1)) - taken)
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (lowest, before[1]))
        for uri in ("/files/plain.txt", "/files/", "/files/nothing"):
            link.send(request(cgi(uri), flags=fcgi.KEEP))
            answer = link.take()
            equal((answer.status, dict(answer.headers).get("Retry-After")), (503, "1"), uri)
        expect("Too many open files" in running.log_text(), "the log does not say why")
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (lowest + 1, before[1]))  # the root alone
        link.send(request(cgi("/files/plain.txt"), flags=fcgi.KEEP))
        equal(link.take().status, 503, "with the folder, without the file")
        resource.prlimit(running.pid, resource.RLIMIT_NOFILE, before)
        link.send(request(cgi("/files/plain.txt"), flags=fcgi.KEEP))
        equal(link.take().status, 200, "it is served again")


@suite.test("explain shows the file, or why there is none")
def _(t):
    running = t.use(host)
    for uri, told in (("/files/plain.txt", "plain.txt (text/plain; charset=utf-8, 10 bytes)"),
                      ("/files/", "index.html (text/html; charset=utf-8, "), ("/files/nothing", "nothing: 404, No such file"),
                      ("/files/sub", "sub: 301, a folder"), ("/files/bare/", "bare/: 403, a folder without an index file"),
                      ("/files/out", "out: 403, a symbolic link leads out of the folder"),
                      ("/files/fifo", "fifo: 404, it is no regular file"), ("/files/.hidden", "none: 404")):
        done = subprocess.run([t.build.binary, "explain", "-c", running.file, "GET", uri], check=True, capture_output=True,
                              text=True)
        expect(f"source       files {running.files}/www\n" in done.stdout, done.stdout)
        expect(told in done.stdout, f"{uri}: {done.stdout}")
