"""Real web servers in a temporary folder, on loopback ports, as the current user, never as a daemon."""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import time

from support import runner
from support.host import Process, tail, temporary_folder

CONF = runner.ROOT / "conf"


def program(name):
    """The path of a server, or a loud skip."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")
    if not found:
        runner.skip(f"{name} is not installed (apt-get install {name})")
    return found


def me():
    return pwd.getpwuid(os.getuid()).pw_name


def replaced(text, changes):
    """`text` with every key of `changes` replaced; one that does not occur means that an example changed under us."""
    for old, new in changes.items():
        if old not in text:
            raise runner.Failure(f"the example has no {old!r} any more")
        text = text.replace(old, str(new))
    return text


class WebServer(Process):
    def __init__(self, name, folder, port):
        super().__init__(name, folder / f"{name}.log")
        self.folder = pathlib.Path(folder)
        self.port = port

    def wait_until_it_listens(self, within=10.0):
        deadline = time.monotonic() + within
        while True:
            with contextlib.closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if not self.running or time.monotonic() > deadline:
                with contextlib.suppress(runner.Failure):
                    self.end(signal.SIGKILL)
                raise runner.Failure(f"{self.name} did not start:\n{tail(self.log_text())}")
            time.sleep(0.02)

    def stop(self):
        code = self.end()
        # lighttpd ends with 1 when SIGTERM finds a connection open.
        runner.one_of(code, (0, 1), f"exit code of {self.name}")


class Nginx(WebServer):
    """nginx with `http` as the inside of its http block; files beside nginx.conf can be included by name."""

    def __init__(self, folder, port, http, workers=1, main=""):
        super().__init__("nginx", folder, port)
        self.program = program("nginx")
        user = f"user {me()};" if os.getuid() == 0 else ""
        (self.folder / "tmp").mkdir(exist_ok=True)
        temporary = "\n  ".join(f"{each}_temp_path {folder}/tmp/{each};"
                                for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(f"""\
daemon off;
{user}
worker_processes {workers};
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
error_log stderr info;
{main}
events {{ worker_connections 4096; }}
http {{
  types {{ text/plain txt; text/html html; }}
  default_type application/octet-stream;
  access_log off;
  {temporary}
{http}
}}
""")

    def start(self):  # pylint: disable=arguments-differ
        super().start([self.program, "-e", "stderr", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")],
                      cwd=str(self.folder))
        return self.wait_until_it_listens()


class Lighttpd(WebServer):
    def __init__(self, folder, port, text):
        super().__init__("lighttpd", folder, port)
        self.program = program("lighttpd")
        (self.folder / "lighttpd.conf").write_text(text)

    def start(self):  # pylint: disable=arguments-differ
        super().start([self.program, "-D", "-f", str(self.folder / "lighttpd.conf")], cwd=str(self.folder))
        return self.wait_until_it_listens()


@contextlib.contextmanager
def running(server):
    server.start()
    try:
        yield server
    except BaseException:
        with contextlib.suppress(runner.Failure):
            server.end(signal.SIGKILL)
        raise
    server.stop()


__all__ = ["CONF", "Lighttpd", "Nginx", "WebServer", "program", "replaced", "running", "temporary_folder"]
