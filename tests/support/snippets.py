"""Web servers with what `trivet snippet` makes of a host's configuration, before files and an application of their own."""

import contextlib
import functools
import http.server
import json
import os
import subprocess
import threading

from support import host, refusals, site
from support.further_servers import Caddy, H2o
from support.runner import Failure, expect
from support.servers import CONF, Apache, Haproxy, Lighttpd, Nginx, replaced, running, web_user

CONFIG = site.KEYGATE + """
[plugin.hello]
[plugin.echo]
[plugin.upper]
[plugin.phases]
config = { user = "u", password = "p" }
[plugin.ratelimit]
config = { zone = "rates", rate = "1/1h" }
[zone.rates]
size = "1MiB"

[[route]]
name = "open"
path = "/private/open/**"
respond = "hello"

[[route]]
name = "private"
path = "/private/**"
authorize = ["key"]
variables = ["REMOTE_USER"]

[[route]]
name = "account"
path = "/account/**"
authorize = ["key"]
authorize_on = ["authorizer"]
variables = ["REMOTE_USER", "UNSET"]
respond = "echo"

[[route]]
name = "nobody"
path = "/nobody/**"
authorize = ["allow"]
authorize_on = ["authorizer"]
respond = "echo"

[[route]]
name = "proxied"
path = "/proxied/**"
authorize = ["key"]
variables = ["REMOTE_USER", "UNSET"]

[[route]]
name = "app"
path = "/app/**"
respond = "hello"

[[route]]
name = "members"
path = "/members/**"
authorize = ["key"]
variables = ["REMOTE_USER"]
respond = "echo"

[[route]]
name = "login"
path = "/login/**"
authorize = ["phases"]

[[route]]
name = "limited"
path = "/limited/**"
authorize = ["key", "ratelimit"]

[[route]]
name = "inner"
path = "/rooms/*/inner/**"
authorize = ["key"]

[[route]]
name = "rooms"
path = "/rooms/**"
respond = "hello"

[[route]]
name = "hidden"
path = "/wide/**/hidden/**"
authorize = ["key"]

[[route]]
name = "sub"
path = "/sub/**"
authorize = ["key"]

[[route]]
name = "posts"
path = "/posts/**"
methods = ["POST"]
authorize = ["key"]

[[route]]
name = "one"
path = "/single.txt"
authorize = ["key"]

[[route]]
name = "gone"
path = "/gone.txt"
authorize = ["key"]

[[route]]
name = "below gone"
path = "/gone.txt/other"
respond = "hello"

[[route]]
name = "shout"
path = "/shout/**"
filter = ["upper"]
"""

FILES = ["private/file.txt", "private/nested/file.txt", "login/file.txt", "limited/file.txt",
         "rooms/ann/inner/file.txt", "rooms/file.txt", "posts/file.txt", "single.txt", "wide/deep/hidden/file.txt",
         "shout/file.txt", "account/file.txt", "proxied/file.txt"]


class _Backend(http.server.SimpleHTTPRequestHandler):
    """An application behind HTTP with the same files; /proxied/me says which headers it got."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # Whatever stands behind it, as where an application has the last word on what it means.
        if self.path.startswith("/private/") and not os.path.exists(self.translate_path(self.path)):
            self.path = "/private/file.txt"
        if not self.path.startswith("/proxied/me"):
            super().do_GET()
            return
        body = b"backend " + json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self):
        with contextlib.suppress(ConnectionError):  # HAProxy resets what it has no more use for.
            super().handle()

    def log_message(self, *_arguments):  # pylint: disable=arguments-differ
        pass


@contextlib.contextmanager
def backend(root):
    """The port of an application."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Backend, directory=str(root)))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def made(build, trivet, server, *options):
    done = host.run_trivet(build, "snippet", "-c", trivet.file, server, *options)
    if done.returncode != 0:
        raise Failure(f"trivet snippet {server}: {done.returncode}, {done.stderr.decode()}")
    return done.stdout.decode()


class Placed:
    """A web server with a snippet: what is written where, and how the server itself checks it."""

    def __init__(self, folder, root, backend_port):
        self.folder, self.root, self.backend, self.port = folder, root, backend_port, host.free_port()

    def nginx(self, text):
        (self.folder / "trivet.conf").write_text(text)
        (self.folder / "trivet.d").mkdir(exist_ok=True)
        (self.folder / "trivet.d" / "proxied.conf").write_text(f"proxy_pass http://127.0.0.1:{self.backend};\n")
        (self.folder / "trivet.d" / "private.conf").write_text("location ~ ^/private/nested/ { }\n")
        # What a site may say for all of its locations, and what must not reach those of the snippet.
        server = Nginx(self.folder, self.port, f"""
fastcgi_cache_path {self.folder}/kept keys_zone=z:1m;
fastcgi_cache z;
fastcgi_cache_valid any 10m;
fastcgi_cache_key $scheme$host$request_uri;
server {{
  listen 127.0.0.1:{self.port};
  root {self.root};
  fastcgi_intercept_errors on;
  error_page 500 502 503 504 =200 /single.html;
  error_page 401 =200 /single.html;
  location / {{ rewrite ^/into/(.*)$ /private/$1 last; }}
  include trivet.conf;
}}""")
        return server, [server.program, "-e", "stderr", "-t", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def apache(self, text, modules):
        # For one <VirtualHost> that line is a comment, to be put outside of it.
        (self.folder / "snippet.conf").write_text(text.replace("# AuthnzFcgiDefineProvider", "AuthnzFcgiDefineProvider"))
        server = Apache(self.folder, self.port, self.root, f"""
<Directory {self.root}>
  Order allow,deny
  Allow from all
  Satisfy Any
</Directory>
ProxyPass "/proxied" "http://127.0.0.1:{self.backend}/proxied"
RewriteEngine On
RewriteRule "^/into/(.*)$" "/private/$1"
Include {self.folder}/snippet.conf
""", [*modules, *(each for each in ("access_compat", "proxy", "proxy_http", "rewrite") if each not in modules)])
        return server, [server.program, "-t", "-f", str(self.folder / "apache.conf")]

    def lighttpd(self, text):
        (self.folder / "snippet.conf").write_text(text)
        (self.folder / "upload").mkdir(exist_ok=True)
        server = Lighttpd(self.folder, self.port, f"""\
server.modules = ( "mod_access", "mod_rewrite", "mod_fastcgi", "mod_setenv" )
server.port = {self.port}
server.bind = "127.0.0.1"
server.document-root = "{self.root}"
server.upload-dirs = ( "{self.folder}/upload" )
mimetype.assign = ( ".txt" => "text/plain" )
url.rewrite-once = ( "^/into/(.*)$" => "/private/$1" )
include "{self.folder}/snippet.conf"
""")
        return server, [server.program, "-tt", "-f", str(self.folder / "lighttpd.conf")]

    def caddy(self, text):
        (self.folder / "trivet.caddy").write_text(text)
        server = Caddy(self.folder, self.port, f"""
  root * {self.root}
  rewrite /into/* /private/file.txt
  uri strip_prefix /sub
  import trivet.caddy
  handle /proxied/* {{
    reverse_proxy 127.0.0.1:{self.backend}
  }}
  handle {{
    file_server
  }}
""")
        return server, [server.program, "validate", "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile")]

    def h2o(self, text):
        (self.folder / "trivet.yaml").write_text(text + f'"/":\n  file.dir: {self.root}\n')
        server = H2o(self.folder, self.port, f"  default:\n    paths: !file {self.folder}/trivet.yaml")
        return server, [server.program, "-t", "-c", str(self.folder / "h2o.yaml")]

    def haproxy(self, text):
        # A snippet in which nothing is guarded loads no script.
        text = text.replace("/usr/share/trivet/haproxy/trivet_auth.lua", str(CONF / "haproxy" / "trivet_auth.lua"))
        text = replaced(text, {
            "bind :80\n": f"bind 127.0.0.1:{self.port}\n  http-request replace-path ^/into/(.*)$ /private/\\1\n",
            "  # default_backend": "  default_backend yours #"})
        server = Haproxy(self.folder, self.port, 2, f"{text}\nbackend yours\n  server yours 127.0.0.1:{self.backend}\n")
        return server, [server.program, "-c", "-f", str(self.folder / "haproxy.cfg")]

    def place(self, name, text):
        """The server, and the command that checks its configuration."""
        if name == "apache-mod_fcgid":
            return self.apache(text, ("fcgid",))
        if name == "apache-authnz":
            return self.apache(text, (*Apache.AUTHNZ_FCGI, *Apache.PROXY_FCGI))
        if name == "apache-proxy":
            return self.apache(text, Apache.PROXY_FCGI)
        return getattr(self, name)(text)


def check(command, name):
    """The server's own checker says that it would run with this."""
    environment = {**os.environ, "HOME": "/tmp"}
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, env=environment)
    said = (done.stdout + done.stderr).decode(errors="replace")
    expect(done.returncode == 0, f"{name} does not take the snippet: {said[-2000:]}")
    return said


def files(folder):
    root = folder / "www"
    for each in FILES:
        (root / each).parent.mkdir(parents=True, exist_ok=True)
        (root / each).write_bytes(refusals.SECRET)
    (root / "page.txt").write_bytes(b"a page\n")
    (root / "single.html").write_bytes(b"in place of an error\n")
    return root


class Behind:
    def __init__(self, trivet, server, placed, text):
        self.trivet, self.server, self.port, self.text = trivet, server, placed.port, text


@contextlib.contextmanager
def behind(build, name, config=CONFIG, options=(), write=None):
    """The host behind the server `name` with its snippet, which the server's checker has taken."""
    group = f'group = "{web_user()}"' if web_user() else ""
    with site.running(build, config, processes=1, server=f"attach = {{ {group} }}") as trivet:
        os.chmod(trivet.socket_path, 0o666)
        text = made(build, trivet, name, *options)
        root = files(trivet.folder)
        if write is not None:
            write(root)
        with backend(root) as port:
            placed = Placed(trivet.folder, root, port)
            server, checker = placed.place(name, text)
            check(checker, name)
            with running(server):
                yield Behind(trivet, server, placed, text)
