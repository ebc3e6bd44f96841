"""A folder of Markdown files as compressed pages, the same bytes behind every web server: files, markdown, compress."""

import contextlib
import gzip
import os
import subprocess

from support import examples, file_site, host, site, web
from support.further_servers import Caddy
from support.runner import Suite, equal, expect
from support.servers import running as running_server

suite = Suite("markdown site")

PAGES = {
    "index.md": b"# Trivet & friends\n\nA *page*, and [another](sub/other.md).\n",
    "sub/other.md": "# Ümläute\n\n| a | b |\n| - | - |\n| 1 | ~~2~~ |\n".encode(),
    "sub/empty.md": b"",
    "long.md": b"# Long\n\n" + b"".join(b"- item %d of many\n" % number for number in range(20_000)),
    "unsafe.md": b"<script>alert(1)</script>\n\n[x](javascript:alert(1))\n",
}
PICTURE = bytes(range(256)) * 400
OLD = 1_600_000_000


@contextlib.contextmanager
def tree():
    with host.temporary_folder("trivet-pages-") as folder:
        for name, content in {**PAGES, "picture.png": PICTURE}.items():
            path = folder / "www" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (OLD, OLD))
        yield folder


def config(folder):
    return f"""
[plugin.markdown]
config = {{ page = "<!doctype html><title>{{{{title}}}}</title>{{{{body}}}}" }}
timeout = "20s"
[plugin.compress]
timeout = "20s"

[[route]]
name = "pages"
path = "/files/**"
respond = {{ files = "{folder}/www", index = ["index.md"] }}
filter = [{{ plugin = "markdown", types = ["text/markdown"] }}, {{ plugin = "compress", types = ["text/*"] }}]
"""


def _nginx(_text, _root):
    return """
location /files/ { include trivet_params; fastcgi_pass trivet; }
"""


def _behind(which, extra):
    def pair(t):
        with tree() as folder, which(t.build, config(folder), extra) as running:
            if extra is file_site.mod_proxy_fcgi:
                os.chmod(running.trivet.socket_path, 0o666)
            yield running
    return pair


SERVERS = {name: suite.fixture(_behind(which, extra)) for name, which, extra in (
    ("nginx", examples.nginx, _nginx), ("lighttpd", examples.lighttpd, file_site.lighttpd),
    ("mod_fcgid", examples.apache, file_site.mod_fcgid), ("mod_proxy_fcgi", examples.apache_attaches, file_site.mod_proxy_fcgi))}


@suite.fixture
def behind_caddy(t):
    with tree() as folder, site.running(t.build, config(folder)) as trivet:
        proxy = f"reverse_proxy unix/{trivet.socket_path} {{\n  transport fastcgi\n}}"
        server = Caddy(trivet.folder, host.free_port(), proxy)
        with running_server(server):
            yield examples.Pair(trivet, server, server.port)


SERVERS["Caddy"] = behind_caddy


@suite.fixture
def alone(t):
    with tree() as folder, host.running_host(t.build, config(folder)) as running:
        yield running


def call(running, build, uri, *options):
    return subprocess.run([str(build.binary), "call", running.unix, uri, *options], capture_output=True, check=True,
                          timeout=60).stdout


def references(t):
    """What the filters make of each page given as FCGI_DATA, in the role FILTER."""
    running = t.use(alone)
    made = {}
    for name, content in PAGES.items():
        with host.temporary_folder("trivet-data-") as folder:
            (folder / "data").write_bytes(content)
            made[name] = call(running, t.build, f"/files/{name}", "--role", "filter", "--data", f"@{folder}/data",
                              "-p", f"SCRIPT_FILENAME=/x/{name}")
    return made


@suite.test("FCGI_FILTER and RESPONDER give the same pages, which are HTML and safe")
def _(t):
    running = t.use(alone)
    for name, page in references(t).items():
        expect(page.startswith(b"<!doctype html><title>"), f"{name}: {page[:80]!r}")
        equal(call(running, t.build, f"/files/{name}"), page, name)
        packed = call(running, t.build, f"/files/{name}", "-p", "HTTP_ACCEPT_ENCODING=gzip")
        equal(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed, page, f"{name}, compressed")
    pages = references(t)
    expect(b"Trivet &amp; friends</title>" in pages["index.md"], "the title comes from the first heading")
    expect(b"<script" not in pages["unsafe.md"] and b"javascript:" not in pages["unsafe.md"], "it is not safe")


def check(t, name):
    running = t.use(SERVERS[name])
    port = running.extra_port if name == "nginx" else running.port
    packed = 0
    for page, wanted in references(t).items():
        uri = "/files/" + ("" if page == "index.md" else page)
        for coding in ("gzip", "identity"):
            answer = web.ask(port, uri, headers={"Accept-Encoding": coding})
            equal(answer.status, 200, f"{uri} with {coding}")
            content = answer.body
            if answer.header("Content-Encoding") == "gzip":
                packed += 1
                content = gzip.decompress(content)
            expect(content == wanted, f"{uri} with {coding}: {len(content)} bytes, {len(wanted)} expected")
            equal(answer.header("Content-Type"), "text/html; charset=utf-8", f"Content-Type of {uri}")
            expect("Accept-Encoding" in (answer.header("Vary") or ""), f"no Vary: {answer}")
            tag = answer.header("ETag")
            expect(tag and tag.startswith('W/"'), f"the ETag of {uri} is {tag}")
            again = web.ask(port, uri, headers={"Accept-Encoding": coding, "If-None-Match": tag})
            equal((again.status, again.body), (304, b""), f"{uri} again")
    expect(packed >= 1, "nothing came compressed")
    picture = web.ask(port, "/files/picture.png", headers={"Accept-Encoding": "gzip"})
    expect((picture.status, picture.body) == (200, PICTURE), "the picture is not what it was")
    equal(picture.header("Content-Encoding"), None, "Content-Encoding of the picture")
    equal(web.ask(port, "/files/nothing.md").status, 404, "a page that is not there")


for _name in SERVERS:
    @suite.test(f"{_name}: each page comes compressed or not, and not again where the client has it")
    def _(t, name=_name):
        check(t, name)


@suite.test("a page that has not changed is 304 without a call of a filter")
def _(t):
    with tree() as folder, host.running_host(t.build, config(folder), processes=1) as running:
        head = call(running, t.build, "/files/long.md", "-i").split(b"\n\n")[0].replace(b"\r", b"")
        tag = next(line[6:] for line in head.decode().split("\n") if line.startswith("ETag: "))

        def calls():
            return [site.plugin_counts(t.build, running, each)["calls"] for each in ("markdown", "compress")]
        equal(calls(), [1, 1], "calls for the whole page")
        for _ in range(20):
            answer = call(running, t.build, "/files/long.md", "-i", "-p", f"HTTP_IF_NONE_MATCH={tag}")
            expect(b"304" in answer.split(b"\n")[0], f"{answer[:200]!r}")
        equal(calls(), [1, 1], "calls after 20 more requests")
        with open(folder / "www" / "long.md", "ab") as page:
            page.write(b"- one more\n")
        answer = call(running, t.build, "/files/long.md", "-i", "-p", f"HTTP_IF_NONE_MATCH={tag}")
        expect(b"one more" in answer, "the page is not made again after a change")
        equal(calls(), [2, 2], "calls after the change")
