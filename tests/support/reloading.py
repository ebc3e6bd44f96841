"""A host whose plugin is replaced while it runs: edition 1 by edition 2 and back, each by a rename and a reload."""

import contextlib
import shutil
import subprocess
import time

from support import faulty, host as hosts
from support.load import loads, stop
from support.runner import Build, Failure, equal, eventually, expect
from support.servers import Haproxy, Nginx, running

CONFIG = """
[plugin.edition]
file = "{folder}/edition.so"
threads = 0
[plugin.threads]
file = "{folder}/edition.so"
threads = 2
timeout = "60s"
config = {{ {settings} }}
[plugin.hello]

[[route]]
path = "/thread"
respond = "threads"
[[route]]
path = "/hello"
respond = "hello"
[[route]]
path = "/**"
respond = "edition"
"""


# Of a plugin that one process alone can have, beside one that takes its time.
EXCLUSIVE = """
[plugin.holder]
file = "{folder}/holder.so"
config = {{ lock = "{folder}/lock", port = {port}{settings} }}
[plugin.slow]
threads = 2
timeout = "60s"

[[route]]
path = "/slow/**"
respond = "slow"
timeout = "60s"
[[route]]
path = "/**"
respond = "holder"
"""


class Reloading(hosts.Host):
    """`edition` is what the plugin's file is; reload() takes it into use."""

    plugin = "edition"
    config_text = CONFIG
    paths = ("/", "/thread")

    def __init__(self, build, folder, settings="", more="", server="", cache=None, **rest):
        text = self.config_text.format(folder=folder, settings=settings, port=hosts.free_port())
        super().__init__(build, folder, text + more, server=server, **rest)
        self.cache = cache or folder / "cache"
        self.put(1)

    def write(self):
        super().write()
        self.file.write_text(self.file.read_text().replace(f'"{self.folder}/cache"', f'"{self.cache}"'))

    def put(self, edition):
        """As a package would: a new file, renamed to the old one's name."""
        new = self.folder / f"{self.plugin}.new"
        shutil.copy(self.build.plugin(f"{self.plugin}_{edition}"), new)
        new.rename(self.folder / f"{self.plugin}.so")

    def where(self):
        """Options by which a command finds it."""
        return "--admin", f"unix:{self.folder}/run/admin.sock"

    def ask(self, *words, **more):
        return hosts.run_trivet(self.build, *words, *self.where(), **more)

    def begin_to_reload(self):
        """`trivet reload`, on its way."""
        return subprocess.Popen([str(self.build.binary), "reload", *self.where()], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    @staticmethod
    def end_of_reload(asked, seconds=60.0):
        """Its exit code, and what it says."""
        try:
            out, said = asked.communicate(timeout=seconds * Build.current.slowness)
        except subprocess.TimeoutExpired as late:
            asked.kill()
            asked.wait()
            raise Failure(f"`trivet reload` has not returned within {seconds:g} s") from late
        equal(out, b"", "what `trivet reload` writes to standard output")
        return asked.returncode, said.decode()

    def ask_to_reload(self, seconds=60.0):
        return self.end_of_reload(self.begin_to_reload(), seconds)

    def reload(self, edition=None):
        """To that edition; who connects once the command has returned is answered by it."""
        if edition is not None:
            self.put(edition)
        equal(self.ask_to_reload(), (0, ""), "`trivet reload`")
        if edition is not None:
            for path in self.paths:
                equal(self.edition(path), edition, f"the edition that answers at {path} after the reload")

    def edition(self, path="/"):
        answer = self.get(path)
        expect(answer.status == 200 and answer.complete, f"{answer}")
        return int(answer.body.split()[0])

    def expect_settled(self, count):
        """Only the newest generation's workers are left, and its copies of the plugins."""
        eventually(lambda: len(faulty.children(self.pid)) == count, f"{count} workers", 40)
        eventually(lambda: len(list(self.cache.glob("*"))) == 1, "one generation in plugin_cache", 10)
        bad = [line for line in faulty.ended(self) if " how=" in line]
        if bad:
            raise Failure(f"a worker did not end in order: {bad[:3]}")


class Exclusive(Reloading):
    """The same where one process alone can have the plugin."""

    plugin = "holder"
    config_text = EXCLUSIVE
    paths = ("/",)


@contextlib.contextmanager
def reloading(t, processes=2, kind=Reloading, **more):
    with hosts.temporary_folder() as folder:
        host = kind(t.build, folder, processes=processes, **more)
        host.start()
        try:
            yield host
        except BaseException:
            with contextlib.suppress(Failure):
                host.end(9)
            raise
        host.stop()


@contextlib.contextmanager
def nginx_before(host):
    """nginx with kept connections to it; the address for a load."""
    port = hosts.free_port()
    folder = host.folder / "nginx"
    folder.mkdir()
    params = "\n".join(f"fastcgi_param {name} ${value};" for name, value in (
        ("REQUEST_METHOD", "request_method"), ("REQUEST_URI", "request_uri"), ("SCRIPT_NAME", "fastcgi_script_name"),
        ("QUERY_STRING", "query_string"), ("SERVER_SOFTWARE", "nginx_version"), ("SERVER_PROTOCOL", "server_protocol")))
    server = Nginx(folder, port, f"""
  upstream trivet {{ server {host.unix}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    keepalive_requests 1000000;
    location / {{ fastcgi_pass trivet; fastcgi_keep_conn on; {params} }}
  }}""")
    with running(server):
        yield f"http:127.0.0.1:{port}"


@contextlib.contextmanager
def haproxy_before(host):
    """HAProxy, which sends many requests at once on few connections; the address for a load."""
    port = hosts.free_port()
    folder = host.folder / "haproxy"
    folder.mkdir()
    server = Haproxy(folder, port, 1, f"""
frontend web
  bind 127.0.0.1:{port}
  default_backend trivet
fcgi-app trivet
  docroot /srv
  option get-values
  option mpxs-conns
backend trivet
  use-fcgi-app trivet
  http-reuse always
  server trivet unix@{host.socket_path} proto fcgi
""")
    with running(server):
        yield f"http:127.0.0.1:{port}"


def expect_reloads_lose_nothing(host, count):
    """So many reloads under load: kept and new connections, TCP, nginx with keepalive."""
    with nginx_before(host) as web, loads(
            host.build, (host.unix, {"kept": 4, "once": 4, "rate": 1000}), (host.tcp, {"kept": 2, "once": 1, "rate": 200}),
            (web, {"kept": 4, "once": 1, "rate": 500})) as busy:
        times = []
        for number in range(count):
            begun = time.monotonic()
            host.reload(2 - number % 2)
            times.append(time.monotonic() - begun)
        total = stop(busy)
        times.sort()
        print(f"     {count} reloads, {times[len(times) // 2]:.2f} s each, at most {times[-1]:.2f} s; {total.short()}")
        total.expect_nothing_lost()
        equal(sorted(total.editions), ["1", "2"], "editions that answered")
