"""nginx's configuration around the example and around what `trivet snippet` makes: what is inherited, or included in the
guarded locations, makes no grant of a denial."""

import contextlib
import os
import signal

from support import examples, host, refusals, site, snippets, web
from support.runner import Suite, equal, expect
from support.servers import CONF, Nginx, replaced, running

suite = Suite("nginx surroundings")

# What a site may say of all its locations: pages for errors, a cache. Of an authorizer each of them would make a yes.
AROUND = """
  error_page 401 403 404 =200 /page.html;
  error_page 500 502 503 504 =200 /page.html;
  fastcgi_intercept_errors on;
  proxy_intercept_errors on;
  fastcgi_cache_path {folder}/cache-of-nginx keys_zone=around:1m;
  fastcgi_cache around;
  fastcgi_cache_valid any 10m;
  fastcgi_cache_key $scheme$host$request_uri;
  fastcgi_ignore_headers Cache-Control Expires Set-Cookie Vary;
  fastcgi_cache_methods GET HEAD POST;
"""

ROUTES = site.KEYGATE + """
[[route]]
name = "private"
path = "/private/**"
authorize = ["key"]
variables = ["REMOTE_USER"]

[[route]]
name = "other"
path = "/other/**"
authorize = ["allow"]
variables = ["REMOTE_USER"]
"""
GOOD = {"X-Api-Key": site.KEY}


def _files(folder):
    root = folder / "www"
    for each in ("private", "other"):
        (root / each).mkdir(parents=True)
    (root / "private" / "file.txt").write_bytes(refusals.SECRET)
    (root / "other" / "file.txt").write_bytes(b"for everybody\n")
    (root / "page.html").write_bytes(b"a page\n")
    return root


@contextlib.contextmanager
def _example(build):
    config = examples.plugins_and_routes("nginx")
    with site.running(build, config) as trivet:
        port = host.free_port()
        root = _files(trivet.folder)
        (trivet.folder / "trivet_params").write_text((CONF / "nginx" / "trivet_params").read_text())
        (trivet.folder / "trivet.conf").write_text(replaced((CONF / "nginx" / "trivet.conf").read_text(), {
            "unix:/run/trivet/trivet.sock": trivet.unix, "listen 80;": f"listen 127.0.0.1:{port};", "/srv/www": root}))
        server = Nginx(trivet.folder, port, AROUND.format(folder=trivet.folder) + "include trivet.conf;")
        with running(server):
            yield examples.Pair(trivet, server, port), {"X-Api-Key": site.key_of(config)}


@contextlib.contextmanager
def _snippet(build, inside=None, around=AROUND, server=""):
    """`inside`: what the site has for a route, by the route's name; `server` is more of its server block."""
    with site.running(build, ROUTES) as trivet:
        os.chmod(trivet.socket_path, 0o666)
        port = host.free_port()
        root = _files(trivet.folder)
        (trivet.folder / "trivet.conf").write_text(snippets.made(build, trivet, "nginx"))
        (trivet.folder / "trivet.d").mkdir()
        for name, text in (inside or {}).items():
            (trivet.folder / "trivet.d" / f"{name}.conf").write_text(text)
        web_server = Nginx(trivet.folder, port, f"""{around.format(folder=trivet.folder)}
  server {{
    listen 127.0.0.1:{port};
    root {root};
    include trivet.conf;
    {server}
  }}""")
        with running(web_server):
            yield examples.Pair(trivet, web_server, port), GOOD


def expect_guarded(behind, good):
    for turn in range(3):  # Where an answer is remembered it would be the next.
        for headers in ({}, good, {}, {"X-Api-Key": "wrong"}):
            answer = web.ask(behind.port, "/private/file.txt" + "?other" * (turn % 2), headers=headers)
            if headers == good:
                equal((answer.status, answer.body), (200, refusals.SECRET), f"with the key in turn {turn}")
            else:
                expect(refusals.SECRET not in answer.body, f"GRANTED with {headers} in turn {turn}: {answer}")


for _name, _site in (("the example", _example), ("the snippet", _snippet)):
    @suite.test(f"{_name}: inherited error pages and caches make no grant of a denial, nor of a host that is gone")
    def _(t, site_of=_site):
        with site_of(t.build) as (behind, good):
            expect_guarded(behind, good)
            behind.trivet.send_signal(signal.SIGTERM)
            behind.trivet.process.wait(12 * t.build.slowness)
            for headers in ({}, good):
                answer = web.ask(behind.port, "/private/file.txt", headers=headers)
                expect(refusals.SECRET not in answer.body, f"GRANTED by a host that is gone: {answer}")


@suite.test("the snippet: a location within a guarded one is guarded by the same route, by which way it is reached")
def _(t):
    inside = {"private": "location ~ \\.txt$ { }\n",
              "other": "try_files /nonexistent$uri /private/file.txt;\n"}
    with _snippet(t.build, inside, "") as (behind, good):
        expect_guarded(behind, good)
        for uri in ("/other/file.txt", "/other/nothing", "/other/x.txt"):
            answer = web.ask(behind.port, uri)
            expect(refusals.SECRET not in answer.body, f"{uri}, whose route lets everybody in, got the other's file: {answer}")
        equal(web.ask(behind.port, "/other/nothing", headers=good).body, refusals.SECRET, "the same with the key")
