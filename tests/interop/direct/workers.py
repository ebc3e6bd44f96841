"""`processes = N`: a supervisor and its workers, and what ends them."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

from support import fcgi, host as hosts, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect

suite = Suite("workers")

CONFIG = """
[plugin.perish]
threads = 0
[plugin.perish_thread]
file = "perish.so"
threads = 2
[plugin.hello]
[[route]]
name = "loop"
path = "/loop/**"
respond = "perish"
[[route]]
name = "thread"
path = "/thread/**"
respond = "perish_thread"
[[route]]
name = "guard"
path = "/guard/**"
authorize = ["perish_thread"]
respond = "hello"
[[route]]
name = "hello"
path = "/**"
respond = "hello"
"""


def children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return sorted(int(each) for each in listed.read_text().split()) if listed.exists() else []


def ask(running, uri, role=fcgi.RESPONDER):
    """The answer on a connection of its own; None when it was closed without one."""
    with running.connect() as link:
        try:
            link.send(request(cgi(uri), role=role))
            return link.response()
        except (ConnectionError, fcgi.Broken):
            return None


def pid_of(running, uri="/loop"):
    answer = ask(running, uri)
    return int(answer.body) if answer is not None and answer.status == 200 else None


def running_with(t, processes=2, config=CONFIG, **more):
    return site.running(t.build, config, processes=processes, **more)


@suite.test("workers serve, the supervisor maps no plugin, and SIGTERM ends all of them in order")
def _(t):
    with running_with(t, 3) as running:
        workers = children(running.pid)
        equal(len(workers), 3, "workers")
        seen = set()
        eventually(lambda: seen.add(pid_of(running)) or len(seen) > 1, "a second worker answers", 10)
        expect(seen <= set(workers), f"answers of {seen}, workers {workers}")
        maps = pathlib.Path(f"/proc/{running.pid}/maps").read_text()
        expect("perish" not in maps and "hello" not in maps, "the supervisor has mapped a plugin")
        expect(any("perish" in pathlib.Path(f"/proc/{each}/maps").read_text() for each in workers), "nobody has")
        with running.connect() as link:
            link.send(request(cgi("/thread"), flags=fcgi.KEEP))
            equal(link.take().status, 200, "a kept connection")
            equal(running.end(), 0, "exit code")
            expect(link.closes(5), "the kept connection is still open")
        expect(not any(pathlib.Path(f"/proc/{each}").exists() for each in workers), "a worker is left")
        equal(list((running.folder / "cache").iterdir()), [], "what is left in plugin_cache")
        expect(not running.socket_path.exists(), "the socket's file is left")


@suite.test("SIGTERM in the middle of a request finishes it")
def _(t):
    config = """
[plugin.slow]
threads = 2
[[route]]
path = "/**"
respond = "slow"
"""
    with running_with(t, 2, config) as running, running.connect() as link:
        link.send(request(cgi("/slow?ms=1000"), flags=fcgi.KEEP))
        time.sleep(0.3 * t.build.slowness)
        running.send_signal(signal.SIGTERM)
        running.send_signal(signal.SIGTERM)
        answer = link.response()
        equal((answer.status, answer.complete), (200, True), "the request that ran")
        equal(running.process.wait(10 * t.build.slowness), 0, "exit code")


@suite.test("a worker that is killed costs what it ran, no more, and the next one is there at once")
def _(t):
    with running_with(t, 2) as running:
        stop = threading.Event()
        answered, lost, slowest = [0], [0], [0.0]

        def client():
            while not stop.is_set():
                begun = time.monotonic()
                good = pid_of(running) is not None
                slowest[0] = max(slowest[0], time.monotonic() - begun)
                (answered if good else lost)[0] += 1

        clients = [threading.Thread(target=client) for _ in range(3)]
        for each in clients:
            each.start()
        kills = 0
        until = time.monotonic() + 6
        while time.monotonic() < until:
            time.sleep(1.2)  # More than the second below which it would be started again later.
            victim = children(running.pid)[kills % 2]
            os.kill(victim, signal.SIGKILL)
            kills += 1
        stop.set()
        for each in clients:
            each.join()
        expect(kills >= 4 and answered[0] > 50 * kills, f"{answered[0]} answers, {kills} kills")
        # A client has one request; what a dead worker had accepted of a listener's backlog is in flight as well.
        expect(lost[0] <= 3 * kills, f"{lost[0]} requests were lost in {kills} kills of 3 clients")
        eventually(lambda: len(children(running.pid)) == 2, "two workers", 5)
        expect('how="signal 9 (Killed)"' in running.log_text(), "the end of a worker is not told")


@suite.test("a plugin that ends its worker is named with its route, and takes no other route down")
def _(t):
    # A sanitizer handles faults itself, and its report would fail the test.
    ways = {"exit": "exit code 0"} if t.build.sanitizer else {
        "segv": "signal 11", "null": "signal 11", "abort": "signal 6", "overflow": "signal 11", "thread": "signal 6",
        "exit": "exit code 0"}
    for how, told in ways.items():
        for route, plugin in (("loop", "perish"), ("thread", "perish_thread"), ("guard", "perish_thread")):
            if (how, route) == ("overflow", "thread"):
                continue  # As "guard": the same threads.
            with running_with(t, 2) as running:
                role = fcgi.AUTHORIZER if route == "guard" else fcgi.RESPONDER
                equal(ask(running, f"/{route}?{how}", role), None, f"the answer to {how} on {route}")
                equal(ask(running, "/hello").status, 200, f"another route after {how} on {route}")
                eventually(lambda: "worker ended" in running.log_text(), "a line that tells", 5)
                line = next(each for each in running.log_text().splitlines() if "worker ended" in each)
                # A thread that the plugin made itself is nobody's.
                named = f'plugin={plugin} route={route}' if how != "thread" else ""
                expect(f'how="{told}' in line and named in line, f"{how} on {route}: {line}")
                running.log.write_text("")  # What the plugin's end has said is no finding.


@suite.test("workers that end at once are started again later and later; the others serve")
def _(t):
    with running_with(t, 2) as running:
        for _ in range(4):
            before = children(running.pid)
            eventually(lambda: len(children(running.pid)) == 2, "two workers", 10)
            for each in children(running.pid):
                if each not in before or len(before) < 2:
                    os.kill(each, signal.SIGKILL)
                    break
            else:
                os.kill(children(running.pid)[0], signal.SIGKILL)
            time.sleep(0.05)
        eventually(lambda: "later" in running.log_text(), "a delay", 5)
        delays = [int(each) for each in re.findall(r"milliseconds=(\d+)", running.log_text())]
        expect(delays and delays[0] == 100 and all(each <= 10000 for each in delays), f"delays {delays}")
        eventually(lambda: pid_of(running) is not None, "an answer", 10)


@suite.test("what cannot start says why, leaves nothing, and exits with 1")
def _(t):
    crash = "" if t.build.sanitizer else "crashes"
    for plugin, config, said in (
            ("undefined_symbol", "", b'plugin "p" ('),
            (crash, "", b'a worker ended before it was ready: signal 6 (Aborted) in plugin "p"'),
            ("crashes", 'config = { how = "exit" }', b"a worker ended before it was ready: exit code 3")):
        if not plugin:
            continue
        with hosts.temporary_folder() as folder:
            text = f'[plugin.p]\nfile = "{plugin}.so"\nthreads = 1\n{config}\n[[route]]\npath = "/**"\nrespond = "p"\n'
            host = hosts.Host(t.build, folder, text, processes=2)
            host.write()
            done = hosts.run_trivet(t.build, "serve", "-c", str(host.file), timeout=20 * t.build.slowness)
            equal(done.returncode, 1, f"exit code with {plugin}: {done.stderr!r}")
            expect(said in done.stderr, f"{plugin}: {done.stderr!r}")
            equal(done.stderr.count(said), 1, f"how often it is said: {done.stderr!r}")
            equal(list((folder / "cache").iterdir()), [], "what is left in plugin_cache")


@suite.test("when the supervisor is killed its workers end, and the next one takes over")
def _(t):
    with running_with(t, 2) as running:
        workers = children(running.pid)
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        eventually(lambda: not any(pathlib.Path(f"/proc/{each}").exists() for each in workers),
                   "no worker without supervisor", 10)
        expect(any((running.folder / "cache").iterdir()), "nothing was left behind: nothing is shown")
        running.log.write_text("")
        running.start()
        equal(ask(running, "/hello").status, 200, "the next host")
        equal(len(list((running.folder / "cache").iterdir())), 1, "generations in plugin_cache")


@suite.test("a plugin file that is overwritten changes no worker, not even one that starts later")
def _(t):
    with hosts.temporary_folder() as folder:
        file = folder / "own.so"
        shutil.copy(pathlib.Path(t.build.plugins) / "hello.so", file)
        config = f'[plugin.own]\nfile = "{file}"\n[[route]]\npath = "/**"\nrespond = "own"\n'
        with running_with(t, 1, config) as running:
            before = ask(running, "/").body
            file.write_bytes((pathlib.Path(t.build.test_plugins) / "perish.so").read_bytes())
            (worker,) = children(running.pid)
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: children(running.pid) not in ([], [worker]), "another worker", 10)
            equal(ask(running, "/").body, before, "the answer of a worker that started later")


@suite.test("SIGHUP reopens the log files of all workers")
def _(t):
    with hosts.temporary_folder() as folder:
        files = f'[log]\ntarget = "file:{folder}/log"\naccess = "file:{folder}/access"\n'
        with running_with(t, 2, CONFIG + files) as running:
            seen = set()
            eventually(lambda: seen.add(pid_of(running)) or len(seen) == 2, "both workers", 20)
            for each in ("log", "access"):
                (folder / each).rename(folder / f"{each}.1")
            running.send_signal(signal.SIGHUP)
            eventually(lambda: "SIGHUP" in (folder / "log").read_text() if (folder / "log").exists() else False,
                       "a line in the new log", 5)
            time.sleep(0.2 * t.build.slowness)
            old = (folder / "access.1").stat().st_size
            seen.clear()
            eventually(lambda: seen.add(pid_of(running)) or len(seen) == 2, "both workers again", 20)
            eventually(lambda: "route=loop" in (folder / "access").read_text(), "new lines", 5)
            equal((folder / "access.1").stat().st_size, old, "size of the old access log")


@suite.test("lines of the access log that wait are written when a worker stops, is ended by a fault, or reopens its logs",
            sanitized=False)
def _(t):
    def lines(file):
        return file.read_text().count("route=loop") if file.exists() else 0

    with hosts.temporary_folder() as folder:
        files = f'[log]\naccess = "file:{folder}/access"\naccess_flush = "1m"\n'
        with running_with(t, 1, CONFIG + files) as running:
            pid_of(running)
            equal(lines(folder / "access"), 0, "lines that were not to be written yet")
            (worker,) = children(running.pid)
            os.kill(worker, signal.SIGSEGV)
            eventually(lambda: children(running.pid) not in ([], [worker]), "another worker", 10)
            equal(lines(folder / "access"), 1, "lines of the worker that was ended")
            pid_of(running)
            (folder / "access").rename(folder / "access.1")
            running.send_signal(signal.SIGHUP)
            eventually(lambda: lines(folder / "access.1") == 2, "the line that waited in the old file", 5)
            pid_of(running)
            running.stop()
            equal(lines(folder / "access"), 1, "lines of the worker that stopped")


@suite.test("kill -9 of a worker costs the access log what waited, and no more")
def _(t):
    with hosts.temporary_folder() as folder:
        files = f'[log]\naccess = "file:{folder}/access"\naccess_flush = "300ms"\n'
        with running_with(t, 1, CONFIG + files) as running:
            pid_of(running)
            eventually(lambda: (folder / "access").read_text().count("route=loop") == 1, "the line that waited long enough", 5)
            pid_of(running)
            (worker,) = children(running.pid)
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: children(running.pid) not in ([], [worker]), "another worker", 10)
            pid_of(running)
            running.stop()
            lines = (folder / "access").read_text().splitlines()
            expect(2 <= len(lines) <= 3 and all(" uri=/loop" in each for each in lines), f"{lines}")


@suite.test("`trivet worker` is not for people")
def _(t):
    done = subprocess.run([t.build.binary, "worker"], capture_output=True, timeout=20, check=False)
    equal(done.returncode, 64, "exit code")
    expect(b"supervisor" in done.stderr, done.stderr)
