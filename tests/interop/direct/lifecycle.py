"""From start to end: signals, sockets, broken configurations, too few descriptors."""

import os
import resource
import signal
import socket
import stat
import subprocess
import threading
import time

from support import fcgi, host as hosts, runner, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect

suite = Suite("lifecycle")

HELLO = """
[plugin.hello]
[[route]]
name = "hello"
path = "/**"
respond = "hello"
"""


@suite.test("SIGTERM in the middle of a request finishes it, refuses new ones, and the host exits 0")
def _(t):
    for number in (signal.SIGTERM, signal.SIGINT):
        with site.running(t.build) as running:
            with running.connect() as link, running.connect() as idle:
                idle.send(request(cgi("/hello"), flags=fcgi.KEEP))
                equal(idle.take().status, 200, "the kept connection before")
                begun = time.monotonic()
                link.send(request(cgi("/slow?ms=1500"), flags=fcgi.KEEP))
                link.send(request(cgi("/hello"), flags=fcgi.KEEP, request_id=2))
                equal(link.take(2).status, 200, "what came after it on the connection")  # so the slow one has begun
                running.send_signal(number)
                running.send_signal(number)  # mod_fcgid sends two
                answer = link.response()
                equal((answer.status, answer.complete), (200, True), "the request that ran")
                expect(time.monotonic() - begun > 1.0, "the request was not running: nothing is shown")
                expect(idle.closes(5), "the idle connection is still open")
            code = running.process.wait(10 * t.build.slowness)
            equal(code, 0, "exit code")


@suite.test("SIGTERM with a request that never ends still ends the host within shutdown_grace")
def _(t):
    with site.running(t.build, server='shutdown_grace = "1s"') as running, running.connect() as link:
        link.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, fcgi.pairs(cgi("/echo/a", "POST", b"0123456789"))))
        running.expect_well()
        begun = time.monotonic()
        running.send_signal(signal.SIGTERM)
        running.process.wait(5 * t.build.slowness)
        expect(0.5 < time.monotonic() - begun, "the host did not wait for the request")
        equal(running.process.returncode, 0, "exit code")
        if link.closes() and 1 in link.responses:
            expect(not link.responses[1].complete or link.responses[1].status >= 400, "half a body passed for whole")


@suite.test("after shutdown_grace a plugin that sees its cancellation ends in order, one that hangs keeps nobody")
def _(t):
    for stubborn in (False, True):
        slow = f"""
[plugin.slow]
threads = 2
timeout = "60s"
config = {{ stubborn = {str(stubborn).lower()} }}
[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"
"""
        with site.running(t.build, slow + HELLO, server='shutdown_grace = "200ms"') as running, running.connect() as link:
            link.send(request(cgi("/slow?ms=60000"), flags=fcgi.KEEP))
            link.send(request(cgi("/hello"), flags=fcgi.KEEP, request_id=2))
            equal(link.take(2).status, 200, "what came after it on the connection")  # so the slow one has begun
            running.send_signal(signal.SIGTERM)
            running.process.wait(5 * t.build.slowness)
            equal(running.process.returncode, 0, "exit code")
            equal("a plugin thread did not come back" in running.log_text(), stubborn, "it is told that a thread hangs")


@suite.test("SIGTERM under load fails no request that was begun", timeout=60)
def _(t):
    with site.running(t.build) as running:
        answered, lost, refused = [], [], []
        stop = threading.Event()

        def client():
            while not stop.is_set():
                try:
                    link = running.connect()
                except OSError:
                    refused.append(1)
                    return
                with link:
                    try:
                        link.send(request(cgi("/echo/a", "POST", b"body"), b"body"))
                        answer = link.response()
                    except (ConnectionError, OSError) as error:
                        # Never accepted: the backlog of a closed socket. Nothing of an answer came.
                        (refused if 1 not in link.responses else lost).append(repr(error))
                        continue
                    (answered if answer.complete and answer.status in (200, 503) else lost).append(repr(answer))

        crews = [threading.Thread(target=client) for _ in range(8)]
        for each in crews:
            each.start()
        eventually(lambda: len(answered) > 200, "load")
        running.send_signal(signal.SIGTERM)
        code = running.process.wait(10 * t.build.slowness)
        stop.set()
        for each in crews:
            each.join()
        equal(code, 0, "exit code")
        expect(not lost, f"{len(lost)} answers were cut, first {lost[:1]}")


@suite.test("a second host on the socket of a running one is refused, and the first goes on")
def _(t):
    with site.running(t.build, HELLO) as running:
        before = os.stat(running.socket_path).st_ino
        second = running.folder / "second.toml"
        second.write_text(running.file.read_text().replace(running.tcp, f"tcp:127.0.0.1:{hosts.free_port()}"))
        done = hosts.run_trivet(t.build, "serve", "-c", second, timeout=20)
        expect(done.returncode not in (0, None), f"the second host exited with {done.returncode}")
        expect(str(running.socket_path).encode() in done.stderr, f"its message names no socket: {done.stderr!r}")
        equal(os.stat(running.socket_path).st_ino, before, "the socket file")
        running.expect_well()


@suite.test("a second host on the TCP port of a running one is refused")
def _(t):
    with site.running(t.build, HELLO) as running:
        second = running.folder / "second.toml"
        second.write_text(running.file.read_text().replace(str(running.socket_path), f"{running.folder}/other.sock"))
        done = hosts.run_trivet(t.build, "serve", "-c", second, timeout=20)
        expect(done.returncode not in (0, None), f"the second host exited with {done.returncode}")
        expect(str(running.port).encode() in done.stderr, f"its message names no port: {done.stderr!r}")
        expect(not (running.folder / "other.sock").exists(), "it left a socket file behind")
        running.expect_well()


@suite.test("a socket file that a killed host left behind is taken over")
def _(t):
    with hosts.temporary_folder() as folder:
        running = hosts.Host(t.build, folder, HELLO)
        running.start()
        running.end(signal.SIGKILL)
        expect(running.socket_path.exists(), "SIGKILL removed the socket file: nothing is shown")
        running.log.unlink()
        again = hosts.Host(t.build, folder, HELLO)
        again.start()
        again.expect_well()
        again.stop()


@suite.test("a file that is not a socket at the socket's path is never removed")
def _(t):
    with hosts.temporary_folder() as folder:
        running = hosts.Host(t.build, folder, HELLO)
        running.write()
        running.socket_path.write_text("precious")
        done = hosts.run_trivet(t.build, "serve", "-c", running.file, timeout=20)
        expect(done.returncode not in (0, None), f"exit code {done.returncode}")
        equal(running.socket_path.read_text(), "precious", "the file")


@suite.test("a signal that comes as soon as the host says that it is ready is obeyed", timeout=60)
def _(t):
    for processes in (0, 2):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with hosts.temporary_folder() as folder:
                _start_behind_all_others(hosts.Host(t.build, folder, HELLO, processes=processes), number)


def _start_behind_all_others(running, number):
    # Whoever reads the line from the pipe takes the only processor from the host, which has still to go on after it.
    def behind_all_others():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))

    running.write()
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    try:
        running.process = subprocess.Popen(  # pylint: disable=consider-using-with
            running.command(), stderr=subprocess.PIPE, bufsize=0, env=dict(os.environ, **hosts.SANITIZED),
            preexec_fn=behind_all_others, start_new_session=True)
        _signal_when_ready(running, number)
    finally:
        os.sched_setaffinity(0, everywhere)


def _signal_when_ready(running, number):
    runner.living.append(running)
    with running.process.stderr as said:
        text = b""
        while b"ready" not in text:
            more = os.read(said.fileno(), 65536)
            expect(more, f"it ended while it started: {text.decode()}")
            text += more
        running.send_signal(number)
        if number == signal.SIGHUP:
            running.expect_well()
        code = running.end(within=12 * running.build.slowness)
        text += said.read()
    equal(code, 0, f"exit code after {number.name} with {running.processes} processes")
    equal(b"SIGHUP: the logs were reopened" in text, number == signal.SIGHUP, f"it obeyed {number.name}: {text.decode()}")
    expect(not running.socket_path.exists(), f"{number.name} left the socket file behind")


@suite.test("the unix socket gets the configured mode")
def _(t):
    for mode in ("0600", "0666"):
        with hosts.temporary_folder() as folder:
            running = hosts.Host(t.build, folder, HELLO)
            running.write()
            text = running.file.read_text().replace('name = "unix"', f'name = "unix"\nmode = "{mode}"')
            running.write = lambda text=text, file=running.file: file.write_text(text)
            running.start()
            equal(oct(stat.S_IMODE(os.stat(running.socket_path).st_mode)), oct(int(mode, 8)), "mode")
            running.stop()


ROUTE = '[[route]]\npath = "/**"\n'

BROKEN = {
    "a key that does not exist": ("[plugin.hello]\nthreds = 1\n", "threds"),
    "a route that names no known plugin": (ROUTE + 'respond = "helo"\n[plugin.hello]\n', "helo"),
    "a plugin file that is not there": ("[plugin.ghost]\n" + ROUTE + 'respond = "ghost"\n', "ghost"),
    "an empty list of guards": ("[plugin.hello]\n" + ROUTE + 'authorize = []\nrespond = "hello"\n', "authorize"),
    "a value of the wrong type": ("[limits]\nparams_bytes = true\n", "params_bytes"),
    "a size without sense": ('[limits]\nwindow = "64 bananas"\n', "window"),
    "text that is not TOML": ("[[route]\n", "broken.toml"),
    "a plugin in a role that it has not": ("[plugin.hello]\n" + ROUTE + 'authorize = ["hello"]\n', "hello"),
    "a setting that the plugin's declaration rules out": (
        '[plugin.keygate]\nconfig = { key = "" }\n' + ROUTE + 'authorize = ["keygate"]\n', "at least 1"),
    "a setting that the plugin does not declare": (
        '[plugin.keygate]\nconfig = { key = "k", headr = "X" }\n' + ROUTE + 'authorize = ["keygate"]\n', "headr"),
}

BROKEN_PLUGINS = {
    "a file that is no plugin": ('[plugin.text]\nfile = "./text.so"\n' + ROUTE + 'respond = "text"\n', "text.so"),
    "a setting that a plugin refuses": (
        '[plugin.keygate]\nconfig = { key = "k", header = "X Key" }\n' + ROUTE + 'authorize = ["keygate"]\n', "header"),
}


def _all_end_with(code, build, table):
    with hosts.temporary_folder() as folder:
        (folder / "text.so").write_text("this is no plugin")
        wrong = []
        for name, (config, named) in table.items():
            host = hosts.Host(build, folder, config)
            host.write()
            file = host.file.rename(folder / "broken.toml")
            done = hosts.run_trivet(build, "serve", "-c", file, timeout=20)
            if done.returncode != code or named.encode() not in done.stderr or b"ready" in done.stderr:
                wrong.append((name, done.returncode, done.stderr.decode()[-300:]))
        expect(not wrong, f"{wrong}")


@suite.test("each broken configuration ends with exit code 78 and a message that names what is wrong")
def _(t):
    _all_end_with(78, t.build, BROKEN)


@suite.test("plugins that cannot be what the configuration wants end with exit code 1 and a message that names them")
def _(t):
    _all_end_with(1, t.build, BROKEN_PLUGINS)


@suite.test("an absent configuration ends with exit code 78, a bad command line with 64")
def _(t):
    with hosts.temporary_folder() as folder:
        done = hosts.run_trivet(t.build, "serve", "-c", folder / "absent.toml", timeout=20)
        expect(done.returncode == 78 and b"absent.toml" in done.stderr, f"no file: {done.returncode} {done.stderr!r}")
        done = hosts.run_trivet(t.build, "serve", "--no-such-option", timeout=20)
        equal(done.returncode, 64, "exit code for a bad option")


@suite.test("all errors of a file are told at once, each with file and line")
def _(t):
    with hosts.temporary_folder() as folder:
        running = hosts.Host(t.build, folder, '[plugin.hello]\nthreds = 1\n[[route]]\npath = "/**"\nrespond = "helo"\n'
                                              'colour = "red"\n')
        running.write()
        done = hosts.run_trivet(t.build, "serve", "-c", running.file, timeout=20)
        text = done.stderr.decode()
        lines = running.file.read_text().splitlines()
        for word in ("threds", '"helo"', "colour"):
            line = next(number for number, each in enumerate(lines, 1) if word in each)
            expect(f"{running.file}:{line}:" in text, f"{word} in line {line} is not told: {text}")
        equal(done.returncode, 78, "exit code")


@suite.test("with too few descriptors the longest idle connections make room, nothing spins, and it recovers")
def _(t):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    with site.running(t.build, HELLO, prepare=few) as running:
        links = []
        for _ in range(200):
            links.append(fcgi.connect(running.unix))
        spent = running.processor_seconds()
        time.sleep(1.0)
        spent = running.processor_seconds() - spent
        expect(spent < 0.2 * t.build.slowness, f"{spent:.2f} s of processor time in one second of waiting")
        expect(running.connections() < 64, f"{running.connections()} connections")
        links[-1].sendall(request(cgi("/hello"), flags=fcgi.KEEP))
        links[-1].settimeout(5 * t.build.slowness)
        expect(b"Status: 200" in links[-1].recv(4096), "the newest connection is not served")
        for link in links:
            link.close()
        begun = time.monotonic()
        running.expect_well()
        expect(time.monotonic() - begun < 3 * t.build.slowness, "it took long to recover")


@suite.test("a host whose standard input, output or error is closed starts and serves")
def _(t):
    with hosts.temporary_folder() as folder:
        running = hosts.Host(t.build, folder, HELLO)
        for closed in ("0<&-", "1>&-", "0<&- 1>&-"):
            running.log.unlink(missing_ok=True)
            running.start(wrapper=["/bin/sh", "-c", f'exec "$@" {closed}', "sh"])
            running.expect_well()
            running.stop()


@suite.test("a log that takes no more bytes stops no request")
def _(t):
    with hosts.temporary_folder() as folder:
        reader, writer = os.pipe()
        running = hosts.Host(t.build, folder, HELLO + '[log]\nlevel = "debug"\n')
        running.write()
        os.set_blocking(writer, False)
        environment = dict(os.environ, **hosts.SANITIZED)
        process = subprocess.Popen(running.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=writer, env=environment, start_new_session=True)
        try:
            eventually(running.socket_path.exists, "the socket", 20)
            deadline = time.monotonic() + 20 * t.build.slowness
            while b"ready" not in os.read(reader, 65536):
                expect(time.monotonic() < deadline, "not ready")
            try:
                while True:
                    os.write(writer, b"x" * 4096)  # full from here on: every line the host logs is lost
            except BlockingIOError:
                pass
            os.set_blocking(writer, True)  # as a terminal or a stalled logger would be
            for _ in range(200):
                with running.connect() as link:
                    link.send(request(cgi("/nowhere", TRIVET_ROUTE="no-such-route")))
                    equal(link.response().status, 500, "status")
        finally:
            process.terminate()
            drain = threading.Thread(target=_drain, args=(reader,))
            os.close(writer)
            drain.start()
            code = process.wait(15 * t.build.slowness)
            drain.join()
        equal(code, 0, "exit code")


def _drain(reader):
    while os.read(reader, 65536):
        pass
    os.close(reader)


@suite.test("--listen on the command line replaces the file's sockets")
def _(t):
    with hosts.temporary_folder() as folder:
        running = hosts.Host(t.build, folder, HELLO)
        other = folder / "other.sock"
        command = running.command() + ["--listen", f"unix:{other}", "--processes", "0"]
        running.command = lambda: command
        running.start()
        expect(not running.socket_path.exists(), "the file's socket is open too")
        equal(fcgi.exchange(f"unix:{other}", cgi("/hello")).status, 200, "status")
        with socket.socket() as probe:
            expect(probe.connect_ex(("127.0.0.1", running.port)) != 0, "the file's port is open too")
        running.stop()
        expect(not other.exists(), "the socket file stayed")
