"""PHP-FPM behind Trivet behind a web server: its output through filters, and uploads whose length nobody says."""

import contextlib
import gzip
import hashlib
import random

from support import examples, host, php, site, web
from support.further_servers import Caddy
from support.runner import Suite, equal, expect
from support.servers import running

suite = Suite("PHP-FPM behind a web server")

PAGE = b"<!doctype html><p>Hello, \xc3\x84nn! A price of 100 EUR.</p>\n"
PAGES = {
    "page.php": "<?php header('Content-Type: text/html; charset=utf-8'); setcookie('seen', 'yes');\n"
                "for ($i = 0; $i < (int)($_GET['n'] ?? 1); $i++) echo '" + PAGE.decode().rstrip("\n") + "', PHP_EOL;",
    "data.php": "<?php header('Content-Type: application/octet-stream'); echo str_repeat('100 EUR', 1000);",
    "missing.php": "<?php http_response_code(404); header('Content-Type: text/html'); echo '<p>No 100 EUR here';",
}


def config(fpm):
    respond = f'respond = {{ fastcgi = "{fpm.address}", root = "{fpm.root}", timeout = "20s" }}'
    return f"""
[plugin.substitute]
timeout = "20s"
config = {{ rules = [{{ find = "EUR", with = "\u20ac" }}, {{ regex = "H(el+)o", with = 'J\\1y' }}] }}
[plugin.compress]
timeout = "20s"

[[route]]
name = "filtered"
path = "/filtered/**"
{respond}
filter = [{{ plugin = "substitute", types = ["text/*"] }}, {{ plugin = "compress", types = ["text/*"] }}]

[[route]]
name = "plain"
path = "/plain/**"
{respond}
"""


@suite.fixture
def application(t):
    with host.temporary_folder() as folder, php.running(folder) as fpm:
        for name, text in PAGES.items():
            (fpm.root / name).write_text(text)
        yield fpm


@suite.fixture
def behind_nginx(t):
    def locations(_text, _root):
        return "location / { include trivet_params; fastcgi_pass trivet; }"
    with examples.nginx(t.build, config(t.use(application)), locations) as both:
        yield both


@suite.fixture
def behind_caddy(t):
    with site.running(t.build, config(t.use(application))) as trivet:
        proxy = f"reverse_proxy unix/{trivet.socket_path} {{\n  transport fastcgi\n}}"
        with running(Caddy(trivet.folder, host.free_port(), proxy)) as server:
            yield examples.Pair(trivet, server, server.port)


@suite.test("behind nginx, PHP's pages come changed and compressed, other things as they are")
def _(t):
    port = t.use(behind_nginx).extra_port
    changed = PAGE.replace(b"EUR", "\u20ac".encode()).replace(b"Hello", b"Jelly")
    for count in (1, 20_000):
        equal(web.ask(port, f"/plain/page.php?n={count}").body, PAGE * count, "without filters")
        for coding in ("gzip", "identity"):
            answer = web.ask(port, f"/filtered/page.php?n={count}", headers={"Accept-Encoding": coding})
            equal((answer.status, answer.header("Set-Cookie")), (200, "seen=yes"), "status and cookie")
            equal(answer.header("Content-Type"), "text/html; charset=utf-8", "type")
            packed = answer.header("Content-Encoding") == "gzip"
            expect(not packed if coding == "identity" else packed or count == 1, f"{count} pages are not compressed")
            body = gzip.decompress(answer.body) if packed else answer.body
            expect(body == changed * count, f"{count} pages, {coding}: {len(body)} bytes, {body[:100]!r}")
    equal(web.ask(port, "/filtered/data.php", headers={"Accept-Encoding": "gzip"}).body, b"100 EUR" * 1000, "data")
    missing = web.ask(port, "/filtered/missing.php")
    equal((missing.status, missing.body), (404, "<p>No 100 \u20ac here".encode()), "PHP's own 404")


@suite.test("a chunked upload through Caddy reaches PHP whole, in order, and so does one with its length")
def _(t):
    port = t.use(behind_caddy).port
    for size in (0, 1, 65500, 65501, 3_000_001):
        body = random.Random(size).randbytes(size)
        known = f"{size} {hashlib.sha256(body).hexdigest()} ".encode()
        for chunked in (True, False):
            sent = (body[at:at + 30000] for at in range(0, size, 30000)) if chunked else body
            answer = web.ask(port, "/plain/upload.php", "POST", sent, chunked=chunked, timeout=30 * t.build.slowness,
                             headers={"Transfer-Encoding": "chunked"} if chunked else None)
            # Caddy says -1 of what is chunked; PHP is told what it was, nothing of what was empty.
            wanted = known + (b"-" if chunked and size == 0 else b"%d" % size)
            equal((answer.status, answer.body), (200, wanted), f"{size} bytes, chunked={chunked}")
