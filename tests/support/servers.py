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

    def _kill_what_it_started(self):
        """Apache's children, for one, live on without it. It is the leader of a group of its own."""
        if self.running:
            os.killpg(self.pid, signal.SIGKILL)

    def end(self, number=signal.SIGTERM, within=15.0):
        if number == signal.SIGKILL:
            self._kill_what_it_started()
        return super().end(number, within)

    def kill(self):
        self._kill_what_it_started()
        super().kill()

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


APACHE_MODULES = pathlib.Path("/usr/lib/apache2/modules")


def web_user():
    """As whom a server runs that drops root: by name, or None for tests that do not run as root."""
    return "www-data" if os.getuid() == 0 else None


def give_to_web_user(*paths):
    for each in paths:
        if web_user() is not None:
            shutil.chown(each, web_user(), web_user())


class Apache(WebServer):
    """Apache; mod_fcgid starts applications as the web server's user. `modules` are others instead of mod_fcgid."""

    MODULES = ["mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_user", "env", "setenvif",
               "headers"]
    AUTHNZ_FCGI = ["authnz_fcgi"]
    PROXY_FCGI = ["proxy", "proxy_fcgi"]

    def __init__(self, folder, port, root, text, modules=("fcgid",)):
        super().__init__("apache2", folder, port)
        self.program = program("apache2")
        for each in modules:
            if not (APACHE_MODULES / f"mod_{each}.so").exists():
                runner.skip(f"mod_{each} is not installed (apt-get install apache2 libapache2-mod-fcgid)")
        for each in ("ipc", "apache-run"):
            (self.folder / each).mkdir()
            give_to_web_user(self.folder / each)
        modules = "\n".join(f"LoadModule {each}_module {APACHE_MODULES}/mod_{each}.so"
                            for each in [*self.MODULES, *modules])
        user = f"User {web_user()}\nGroup {web_user()}" if web_user() else ""
        (self.folder / "apache.conf").write_text(f"""\
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
DefaultRuntimeDir {folder}/apache-run
PidFile {folder}/apache-run/pid
Mutex file:{folder}/apache-run default
ErrorLog {self.log}
LogLevel warn
{user}
{modules}
ServerLimit 8
ThreadsPerChild 32
MaxRequestWorkers 256
<IfModule fcgid_module>
  LogLevel fcgid:info
  FcgidIPCDir {folder}/ipc
  FcgidProcessTableFile {folder}/ipc/table
</IfModule>
DocumentRoot {root}
{text}
""")

    def start(self):  # pylint: disable=arguments-differ
        environment = {name: value for name, value in os.environ.items() if name != "TMPDIR"}
        super().start([self.program, "-f", str(self.folder / "apache.conf"), "-DFOREGROUND"], environment,
                      cwd=str(self.folder))
        return self.wait_until_it_listens()


class Haproxy(WebServer):
    def __init__(self, folder, port, threads, text):
        super().__init__("haproxy", folder, port)
        self.program = program("haproxy")
        (self.folder / "haproxy.cfg").write_text(f"""\
global
  maxconn 4096
  nbthread {threads}
  log stderr format raw local0 notice

defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s

{text}
""")

    def start(self):  # pylint: disable=arguments-differ
        super().start([self.program, "-db", "-f", str(self.folder / "haproxy.cfg")], cwd=str(self.folder))
        return self.wait_until_it_listens()

    def stop(self):
        # After its soft stop the worker takes the signal once more, with the default action.
        runner.one_of(self.end(), (0, -signal.SIGTERM), "exit code of haproxy")


def processes_with(text):
    """The ids of all processes that have `text` in their command line: what some server spawned for one test."""
    found = []
    for each in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if each.name.isdigit() and str(text).encode() in (each / "cmdline").read_bytes():
                found.append(int(each.name))
    return found


def socket_count(pid):
    count = 0
    with contextlib.suppress(OSError):
        for each in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                count += os.readlink(each).startswith("socket:")
    return count


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


__all__ = ["CONF", "Apache", "Haproxy", "Lighttpd", "Nginx", "WebServer", "give_to_web_user", "processes_with", "program",
           "replaced", "running", "socket_count", "temporary_folder", "web_user"]
