"""The filters that come with Trivet, in a real host: substitute, markdown, compress."""

import gzip
import hashlib
import shutil
import subprocess
import time
import zlib

from support import fcgi, site
from support.fcgi import DATA, FILTER, PARAMS, STDIN, cgi, pairs, record, request
from support.host import temporary_folder
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("shipped filters")

CONFIG = """
[plugin.hello]
[plugin.echo]

[plugin.replace]
file = "substitute.so"
threads = 2
timeout = "20s"
config = { rules = [{ find = "fox", with = "wolf" }, { regex = '(\\w+), (\\d+)', with = '\\2: \\1' }] }

[plugin.markdown]
timeout = "1s"
config = { max_bytes = 2000000, page = "<title>{{title}}</title>{{body}}" }
threads = 2

[plugin.compress]
threads = 2
timeout = "20s"

[plugin.events]
file = "compress.so"
config = { flush_types = ["text/plain"] }

[[route]]
name = "hello"
path = "/hello/**"
respond = "hello"

[[route]]
name = "replace"
path = "/replace/**"
respond = "echo"
filter = ["replace"]

[[route]]
name = "docs"
path = "/docs/**"
respond = "echo"
filter = ["markdown"]

[[route]]
name = "packed"
path = "/packed/**"
respond = "echo"
filter = ["replace", "compress"]

[[route]]
name = "events"
path = "/events/**"
respond = "echo"
filter = ["events"]
"""


@suite.fixture
def host(t):
    # What runs into max_memory within a second takes longer under a sanitizer.
    with site.running(t.build, CONFIG.replace('timeout = "1s"', f'timeout = "{int(t.build.slowness)}s"')) as running:
        yield running


def decoded(coding, content):
    if coding == "gzip":
        return gzip.decompress(content)
    tool = {"br": ["brotli", "-dc"], "zstd": ["zstd", "-dcq"]}[coding]
    if not shutil.which(tool[0]):
        skip(f"{tool[0]} is not installed")
    return subprocess.run(tool, input=content, stdout=subprocess.PIPE, check=True).stdout


def packs(running):
    """Filters see HTTP_ACCEPT_ENCODING, though no source behind them does."""
    answer = running.exchange(cgi("/packed/a", "POST", b"x" * 1000, TRIVET_ROLE="filter", CONTENT_TYPE="text/plain",
                                  SCRIPT_FILENAME="/a.txt", HTTP_ACCEPT_ENCODING="gzip"), b"x" * 1000)
    equal((answer.status, answer.header("Vary")), (200, "Accept-Encoding"), "status and Vary")
    equal(answer.header("Content-Encoding"), "gzip", "Content-Encoding")


@suite.test("substitute replaces in FCGI_DATA whose records are cut anywhere, and in a responder's answer")
def _(t):
    text = b"The quick brown fox, 42, jumps over fo\nfox"
    wanted = b"The quick brown 42: wolf, jumps over fo\nwolf"
    for size in (1, 2, 3, 7, 65528):
        with t.use(host).connect() as link:
            params = pairs(cgi("/replace/a.txt", FCGI_DATA_LENGTH=len(text)))
            link.send(fcgi.begin(FILTER) + fcgi.stream(PARAMS, params) + record(STDIN) + fcgi.stream(DATA, text, size=size))
            answer = link.response()
            equal((answer.status, answer.body, answer.complete), (200, wanted, True), f"records of {size} bytes")
    answer = t.use(host).exchange(cgi("/replace/a", "POST", text), text)
    expect(answer.body.startswith(b"trivet-echo\n") and answer.body.endswith(b"\n\n" + wanted), f"answer {answer.body!r}")


@suite.test("a file goes through substitute and markdown by `trivet call`")
def _(t):
    with temporary_folder() as folder:
        (folder / "text").write_bytes(b"# A <fox>\n\n[x](javascript:alert(1)) ~~fox~~\n")
        for uri, wanted in (("/replace/a.txt", b"# A <wolf>\n\n[x](javascript:alert(1)) ~~wolf~~\n"),
                            ("/docs/a.md", b'<title>A </title><h1>A <!-- raw HTML omitted --></h1>\n<p><a href="">x</a> '
                                           b"<del>fox</del></p>\n"),
                            ("/docs/a.txt", b"# A <fox>\n\n[x](javascript:alert(1)) ~~fox~~\n")):
            done = subprocess.run([str(t.build.binary), "call", t.use(host).unix, uri, "--role", "filter", "--data",
                                   f"@{folder}/text"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            equal((done.returncode, done.stdout), (0, wanted), f"{uri} ({done.stderr!r})")


@suite.test("a document that would become gigabytes fails with a clear log, one that takes long with 504, and neither stays")
def _(t):
    running = t.use(host)
    bomb = b"x|" * 50000 + b"\n" + b"-|" * 50000 + b"\n" + b"x\n" * 100000
    slow = b"* " * 100000 + b"a\n" + b"\n" * 1000000
    running.mark_log()
    for text, wanted in ((bomb, (500, 504)), (b"*a* " * 400000, (500,)), (slow, (504,)), (b"a" * 2000001, (500,))):
        started = time.monotonic()
        answer = running.exchange(cgi("/docs/a.md", "POST", text, TRIVET_ROLE="filter"), text)
        expect(answer.status in wanted, f"status {answer.status}, wanted {wanted}")
        expect(time.monotonic() - started < 8 * t.build.slowness, "it took long")
    expect("the document takes more than max_memory, which is 67108864" in running.log_since_mark(), "max_memory in the log")
    expect("the document is larger than max_bytes, which is 2000000" in running.log_since_mark(), "max_bytes in the log")
    # Both threads are free again.
    for _ in range(4):
        answer = running.exchange(cgi("/docs/a.md", "POST", b"ok", TRIVET_ROLE="filter"), b"ok")
        equal((answer.status, answer.body), (200, b"<title>Untitled</title><p>ok</p>\n"), "a document afterwards")
    if not t.build.sanitizer:
        peak = running.status_bytes("VmHWM")
        expect(peak < 260 << 20, f"the host grew to {peak / 2**20:.1f} MiB")
    running.expect_well()


@suite.test("HEAD gets the head of the page")
def _(t):
    answer = t.use(host).exchange(cgi("/docs/a.md", "HEAD", TRIVET_ROLE="filter"))
    equal((answer.status, answer.header("Content-Type"), answer.body), (200, "text/html; charset=utf-8", b""), "answer")


@suite.test("compress answers in the coding that is liked best, and names what it goes by")
def _(t):
    running = t.use(host)
    packs(running)
    text = b"The quick brown fox, 42. " * 4000
    wanted = text.replace(b"fox, 42", b"42: wolf")
    for accept, coding in (("gzip", "gzip"), ("br, gzip;q=0.9", "br"), ("gzip, deflate, br, zstd", "zstd"), ("identity", None),
                           ("", None), ("*;q=0", None)):
        answer = running.exchange(cgi("/packed/a.txt", "POST", text, TRIVET_ROLE="filter", HTTP_ACCEPT_ENCODING=accept), text)
        equal((answer.status, answer.header("Content-Encoding"), answer.header("Vary")), (200, coding, "Accept-Encoding"), accept)
        expect((decoded(coding, answer.body) if coding else answer.body) == wanted, f"{accept}: body")


@suite.test("64 MiB through substitute and compress keep to their memory, as FCGI_DATA and from a responder", timeout=240)
def _(t):
    with site.running(t.build, CONFIG) as running, temporary_folder() as folder:
        block = (b"The quick brown fox jumps over the lazy dog, 0123456789.\n" * 20000)[:1 << 20]
        text, wanted = hashlib.sha256(), hashlib.sha256()
        mebibytes = 8 if t.build.sanitizer else 64
        with open(folder / "data", "wb") as file:
            for number in range(mebibytes):
                piece = b"Block %09d\n" % number + block + b"\n"
                file.write(piece)
                text.update(piece)
                wanted.update(piece.replace(b"fox", b"wolf").replace(b"dog, 0123456789", b"0123456789: dog"))
        for options in (["--role", "filter", "--data", f"@{folder}/data"],
                        ["-X", "POST", "-d", f"@{folder}/data", "-p", "TRIVET_ROLE=filter"]):
            with open(folder / "out", "wb") as out:
                subprocess.run([str(t.build.binary), "call", running.unix, "/packed/a.txt", "-p", "HTTP_ACCEPT_ENCODING=gzip",
                                *options], stdout=out, check=True)
            got = hashlib.sha256()
            with gzip.open(folder / "out", "rb") as file:
                while piece := file.read(1 << 20):
                    got.update(piece)
            equal(got.hexdigest(), wanted.hexdigest(), "SHA-256 of what came out")
        if not t.build.sanitizer:
            peak = running.status_bytes("VmHWM")
            print(f"     the host's largest memory was {peak / 2**20:.1f} MiB for {mebibytes} MiB of data")
            expect(peak < 40 << 20, f"the host grew to {peak / 2**20:.1f} MiB, allowed are 40")


@suite.test("each event of a stream arrives at once, compressed, while the stream goes on")
def _(t):
    packs(t.use(host))
    with t.use(host).connect() as link:
        link.send(fcgi.begin() + fcgi.stream(PARAMS, pairs(cgi("/events/a", "POST", HTTP_ACCEPT_ENCODING="gzip"))))
        reader, seen = zlib.decompressobj(31), b""
        taken = 0
        for number in range(5):
            event = b"data: %d\n\n" % number
            link.send(record(STDIN, event))
            started = time.monotonic()
            while not seen.endswith(event):
                expect(time.monotonic() - started < 1.0, f"event {number} is late: {seen[-40:]!r}")
                link.pump(0.05)
                got = link.responses.get(1)
                if got is None or b"\r\n\r\n" not in bytes(got.first_record or b""):
                    continue
                body = got.split()[1]
                seen += reader.decompress(body[taken:])
                taken = len(body)
        link.send(record(STDIN))
        expect(link.response().complete, "complete")


@suite.test("clients that vanish in the middle of a filtered body harm nobody")
def _(t):
    running = t.use(host)
    data = b"The quick brown fox, 42. " * 20000
    whole = request(cgi("/packed/a.txt", HTTP_ACCEPT_ENCODING="zstd", FCGI_DATA_LENGTH=len(data)), b"", FILTER, data=data)
    for cut in range(0, len(whole), len(whole) // 40):
        link = running.connect()
        link.send(whole[:cut])
        link.break_off()
    running.expect_well()
    eventually(lambda: running.exchange(cgi("/replace/x", "POST", b"fox"), b"fox").status == 200, "it serves on")
