"""The host as a web server starts it: a listening socket on descriptor 0, and nothing else to rely on."""

import contextlib
import os
import pathlib
import signal
import socket
import time

from support import fcgi, host, site
from support.fcgi import cgi
from support.host import Host, Process, temporary_folder
from support.runner import Suite, equal, eventually, expect

suite = Suite("spawned")

# Gives the socket, closes what is named, and becomes the rest of its arguments under the name `trivet`.
SPAWN = """
import os, sys
closed, words = sys.argv[1], sys.argv[2:]
for each in closed:
    os.close(int(each))
os.execv(words[0], ["trivet", *words[1:]])
"""


def listening(address):
    kind, _, where = address.partition(":")
    if kind == "unix":
        one = socket.socket(socket.AF_UNIX)
        one.bind(where)
    else:
        name, _, port = where.rpartition(":")
        one = socket.socket(socket.AF_INET)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((name, int(port)))
    one.listen(64)
    return one


@contextlib.contextmanager
def spawned(t, folder, address, words=None, closed="", environment=None, config=site.CONFIG, prepare=None):
    """The process; its configuration lies in `folder` and names sockets that must not be opened."""
    configured = Host(t.build, folder, config)
    configured.write()
    process = Process("spawned", folder / "log")
    with listening(address) as one:
        process.start(["/usr/bin/python3", "-c", SPAWN, closed, str(t.build.binary),
                       *(words if words is not None else ["serve", "-c", str(configured.file)])],
                      dict(os.environ, TMPDIR=str(folder), **(environment or {})), prepare, standard_input=one, cwd=str(folder))
    try:
        yield configured, process
    finally:
        process.kill()


def answers(address, uri="/hello"):
    return fcgi.exchange(address, cgi(uri), timeout=20).status == 200


@suite.test("C1 C3: it serves on descriptor 0, unix or TCP, whatever of its standard streams is closed, and opens nothing else")
def _(t):
    for closed in ("", "1", "2", "12"):
        for kind in ("unix", "tcp"):
            with temporary_folder() as folder:
                address = f"unix:{folder}/given" if kind == "unix" else f"tcp:127.0.0.1:{host.free_port()}"
                with spawned(t, folder, address, closed=closed) as (configured, process):
                    expect(answers(address), f"{address} with {closed} closed: {process.log_text()}")
                    expect(not configured.socket_path.exists(), "a configured socket was opened")
                    process.send_signal(signal.SIGTERM)
                    equal(process.end(), 0, "exit code")
                if kind == "unix":
                    expect((folder / "given").exists(), "the web server's socket file stays")


@suite.test("C4: with nothing but its name it reads /etc/trivet/trivet.toml, and says so where there is none")
def _(t):
    if pathlib.Path("/etc/trivet/trivet.toml").exists():
        return
    with temporary_folder() as folder:
        with spawned(t, folder, f"unix:{folder}/given", words=[]) as (_, process):
            equal(process.process.wait(20), 78, "exit code")
            expect("/etc/trivet/trivet.toml" in process.log_text(), process.log_text())


@suite.test("C8: it keeps the working directory, the user and the nice value that it was given")
def _(t):
    reachable = all(each.stat().st_mode & 1 for each in t.build.binary.resolve().parents)
    user = 65534 if os.getuid() == 0 and reachable else os.getuid()

    def become():
        os.nice(3)
        if user != os.getuid():
            os.setgid(user)
            os.setuid(user)

    with temporary_folder() as folder:
        os.chmod(folder, 0o777)
        with spawned(t, folder, f"unix:{folder}/given", prepare=become) as (configured, process):
            for each in (folder / "given", configured.file):
                os.chmod(each, 0o666)
            eventually(lambda: "ready" in process.log_text(), f"ready: {process.log_text()}", 20 * t.build.slowness)
            expect(answers(f"unix:{folder}/given"), process.log_text())
            equal(os.readlink(f"/proc/{process.pid}/cwd"), str(folder), "working directory")
            equal(os.stat(f"/proc/{process.pid}").st_uid, user, "user")
            equal(os.getpriority(os.PRIO_PROCESS, process.pid), os.getpriority(os.PRIO_PROCESS, 0) + 3, "nice value")
            equal(list((folder / "cache").iterdir()) + list(folder.glob("trivet-*")), [], "what is left of private copies")
            equal(process.end(), 0, "exit code")


@suite.test("C87 C88: SIGTERM, given twice, finishes what runs and exits 0 within its grace; what is killed leaves nothing in the way")
def _(t):
    with temporary_folder() as folder:
        address = f"unix:{folder}/given"
        with spawned(t, folder, address) as (_, process):
            with fcgi.Connection(address) as link:
                link.send(fcgi.request(cgi("/slow/?ms=400")))
                eventually(lambda: "ready" in process.log_text(), "ready")
                time.sleep(0.1)
                begun = time.monotonic()
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGTERM)
                answer = link.response()
                equal(answer.status, 200, "the answer that ran")
            equal(process.end(), 0, "exit code")
            expect(time.monotonic() - begun < 5 * t.build.slowness, "it took long to stop")
    with temporary_folder() as folder:
        with spawned(t, folder, address := f"unix:{folder}/given") as (_, process):
            expect(answers(address), process.log_text())
            process.kill()
        (folder / "given").unlink()
        with spawned(t, folder, address) as (_, process):
            expect(answers(address), process.log_text())
            equal(list((folder / "cache").iterdir()), [], "what the killed one left")
            equal(process.end(), 0, "exit code")


@suite.test("it serves what names `spawned` as its listener, and starts within 50 ms of processor time", timeout=60)
def _(t):
    demo = pathlib.Path(__file__).parents[3] / "conf" / "demo"
    expect(demo.is_dir(), "the demo configuration")
    only = site.CONFIG.replace('path = "/hello/**"', 'path = "/hello/**"\nlisten = ["spawned"]')
    with temporary_folder() as folder:
        address = f"unix:{folder}/given"
        with spawned(t, folder, address, config=only) as (_, process):
            expect(answers(address), process.log_text())
            if t.build.slowness == 1:
                expect(process.processor_seconds() <= 0.06, f"{process.processor_seconds()} s of processor time")
            process.end()


@suite.test("with --listen or --processes descriptor 0 is left alone")
def _(t):
    with temporary_folder() as folder:
        configured = Host(t.build, folder, site.CONFIG)
        with spawned(t, folder, f"unix:{folder}/given",
                     words=["serve", "-c", str(configured.file), "--listen", f"unix:{folder}/own"]) as (_, process):
            eventually(lambda: "ready" in process.log_text(), process.log_text)
            expect(answers(f"unix:{folder}/own"), "it listens where it was told")
            process.end()


@suite.test("C90: a connection that breaks the protocol is closed and logged, and the host goes on")
def _(t):
    with site.running(t.build) as running:
        with running.connect() as link:
            link.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            expect(link.closes(), "it is closed")
        eventually(lambda: "connection closed" in running.log_text() and "version" in running.log_text(),
                   "a line in the log")
        running.expect_well()
