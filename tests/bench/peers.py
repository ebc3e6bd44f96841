"""Servers that are measured side by side, each started with its socket and its processor."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from support import php  # noqa: E402  pylint: disable=wrong-import-position
from support.servers import web_user  # noqa: E402  pylint: disable=wrong-import-position


def listener(path):
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(4096)
    return made


class Server:
    """One that is measured: how it is started, and which scenarios it can take."""

    def __init__(self, name, command, scenarios=(), on_descriptor=False, environment=None, arguments=(), wait=10):
        self.name, self.command, self.scenarios = name, command, scenarios
        self.on_descriptor, self.environment, self.arguments = on_descriptor, environment or {}, list(arguments)
        self.wait, self.process, self.address = wait, None, None

    @contextlib.contextmanager
    def running(self, folder, processor):
        path = pathlib.Path(folder) / f"{self.name}.sock"
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        words = ["taskset", "-c", str(processor), *(word.format(socket=path) for word in self.command)]
        with listener(path) if self.on_descriptor else contextlib.nullcontext() as given:
            self.process = subprocess.Popen(words, stdin=given or subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL, env={**os.environ, **self.environment},
                                            start_new_session=True)
        try:
            self._wait(path)
            self.address = f"unix:{path}"
            yield self.address
        finally:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(self.wait)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _wait(self, path):
        until = time.monotonic() + self.wait
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
                probe.connect(str(path))
                return
            time.sleep(0.02)
        sys.exit(f"{self.name} does not listen")

    def processes(self):
        """Its own and those below."""
        found, waiting = [], [self.process.pid]
        while waiting:
            found.append(pathlib.Path(f"/proc/{waiting.pop()}"))
            for task in (found[-1] / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        return found

    def nanoseconds(self):
        """CPU time so far, of all threads and children."""
        return sum(int((task / "schedstat").read_text().split()[0])
                   for each in self.processes() for task in (each / "task").iterdir())

    def workers(self):
        """The processes that answer."""
        found = self.processes()
        return found[1:] or found

    def peaks(self):
        """The most memory that each worker ever had, in bytes."""
        return [int(re.search(r"^VmHWM:\s+(\d+) kB", (each / "status").read_text(), re.M)[1]) * 1024
                for each in self.workers()]


def put_load(trivet, server, processor, words, limits):
    """What `trivet bench` reports of it; ends the program where an answer is not what it should be."""
    done = subprocess.run(["taskset", "-c", str(processor), str(trivet), "bench", server.address, *words, *server.arguments,
                           *limits, "--json"], check=False, capture_output=True, timeout=600)
    report = json.loads(done.stdout) if done.stdout else {"failed": 1, "good": 0, "first_problem": done.stderr.decode()}
    if report["failed"] or not report["good"]:
        sys.exit(f"{server.name}, {' '.join(words)}: {report.get('first_problem')}")
    return report


def spent(trivet, server, processor, words, limits):
    """CPU nanoseconds of the server for a request."""
    before = server.nanoseconds()
    report = put_load(trivet, server, processor, words, limits)
    return (server.nanoseconds() - before) / report["good"]


def raw(folder, *options, name="raw", scenarios=()):
    """The server of nothing but system calls."""
    program = pathlib.Path(folder) / "raw"
    if not program.exists():
        subprocess.run([os.environ.get("CXX", "g++"), "-std=c++20", "-O2", str(HERE / "reference/raw.cpp"), "-o", str(program)],
                       check=True)
    return Server(name, [str(program), "{socket}", *options], scenarios)


def trivet(build, folder, processes=0, name="trivet", scenarios=(), text=None, more=""):
    """A host with trivet.toml, or with `text`, and `more` tables; whatever it makes is in `folder`."""
    own = pathlib.Path(folder) / name
    own.mkdir()
    text = text or (HERE / "trivet.toml").read_text()
    text = text.replace("[server]\n", f'[server]\nruntime_dir = "{own}"\nplugin_cache = "{own}"\n', 1)
    (own / "trivet.toml").write_text(f"{text}\n{more}")
    return Server(name, [str(build / "bin/trivet"), "serve", "-c", str(own / "trivet.toml"), "--listen", "unix:{socket}",
                         "--processes", str(processes)], scenarios,
                  environment={"TRIVET_BENCH_PLUGINS": str(build / "bench-plugins")})


def libfcgi(folder, processes=1, scenarios=()):
    """None where it cannot be built."""
    compiled = subprocess.run(["cc", "-O2", str(HERE / "reference/libfcgi.c"), "-lfcgi", "-o", f"{folder}/libfcgi"], check=False,
                              capture_output=True)
    if compiled.returncode == 0:
        return Server("libfcgi", [f"{folder}/libfcgi", str(processes)], scenarios, on_descriptor=True)
    print("libfcgi is left out: apt-get install libfcgi-dev", file=sys.stderr)
    return None


def fpm(folder, processes=1, scenarios=()):
    """None where it is not installed."""
    if not shutil.which("php-fpm8.2"):
        return None
    site = pathlib.Path(folder) / "php"
    site.mkdir()
    if web_user():
        os.chmod(folder, 0o755)
    described = php.Fpm(site, children=processes)
    described.write()
    (described.root / "bench.php").write_text("<?php header('Content-Type: text/plain'); echo 'hello';")
    # Its own socket takes the place of the one that is in its configuration.
    configuration = site / "fpm.conf"
    configuration.write_text(configuration.read_text().replace(str(described.socket), f"{folder}/php-fpm.sock"))
    return Server("php-fpm", [shutil.which("php-fpm8.2"), "-n", "-F", "-y", str(configuration)], scenarios,
                  arguments=["-p", f"SCRIPT_FILENAME={described.root}/bench.php"])


def go(folder, processes=1, scenarios=()):
    """None where it is not installed."""
    if not shutil.which("go"):
        return None
    subprocess.run(["go", "build", "-o", f"{folder}/go", str(HERE / "reference/hello.go")], check=True,
                   env={**os.environ, "GOCACHE": f"{folder}/go-cache"})
    return Server("go", [f"{folder}/go"], scenarios, on_descriptor=True, environment={"GOMAXPROCS": str(processes)})
