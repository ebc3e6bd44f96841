"""The admin socket of a host that runs, and the commands that speak to it."""

import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import threading
import time

from support import fcgi, host as hosts, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("admin socket")

CONFIG = """
[plugin.hello]
[plugin.slow]
threads = 4
timeout = "60s"
[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"
timeout = "60s"
[[route]]
name = "hello"
path = "/**"
respond = "hello"
"""


def running_with(t, processes=2, config=CONFIG, **more):
    return site.running(t.build, config, processes=processes, **more)


def socket_of(running):
    return running.folder / "run" / "admin.sock"


def ask(t, running, *words, **more):
    return hosts.run_trivet(t.build, *words, "--admin", f"unix:{socket_of(running)}", **more)


def begin(t, running, *words):
    """A command that goes on by itself."""
    return subprocess.Popen([str(t.build.binary), *words, "--admin", f"unix:{socket_of(running)}"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def raw(running, content=b"", end=True):
    link = socket.socket(socket.AF_UNIX)
    link.connect(str(socket_of(running)))
    link.settimeout(20)
    link.sendall(content)
    if end:
        link.shutdown(socket.SHUT_WR)
    return link


def said(link):
    got = b""
    with link:
        while piece := link.recv(65536):
            got += piece
    return got


def slow_request(t, running, milliseconds):
    link = running.connect(timeout=60)
    link.send(request(cgi(f"/slow?ms={milliseconds}"), flags=fcgi.KEEP))
    time.sleep(0.3 * t.build.slowness)
    return link


@suite.test("status says what the host is doing, to a person and to a program, by any way to its socket")
def _(t):
    with running_with(t) as running:
        file = os.stat(socket_of(running))
        expect(stat.S_ISSOCK(file.st_mode) and stat.S_IMODE(file.st_mode) == 0o600, f"mode {file.st_mode:o}")
        for _ in range(5):
            equal(running.get("/hello").status, 200, "a request")
        told = ask(t, running, "status")
        equal((told.returncode, told.stderr), (0, b""), "exit code and standard error")
        expect(f"pid {running.pid}".encode() in told.stdout and running.unix.encode() in told.stdout, told.stdout)
        for words in (("status", "--json", "-c", running.file),
                      ("status", "--format", "json", "--admin", socket_of(running))):
            told = hosts.run_trivet(t.build, *words)
            equal((told.returncode, told.stderr), (0, b""), f"{words}")
            status = json.loads(told.stdout)
            equal(status["pid"], running.pid, "pid")
            equal(len(status["workers"]), 2, "workers")
    expect(not socket_of(running).exists(), "the socket's file is left")


@suite.test("reload returns when the new configuration serves; one that is broken is told, and the old one serves on")
def _(t):
    with running_with(t) as running:
        good = running.file.read_text()
        equal(running.get("/other").body, running.get("/hello").body, "before")
        running.file.write_text(good.replace('path = "/**"', 'path = "/hello"'))
        told = ask(t, running, "reload")
        equal((told.returncode, told.stdout), (0, b""), f"reload: {told.stderr!r}")
        equal(running.get("/other").status, 404, "as soon as reload has returned")
        running.file.write_text(good + "\n[[route]]\nnonsense = 1\nrespond = \"nobody\"\n")
        for command in (ask(t, running, "reload"), hosts.run_trivet(t.build, "reload", "-c", running.file)):
            equal((command.returncode, command.stdout), (78, b""), "exit code for a broken file")
            place = f"{running.file}:{good.count(chr(10)) + 3}:".encode()
            expect(place in command.stderr and b"unknown key `nonsense`" in command.stderr and b"nobody" in command.stderr,
                   command.stderr)
        running.file.write_text(good.replace('[plugin.hello]', '[plugin.hello]\nfile = "undefined_symbol.so"'))
        told = ask(t, running, "reload")
        equal(told.returncode, 1, f"exit code for a plugin that does not load: {told.stderr!r}")
        expect(b'plugin "hello"' in told.stderr, told.stderr)
        equal((running.get("/hello").status, running.get("/other").status), (200, 404), "the old one")
        running.file.write_text(good)
        equal(ask(t, running, "reload").returncode, 0, "a good one again")
        equal(running.get("/other").status, 200, "it serves")


@suite.test("stop finishes what runs and returns when the process has ended; --now cuts it")
def _(t):
    with running_with(t) as running:
        link = slow_request(t, running, 1500)
        stopped = begin(t, running, "stop")
        also = begin(t, running, "stop")
        answer = link.response()
        equal((answer.status, answer.complete), (200, True), "the request that ran")
        equal(stopped.wait(20 * t.build.slowness), 0, "exit code of stop")
        _expect_gone(t, running, "stop")
        equal(also.wait(5 * t.build.slowness), 0, "exit code of the second")
        for each in (stopped, also):
            equal((each.stdout.read(), each.stderr.read()), (b"", b""), "what it said")
        told = ask(t, running, "status")
        equal(told.returncode, 69, "exit code without a host")
        expect(b"No such file or directory (there is no such socket" in told.stderr, told.stderr)
    with running_with(t) as running:
        link = slow_request(t, running, 30000)
        begun = time.monotonic()
        equal(ask(t, running, "stop", "--now").returncode, 0, "exit code of stop --now")
        _expect_gone(t, running, "stop --now")
        expect(time.monotonic() - begun < 5 * t.build.slowness, "stop --now took its time")
        link.close()


@suite.test("drain has no bound, and a stop puts one to it; --no-wait returns at once", timeout=90)
def _(t):
    with running_with(t, server='shutdown_grace = "500ms"') as running:
        link = slow_request(t, running, 3000 * t.build.slowness)
        draining = begin(t, running, "drain")
        eventually(lambda: not running.socket_path.exists() or _refused(running), "nobody is accepted", 5)
        equal(ask(t, running, "status").returncode, 0, "status while it drains")
        answer = link.response()
        equal((answer.status, answer.complete), (200, True), "a request that takes longer than shutdown_grace")
        equal(draining.wait(20 * t.build.slowness), 0, "exit code of drain")
        _expect_gone(t, running, "drain")
    with running_with(t, server='shutdown_grace = "500ms"') as running:
        link = slow_request(t, running, 50000)
        begun = time.monotonic()
        equal(ask(t, running, "drain", "--no-wait").returncode, 0, "exit code of drain --no-wait")
        time.sleep(1 * t.build.slowness)
        expect(running.running, "drain ended the host")
        equal(ask(t, running, "stop").returncode, 0, "exit code of stop")
        _expect_gone(t, running, "stop")
        expect(time.monotonic() - begun < 12 * t.build.slowness, "the bound did not hold")
        link.close()


def _expect_gone(t, running, what):
    """A process closes its sockets a moment before it can be waited for."""
    eventually(lambda: not running.running, f"the end of the host, which {what} had announced", 0.5 * t.build.slowness)


def _refused(running):
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(str(running.socket_path)) != 0


@suite.test("log-level holds for the supervisor and all workers, until the next reload")
def _(t):
    with running_with(t) as running:
        equal(ask(t, running, "log-level", "debug").returncode, 0, "exit code")
        equal(ask(t, running, "status").returncode, 0, "status")
        eventually(lambda: "asked over the admin socket command=status" in running.log_text(), "a line of level debug", 5)
        equal(ask(t, running, "log-level", "off").returncode, 0, "exit code")
        running.mark_log()
        equal(ask(t, running, "reload").returncode, 0, "a reload sets it back")
        equal(ask(t, running, "log-level", "loud").returncode, 64, "exit code for no level")
        expect("command=status" not in running.log_since_mark(), "level debug is still there")


@suite.test("garbage, half commands and a thousand silent connections keep nobody from commanding", timeout=120)
def _(t):
    with running_with(t) as running:
        for content in (b"", b"trivet/1 stop", b"\x01\x01\x00\x01\x00\x08\x00\x00", b"\n", b"x" * 100000,
                        b"trivet/1 stop\ntrivet/1 stop\n", b"trivet/1 stop \n", b"trivet/9 stop\n", b"\xff" * 255 + b"\n"):
            link = raw(running, b"", end=False)
            try:
                link.sendall(content)
                link.shutdown(socket.SHUT_WR)
                got = said(link)
            except OSError:  # It was closed before all was written.
                continue
            expect(got == b"" or got.startswith(b"trivet/1 64 "), f"{content[:40]!r}: {got!r}")
        silent = [raw(running, end=False) for _ in range(900)]
        equal(ask(t, running, "status").returncode, 0, "status among them")
        for each in silent:
            each.close()
        gone = raw(running, b"trivet/1 reload\n", end=False)
        gone.close()
        equal(ask(t, running, "reload").returncode, 0, "a reload after one whose client has gone")
        running.expect_well()


@suite.test("another user is let in neither by the mode of the socket nor where somebody changed that")
def _(t):
    if os.geteuid() != 0:
        skip("only root can be somebody else")

    def become():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    with running_with(t) as running:
        os.chmod(running.folder / "run", 0o755)
        told = ask(t, running, "stop", preexec_fn=become)
        equal(told.returncode, 69, "exit code for another user")
        expect(b"Permission denied (only root and the user of the host may ask it)" in told.stderr, told.stderr)
        os.chmod(socket_of(running), 0o666)
        told = ask(t, running, "stop", preexec_fn=become)
        equal(told.returncode, 1, "exit code for another user past the mode")
        expect(b"without an answer" in told.stderr, told.stderr)
        expect("was refused at the admin socket" in running.log_text(), "the refusal is not in the log")
        running.expect_well()


@suite.test("a second host does not take the socket of the first, one after a crash does; `off` makes none")
def _(t):
    with running_with(t) as running:
        other = hosts.Host(t.build, running.folder, CONFIG, name="other", processes=1)
        other.write()
        told = hosts.run_trivet(t.build, "serve", "-c", other.file, timeout=20)
        equal(told.returncode, 1, f"exit code of a second host: {told.stderr!r}")
        expect(b"server.admin: another process listens on" in told.stderr, told.stderr)
        equal(ask(t, running, "status").returncode, 0, "the first one")
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        expect(socket_of(running).exists(), "nothing was left behind: nothing is shown")
        told = ask(t, running, "status")
        equal(told.returncode, 69, "exit code after a crash")
        expect(b"nobody listens there any more" in told.stderr, told.stderr)
        eventually(lambda: _refused(running), "its workers listen no longer", 5)
        running.log.write_text("")
        running.start()
        equal(ask(t, running, "status").returncode, 0, "the next host")
    with running_with(t, server='admin = "off"') as running:
        expect(not socket_of(running).exists(), "there is a socket")
        told = hosts.run_trivet(t.build, "status", "-c", running.file)
        equal(told.returncode, 69, "exit code")
        expect(b'`admin` is "off"' in told.stderr, told.stderr)
        running.expect_well()


@suite.test("commands under load disturb no request", timeout=90)
def _(t):
    with running_with(t) as running:
        stop = threading.Event()
        answered, lost = [0], [0]

        def client():
            with running.connect() as link:
                while not stop.is_set():
                    link.send(request(cgi("/hello"), flags=fcgi.KEEP))
                    good = link.take().status == 200
                    (answered if good else lost)[0] += 1

        clients = [threading.Thread(target=client) for _ in range(3)]
        for each in clients:
            each.start()
        for _ in range(5):
            for words in (("status",), ("status", "--json"), ("log-level", "info"), ("reload",)):
                equal(ask(t, running, *words).returncode, 0, f"{words}")
        stop.set()
        for each in clients:
            each.join()
        expect(answered[0] > 50 and lost[0] == 0, f"{answered[0]} answers, {lost[0]} lost")
        expect(pathlib.Path(f"/proc/{running.pid}").exists(), "the host is gone")


COUNTED = """
[plugin.hello]
[plugin.misbehave]
threads = 2
timeout = "1s"
[[route]]
name = "bad"
path = "/bad/**"
respond = "misbehave"
[[route]]
name = "hello"
path = "/**"
respond = "hello"
"""


@suite.test("status counts on over workers that end and reloads, and tells of a lost plugin thread until it is gone",
            timeout=60)
def _(t):
    with running_with(t, config=COUNTED) as running:
        def status():
            told = json.loads(ask(t, running, "status", "--json").stdout)
            return told, {each["name"]: each for each in told["plugins"] + told["routes"]}

        def serve(times):
            for _ in range(times):
                equal(running.get("/hello").status, 200, "status")

        serve(10)
        os.kill(status()[0]["workers"][0]["pid"], signal.SIGKILL)
        eventually(lambda: len(status()[0]["workers"]) == 2, "another worker", 10)
        serve(10)
        equal(ask(t, running, "reload").returncode, 0, "reload")
        serve(10)

        def counted():
            told, named = status()
            return (told["totals"]["requests"]["responder"], named["hello"]["requests"],
                    named["hello"]["responses"]["2xx"])

        eventually(lambda: counted() == (30, 30, 30), "thirty requests", 10)
        first = {each["pid"] for each in status()[0]["workers"]}
        with running.connect() as link:
            link.send(request(cgi("/bad/", QUERY_STRING="sleep")))
            equal(link.response().status, 504, "status")
        eventually(lambda: status()[1]["misbehave"]["lost"] == 1, "a lost thread", 10)
        eventually(lambda: len(first & {each["pid"] for each in status()[0]["workers"]}) == 1, "its worker ends", 15)
        plugin = status()[1]["misbehave"]
        equal((plugin["calls"], plugin["timeouts"], plugin["lost"], plugin["running"]), (1, 1, 0, 0), "the plugin")
        serve(2)
