"""What a service manager sees of the host: its notices, the sockets it passed, and the filter of conf/systemd."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from support import fcgi, runner
from support.fcgi import cgi
from support.host import Host, Process, running_host, temporary_folder
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("service manager")

HELLO = """
[plugin.hello]
[[route]]
respond = "hello"
"""
UNIT = runner.ROOT / "conf" / "systemd" / "trivet.service"


class Manager:
    """A socket for notices, as NOTIFY_SOCKET names it; who sends them is looked at, as systemd does."""

    def __init__(self, t, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind(f"{folder}/notify")
        self.socket.settimeout(10 * t.build.slowness)
        self.environment = [f"NOTIFY_SOCKET={folder}/notify"]
        self.senders = set()

    def next(self):
        text, ancillary, _, _ = self.socket.recvmsg(4096, 256)
        for _, kind, data in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                self.senders.add(int.from_bytes(data[:4], sys.byteorder))
        return text.decode()

    def next_but_watchdog(self):
        while (text := self.next()) == "WATCHDOG=1":
            pass
        return text


@contextlib.contextmanager
def managed(t, processes, *environment):
    with temporary_folder() as folder, contextlib.closing(socket.socket()):
        manager = Manager(t, folder)
        with contextlib.closing(manager.socket), \
                running_host(t.build, HELLO, processes=processes,
                             wrapper=["env", *manager.environment, *environment]) as running:
            yield manager, running


@suite.test("READY=1 with a line of status comes when the host serves, STOPPING=1 when it ends, from one process only")
def _(t):
    for processes in (2, 0):
        with managed(t, processes) as (manager, running):
            ready = manager.next()
            expect(re.fullmatch(r"READY=1\nSTATUS=[^\n]+", ready), f"at start: {ready!r}")
            running.expect_well("/")
            running.send_signal(signal.SIGTERM)
            equal(manager.next(), "STOPPING=1", "at the end")
            equal(manager.senders, {running.pid}, "who told it")


@suite.test("the watchdog is fed twice in its time, and not while the supervisor hangs")
def _(t):
    # 2 s: a machine that is slow today does not make an hour of it.
    watched = 'WATCHDOG_USEC=2000000'
    with managed(t, 1, watched) as (manager, running):
        equal(manager.next_but_watchdog().partition("\n")[0], "READY=1", "at start")
        times = []
        for _ in range(4):
            equal(manager.next(), "WATCHDOG=1", "while it serves")
            times.append(time.monotonic())
        longest = max(later - earlier for earlier, later in zip(times, times[1:]))
        expect(longest < 2.0, f"the longest time without a word: {longest:.2f} s")
        os.kill(running.pid, signal.SIGSTOP)
        time.sleep(0.2)
        manager.socket.settimeout(0.01)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            while True:
                manager.next()
        manager.socket.settimeout(2.5)
        try:
            said = manager.next()
            expect(False, f"a supervisor that hangs says {said!r}")
        except TimeoutError:
            pass
        os.kill(running.pid, signal.SIGCONT)
        manager.socket.settimeout(10 * t.build.slowness)
        equal(manager.next(), "WATCHDOG=1", "when it goes on")


@suite.test("a watchdog of another process is not fed")
def _(t):
    with managed(t, 1, "WATCHDOG_USEC=100000", "WATCHDOG_PID=1") as (manager, running):
        equal(manager.next().partition("\n")[0], "READY=1", "at start")
        time.sleep(0.5)
        running.send_signal(signal.SIGTERM)
        equal(manager.next(), "STOPPING=1", "the next word")


@suite.test("sockets that were passed by name are served by workers, and are not the supervisor's to unlink")
def _(t):
    for processes in (2, 0):
        with temporary_folder() as folder:
            other = Host(t.build, folder, HELLO, processes=processes)
            other.write()
            text = other.file.read_text()
            head, rest = text[:text.index("[[listen]]")], text[text.index("[limits]"):]
            other.file.write_text(f'{head}[[listen]]\nname = "w"\naddress = "systemd:web"\n{rest}')
            starter = Process("systemd-socket-activate", folder / "log")
            starter.start(["/usr/bin/systemd-socket-activate", "--fdname=web:web", "-l", f"{folder}/a", "-l", f"{folder}/b",
                           *other.command()])
            try:
                eventually((folder / "b").exists, "systemd-socket-activate listens")
                for each in ("a", "b", "a"):
                    answer = fcgi.exchange(f"unix:{folder}/{each}", cgi("/"), timeout=20 * t.build.slowness)
                    equal(answer.status, 200, f"through {each}: {starter.log_text()}")
            finally:
                code = starter.end()
            equal(code, 0, "exit code")
            expect((folder / "a").exists(), "the socket's file is the service manager's")


def allowed_calls():
    """The names that SystemCallFilter= of the unit allows."""
    found = {}

    def expand(name):
        if name not in found:
            said = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], check=True, capture_output=True,
                                  text=True).stdout
            names = [line.strip() for line in said.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
            found[name] = set().union(*(expand(each) if each.startswith("@") else {each} for each in names))
        return found[name]

    calls = set()
    for line in UNIT.read_text().splitlines():
        if not line.startswith("SystemCallFilter="):
            continue
        value = line.partition("=")[2]
        for word in value.removeprefix("~").split():
            names = expand(word) if word.startswith("@") else {word}
            calls = calls - names if value.startswith("~") else calls | names
    return calls | expand("@default")


@suite.test("the unit's filter of system calls lets the host start, serve, replace a worker and end", sanitized=False)
def _(t):
    if shutil.which("systemd-analyze") is None:
        skip("systemd-analyze is not installed")
    try:
        import seccomp  # pylint: disable=import-outside-toplevel
    except ImportError:
        skip("python3-seccomp is not installed")
    import errno  # pylint: disable=import-outside-toplevel
    calls = allowed_calls()
    expect("openat" in calls and "fchownat" in calls and "ptrace" not in calls and "mount" not in calls
           and "setresuid" not in calls, "the filter")

    def confine():
        rules = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
        for each in sorted(calls):
            with contextlib.suppress(RuntimeError):  # Of another architecture.
                rules.add_rule(seccomp.ALLOW, each)
        rules.load()

    with running_host(t.build, HELLO, processes=2, listen='', prepare=confine) as running:
        state = pathlib.Path(f"/proc/{running.pid}/status").read_text()
        expect("Seccomp:\t2" in state, "the filter is at work")
        running.expect_well("/")
        children = pathlib.Path(f"/proc/{running.pid}/task/{running.pid}/children")
        before = children.read_text().split()
        os.kill(int(before[0]), signal.SIGKILL)
        eventually(lambda: len(children.read_text().split()) == 2 and children.read_text().split() != before,
                   f"another worker: {running.log_text()}", 10)
        running.expect_well("/")
