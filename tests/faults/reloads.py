"""Reloads: nothing that is asked meanwhile is lost, new code answers at once, and what cannot be leaves the old one serving."""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from support import faulty, fcgi, host as hosts
from support.fcgi import cgi, request
from support.load import load, loads, stop
from support.reloading import expect_reloads_lose_nothing, haproxy_before, reloading
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("reloads")


@suite.test("S10 S25: reloads in a row under load lose nothing, close no kept connection, and bring each time the new code", timeout=120)
def _(t):
    with reloading(t) as host:
        expect_reloads_lose_nothing(host, 100 if t.build.is_long else 8)
        host.expect_settled(2)


@suite.test("S10: reloads behind HAProxy, many requests on one connection, lose nothing", timeout=120)
def _(t):
    count = 100 if t.build.is_long else 4
    with reloading(t) as host, haproxy_before(host) as web, load(t.build, web, kept=16, rate=1000) as busy:
        for number in range(count):
            host.reload(2 - number % 2)
            time.sleep(0.2)
        total = busy.stop()
        print(f"     {count} reloads; {total.short()}")
        total.expect_nothing_lost()
        host.expect_settled(2)


@suite.test("S10: reloads under multiplexed connections that are never idle lose nothing", timeout=120)
def _(t):
    count = 30 if t.build.is_long else 3
    with reloading(t, server='reload_grace = "2s"\n') as host, load(t.build, host.unix, kept=2, streams=8, rate=1000) as busy:
        for number in range(count):
            host.reload(2 - number % 2)
            eventually(lambda wanted=str(2 - number % 2): set(_now(busy).editions) == {wanted},
                       "the connections have followed", 20)
        total = busy.stop()
        equal((total.wrong, total.failed, total.closed), (0, 0, 0), total.short())
        host.expect_settled(2)


def _now(busy):
    """What the next tenth of a second brings."""
    busy.report()
    time.sleep(0.1)
    return busy.report()


def _need_descriptors(count):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        skip(f"RLIMIT_NOFILE allows {hard} descriptors at most, {count} are needed (ulimit -Hn)")


@suite.test("S10: ten thousand idle connections survive a reload, and are answered by the new code", timeout=120)
def _(t):
    idle = 10000 if not t.build.sanitizer else 1000
    _need_descriptors(idle + 1000)
    with reloading(t) as host, load(t.build, host.unix, idle=idle, kept=2, rate=200, patience=60) as busy:
        begun = time.monotonic()
        host.reload(2)
        took = time.monotonic() - begun
        host.expect_settled(2)
        left = time.monotonic() - begun
        between = busy.report()
        equal((between.idle_open, between.closed, between.failed), (idle, 0, 0), "idle connections after the reload")
        poked = busy.poke()
        print(f"     reload {took:.2f} s, all moved after {left:.2f} s, supervisor {_memory(host)}")
        equal(set(poked.editions), {"2"}, "editions that answered")
        expect(poked.answered >= idle and not poked.failed + poked.wrong + poked.closed, poked.short())
        equal(busy.stop().failed, 0, "requests that failed")


def _memory(host):
    return f"{host.status_bytes('VmRSS') >> 10} KiB resident, {host.proportional_bytes() >> 10} KiB its own share"


@suite.test("the supervisor maps no plugin and stays below 10 MiB over reloads")
def _(t):
    with reloading(t) as host:
        for number in range(30 if t.build.is_long else 5):
            host.reload(2 - number % 2)
        print(f"     supervisor {_memory(host)}")
        maps = pathlib.Path(f"/proc/{host.pid}/maps").read_text()
        expect("edition" not in maps and str(host.folder / "cache") not in maps, "the supervisor has mapped a plugin")
        if not t.build.sanitizer:
            expect(host.proportional_bytes() < 10 << 20, f"the supervisor takes {_memory(host)}")


# --- S11 ---

ROUTE = '\n[[route]]\npath = "/new"\nrespond = "new"\n'
GUARDED = '\n[[route]]\npath = "/new"\nauthorize = ["new"]\nrespond = "hello"\n'

# What is wrong: what the configuration gains, the exit code of `trivet reload`, and what its message says. PLACE is
# the line of what was gained, as file:line.
UNFIT = {
    "a file that is no TOML": ("[[route]\n", 78, ["PLACE:", "^"]),
    "an unknown key": ("[log]\nlevl = \"info\"\n", 78, ["PLACE+1:1:", "unknown key `levl`", "`level`", "^"]),
    "a missing plugin": ('[plugin.new]\nfile = "/nowhere/ghost.so"' + ROUTE, 78,
                         ['PLACE+1:8: error: the file "/nowhere/ghost.so" of the plugin "new" is not there', "^"]),
    "an undefined symbol": ('[plugin.new]\nfile = "undefined_symbol.so"' + ROUTE, 1,
                            ['PLACE:1: plugin "new" (', "undefined_symbol.so", "undefined symbol", "trivet_nobody_has_this"]),
    "a wrong ABI": ('[plugin.new]\nfile = "wrong_abi.so"' + ROUTE, 1, ['PLACE:1: plugin "new" (', "wrong_abi.so", "ABI 7.2"]),
    "a setting that the declaration rules out": (
        '[plugin.new]\nfile = "keygate.so"\nconfig = { key = "" }' + GUARDED, 78, ["PLACE+2:18:", "at least 1", "^"]),
    "a setting that the plugin refuses": (
        '[plugin.new]\nfile = "throws.so"\nconfig = { when = "create" }' + ROUTE, 1,
        ['PLACE:1: plugin "new": thrown on purpose']),
    "a log that cannot be opened": ('[log]\ntarget = "file:/nowhere/log"\n', 1, ["trivet: ", "/nowhere/log", "No such file"]),
    "a plugin that aborts in create": ('[plugin.new]\nfile = "crashes.so"\nthreads = 1' + ROUTE, 1,
                                       ['a worker ended before it was ready: signal 6 (Aborted) in plugin "new"']),
    "a plugin that exits in create": (
        '[plugin.new]\nfile = "crashes.so"\nthreads = 1\nconfig = { how = "exit" }' + ROUTE, 1,
        ['a worker ended before it was ready: exit code 3 in plugin "new"']),
    "a plugin that hangs in create": (
        '[plugin.new]\nfile = "crashes.so"\nthreads = 1\nconfig = { how = "hang" }' + ROUTE, 1,
        ['in plugin "new"', "not ready within server.start_timeout"]),
}
BY_SIGNAL = ("a plugin that aborts in create",)


def _expect_refused(host, busy, name, code, said):
    """By the command that asked; nobody else notices."""
    workers = faulty.children(host.pid)
    found, message = host.ask_to_reload()
    equal(found, code, f"exit code of `trivet reload` with {name}: {message}")
    for each in said:
        expect(each in message, f"{name}: the message does not say {each!r}: {message}")
    report = busy.report()
    equal((report.wrong, report.failed, report.closed), (0, 0, 0), report.short())
    equal(host.edition(), 1, f"the edition that answers after {name}")
    eventually(lambda: faulty.children(host.pid) == workers, f"the workers as they were before {name}", 10)


def _places(host, line, said):
    """What PLACE and PLACE+N are where what was gained begins in `line`."""
    def place(match):
        return f"{host.file}:{line + int(match[1] or 0)}"
    return [re.sub(r"PLACE(?:\+(\d))?", place, each) for each in said]


@suite.test("S11: a reload to what cannot be says what and where, and the old generation serves on", timeout=90)
def _(t):
    for each in ("undefined_symbol", "wrong_abi", "keygate", "throws", "crashes"):
        t.build.plugin(each)
    with reloading(t, server='start_timeout = "2s"\n') as host:
        good = host.file.read_text()
        routes = good.index("[[route]]")
        with load(t.build, host.unix, kept=2, once=2, rate=300) as busy:
            host.put(2)
            for name, (more, code, said) in UNFIT.items():
                if t.build.sanitizer and name in BY_SIGNAL:
                    continue
                host.file.write_text(good[:routes] + more + good[routes:])
                _expect_refused(host, busy, name, code, _places(host, good.count("\n", 0, routes) + 1, said))
            host.file.write_text(good)
            host.reload(2)
            busy.stop().expect_nothing_lost()
        host.expect_settled(2)
        faulty.forget_log(host)


@contextlib.contextmanager
def _no_kills(pid):
    """The process can send no signal meanwhile, as if its children hung in the kernel."""
    if not shutil.which("strace"):
        skip("strace is not installed (apt-get install strace)")
    strace = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=kill", "-e", "inject=kill:error=EPERM",
                               "-p", str(pid)], stderr=subprocess.DEVNULL)
    try:
        status = pathlib.Path(f"/proc/{pid}/status")
        eventually(lambda: f"TracerPid:\t{strace.pid}" in status.read_text(), "strace has attached", 10)
        yield
    finally:
        strace.send_signal(signal.SIGINT)
        strace.wait(10)


@suite.test("a worker that cannot even be killed holds up no reload: it is given up, and the next one goes its way", timeout=90,
            sanitized=False)
def _(t):
    t.build.plugin("crashes")
    with reloading(t, server='start_timeout = "1s"\n') as host:
        good = host.file.read_text()
        host.file.write_text(good + UNFIT["a plugin that hangs in create"][0])
        with load(t.build, host.unix, kept=2, once=2, rate=300) as busy:
            with _no_kills(host.pid):
                code, message = host.ask_to_reload(40)
                equal(code, 1, f"exit code of `trivet reload`: {message}")
                expect("took too long and is given up: a worker of the new generation" in message, message)
            host.file.write_text(good)
            host.reload(2)
            busy.stop().expect_nothing_lost()
        # What the kernel has let go of ends, and leaves nothing.
        for each in json.loads(host.ask("status", "--json").stdout)["workers"]:
            if each["state"] == "starting":
                os.kill(each["pid"], signal.SIGKILL)
        faulty.wait_for_workers(host, 2)
        eventually(lambda: len(list(host.cache.glob("*"))) == 1, "one generation in plugin_cache", 10)


@contextlib.contextmanager
def _own_disk(folder, size):
    if os.getuid() != 0:
        skip("only root can mount a file system")
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)],
                             capture_output=True, check=False)
    if mounted.returncode != 0:
        skip(f"a file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@suite.test("S11: a reload whose plugin_cache is full, or mounted noexec, says so, and the old generation serves on")
def _(t):
    with hosts.temporary_folder() as outer, contextlib.ExitStack() as stack:
        cache = outer / "cache"
        stack.enter_context(_own_disk(cache, "16m"))
        with reloading(t, cache=cache) as host:
            with load(t.build, host.unix, kept=2, once=2, rate=300) as busy:
                with open(cache / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
                    while True:
                        filler.write(bytes(65536))
                host.put(2)
                _expect_refused(host, busy, "a full plugin_cache", 1, [str(cache), "No space left on device"])
                (cache / "filler").unlink()
                subprocess.run(["mount", "-o", "remount,noexec", str(cache)], check=True)
                _expect_refused(host, busy, "a plugin_cache mounted noexec", 1, [f"plugin_cache \"{cache}/", "mounted noexec"])
                subprocess.run(["mount", "-o", "remount,exec", str(cache)], check=True)
                host.reload(2)
                busy.stop().expect_nothing_lost()


# --- what runs over a reload ---

@suite.test("S12: a request that streams over a reload ends well in its old worker", timeout=90)
def _(t):
    milliseconds = 30000 if t.build.is_long else 3000
    with reloading(t, server=f'reload_grace = "{milliseconds * 2}ms"\n') as host, host.connect(timeout=90) as link:
        link.send(request(cgi(f"/thread?ms={milliseconds}"), flags=fcgi.KEEP))
        eventually(lambda: link.pump(0.1) or 1 in link.responses, "the begin of the answer", 10)
        begun = time.monotonic()
        host.reload(2)
        expect(time.monotonic() - begun < milliseconds / 1000, "the reload waited for the request")
        answer = link.take()
        lines = {bytes(each).split()[0] for each in answer.body.split(b"\n")}
        equal((answer.status, answer.complete, lines), (200, True, {b"1"}), "the answer that streamed")
        link.send(request(cgi("/")))
        equal(link.take().body.split()[0], b"2", "the edition on the same connection afterwards")
        host.expect_settled(2)


@suite.test("S26 S27 S28: thread_local, inline static, threads of its own and atexit: a reload gives new code, nothing crashes", timeout=90)
def _(t):
    for settings in ('threads = "left"', 'threads = "stopped", at_exit = true', 'threads = "left", at_exit = true'):
        with reloading(t, settings=settings) as host:
            for edition in (2, 1, 2):
                host.reload(edition)  # What an answer calls its edition is -1 where any of it is another's.
            host.expect_settled(2)
            if "at_exit" in settings:
                expect("at_exit ran" in host.log_text(), "no atexit handler of the plugin has run")


@suite.test("S09: SIGHUP by the dozen while reloads run, under load, loses nothing")
def _(t):
    with reloading(t) as host, load(t.build, host.unix, kept=2, once=2, rate=500) as busy:
        for _ in range(20):
            host.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        host.put(2)
        host.send_signal(signal.SIGHUP)
        eventually(lambda: host.edition() == 2, "the new code", 30)
        busy.stop().expect_nothing_lost()
        host.expect_settled(2)


@suite.test("workers killed while a reload runs cost what they held, and the reload is done or refused", timeout=90)
def _(t):
    with reloading(t) as host, load(t.build, host.unix, kept=4, once=4, rate=500) as busy:
        for number in range(20 if t.build.is_long else 4):
            before = set(faulty.children(host.pid))
            asked = host.begin_to_reload()
            if number % 2:
                eventually(lambda old=before: set(faulty.children(host.pid)) - old, "a new worker", 10)
                victims = set(faulty.children(host.pid)) - before
            else:
                victims = before
            for each in sorted(victims)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            code, message = host.end_of_reload(asked)
            expect(code == 0 or (code == 1 and "a worker ended before it was ready: signal 9 (Killed)" in message), message)
            time.sleep(1.1)
            faulty.expect_served(host, 5)
        total = busy.stop()
        equal(total.wrong, 0, f"wrong answers ({total.first_wrong})")
        eventually(lambda: len(faulty.children(host.pid)) == 2, "two workers", 40)
