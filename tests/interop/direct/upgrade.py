"""SIGUSR2: another image of the program takes the place of the one that runs, and nobody notices."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

from support import fcgi, host as hosts, load as loads, site
from support.fcgi import STDIN, cgi, record, request
from support.runner import Suite, equal, eventually, expect, skip
from support.upgrading import replace, upgrade, with_program

suite = Suite("upgrade")

EDITION = """
[plugin.edition]
file = "edition_1.so"
[[route]]
path = "/**"
respond = "edition"
"""

CONFIG = """
[plugin.perish]
threads = 0
[[route]]
name = "all"
path = "/**"
respond = "perish"
"""

BOTH = CONFIG.replace("/**", "/loop") + EDITION


def status(t, running):
    told = hosts.run_trivet(t.build, "status", "--json", "--admin", f"unix:{running.folder}/run/admin.sock")
    equal(told.returncode, 0, f"exit code of status: {told.stderr!r}")
    return json.loads(told.stdout)


def counted(t, running):
    """What is counted of everything, of the plugin and of the route."""
    told = status(t, running)
    (plugin,) = [each for each in told["plugins"] if each["name"] == "perish"]
    (route,) = [each for each in told["routes"] if each["name"] == "all"]
    return told["totals"]["requests"]["responder"], told["totals"]["responses"]["2xx"], plugin["calls"], route["requests"]


def expect_counted(t, running, number, what):
    eventually(lambda: counted(t, running) == (number,) * 4, f"{number} counted requests {what}", 10)


def ask(running, times):
    for _ in range(times):
        equal(running.get("/loop").status, 200, "status")


def pid_of(link):
    link.send(request(cgi("/loop"), flags=fcgi.KEEP))
    return int(link.take().body)


@suite.test("upgrades under load lose no request and close no kept connection; the process stays the same")
def _(t):
    with site.running(t.build, EDITION, processes=2) as running:
        before = len(running.descriptors())
        with loads.load(t.build, running.unix, kept=4, once=2) as busy:
            times = 20 if t.build.is_long else 5
            for number in range(times):
                upgrade(running, f"reloaded generation={number + 2}")
            busy.stop().expect_nothing_lost()
        eventually(lambda: len(running.descriptors()) == before, "as many descriptors as before", 10)
        equal(running.log_text().count("has taken over"), times, "images that took over")


@suite.test("a program that cannot take over is not let to, and the log says why")
def _(t):
    with hosts.temporary_folder() as folder:
        build = with_program(t.build, folder)
        with site.running(build, CONFIG, processes=1) as running, running.connect() as link:
            worker = pid_of(link)
            for program, reason in (("#!/bin/sh\necho broken >&2\nexit 3\n", "broken"),
                                    ("#!/bin/sh\nexit 0\n", "cannot take over"),
                                    ("no program", "xec format")):
                replace(build.binary, program)
                upgrade(running, "no upgrade")
                expect(reason in running.log_since_mark(), f"{reason!r} is not in {running.log_since_mark()}")
                equal(pid_of(link), worker, "who answers")
            build.binary.unlink()
            upgrade(running, "No such file")
            replace(build.binary, t.build.binary)
            upgrade(running, "reloaded generation=2")
            expect(pid_of(link) != worker, "the old worker still answers")


@suite.test("an image whose workers cannot start goes back to the one before, which serves as if nothing had been")
def _(t):
    with hosts.temporary_folder() as folder:
        build = with_program(t.build, folder)
        with site.running(build, CONFIG, processes=2) as running, running.connect() as link:
            pid_of(link)
            before = len(running.descriptors())
            good = running.file.read_text()
            # What the probe cannot know: what is wrong with the plugin shows only when it is loaded.
            running.file.write_text(good + "[plugin.undefined_symbol]\n")
            upgrade(running, "back from another image")
            expect("this image of the program cannot serve" in running.log_since_mark(), running.log_since_mark())
            worker = pid_of(link)
            equal(pid_of(link), worker, "who answers")
            eventually(lambda: len(running.descriptors()) == before, "as many descriptors as before", 10)
            running.file.write_text(good)
            upgrade(running, "reloaded generation=")
            expect(pid_of(link) != worker, "the old worker still answers")


@suite.test("what was counted, and since when, goes on over upgrades, and over one that goes back", timeout=60)
def _(t):
    with site.running(t.build, CONFIG, processes=2) as running:
        good = running.file.read_text()
        ask(running, 7)
        # Of one that has ended as well.
        first = status(t, running)["workers"][0]["pid"]
        os.kill(first, signal.SIGKILL)
        eventually(lambda: first not in [each["pid"] for each in status(t, running)["workers"]]
                   and len(status(t, running)["workers"]) == 2, "another worker", 10)
        ask(running, 5)
        expect_counted(t, running, 12, "before the upgrade")
        eventually(lambda: status(t, running)["uptime_seconds"] >= 2, "two seconds of its life", 10)
        accepted = status(t, running)["totals"]["connections_accepted"]
        upgrade(running, "reloaded generation=2")
        ask(running, 3)
        expect_counted(t, running, 15, "after the upgrade")
        expect(status(t, running)["uptime_seconds"] >= 2, "the uptime began again")
        equal(status(t, running)["totals"]["connections_accepted"], accepted + 3, "connections accepted")
        # And by an image whose workers cannot start, and by the one that it goes back to.
        running.file.write_text(good + "[plugin.undefined_symbol]\n")
        lives = min(each["uptime_seconds"] for each in status(t, running)["workers"])
        upgrade(running, "back from another image")
        expect(min(each["uptime_seconds"] for each in status(t, running)["workers"]) >= lives, "workers began again")
        ask(running, 4)
        expect_counted(t, running, 19, "after going back")
        running.file.write_text(good)
        upgrade(running, "reloaded generation=")
        ask(running, 1)
        expect_counted(t, running, 20, "after three upgrades")
        expect("another version" not in running.log_text(), "what was counted was not understood")


def spoil_counts(running):
    """The memory that plugins and routes are counted in gets a version that nobody knows."""
    for each in pathlib.Path(f"/proc/{running.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if "trivet-statistics" in os.readlink(each):
                with open(each, "r+b", buffering=0) as memory:
                    os.pwrite(memory.fileno(), struct.pack("I", 99), 8)


@suite.test("where workers count as another version would, what was counted before stays, and the log says what is not seen")
def _(t):
    with site.running(t.build, CONFIG, processes=2) as running, running.connect() as link:
        pid_of(link)
        ask(running, 6)
        expect_counted(t, running, 7, "before the upgrade")
        spoil_counts(running)
        upgrade(running, "reloaded generation=2")
        equal(running.log_since_mark().count("of another version"), 1, "lines that tell of it")
        pid_of(link)
        ask(running, 2)
        expect_counted(t, running, 10, "after the upgrade")
        # An image that goes back hands on what it was given, and not what it made of it.
        spoil_counts(running)
        good = running.file.read_text()
        running.file.write_text(good + "[plugin.undefined_symbol]\n")
        upgrade(running, "back from another image")
        equal(running.log_since_mark().count("of another version"), 2, "lines that tell of it")
        expect_counted(t, running, 10, "after going back")


def ask_for_upgrade(t, running):
    """By the command; its exit code and what it says."""
    told = hosts.run_trivet(t.build, "upgrade", "--admin", f"unix:{running.folder}/run/admin.sock")
    equal(told.stdout, b"", "what it says to standard output")
    return told.returncode, told.stderr.decode()


# What becomes of a program after it has said that it can take over, and before it is to run.
AFTER_THE_PROBE = {
    "it is made not executable": ('chmod 600 "$0"', "has changed since it was asked"),
    "it is removed": ('rm "$0"', "No such file or directory"),
    # Half a program would be run, and end the host.
    "another is in its place, half copied": (
        'head -c 5000 {real} > "$0.half"; chmod 755 "$0.half"; mv "$0.half" "$0"', "has changed since it was asked"),
    "it is being written": ('head -c 5000 {real} | dd of="$0" conv=notrunc status=none', "has changed since it was asked"),
    # A script is run by its name, and there is none any more when it is run by its descriptor.
    "it is run by something else": ("true", "the new program cannot be run: No such file or directory"),
}


@suite.test("a program that passes the probe and cannot be run changes nothing, and whoever asked is told why", timeout=60)
def _(t):
    with hosts.temporary_folder() as folder:
        build = with_program(t.build, folder)
        with site.running(build, BOTH, processes=2) as running, running.connect() as link:
            worker = pid_of(link)
            before = len(running.descriptors())
            with loads.load(t.build, running.unix, kept=2, once=2, rate=300) as busy:
                for name, (deed, reason) in AFTER_THE_PROBE.items():
                    replace(build.binary, f'#!/bin/sh\n{deed.format(real=t.build.binary)}\nexec {t.build.binary} "$@"\n')
                    code, told = ask_for_upgrade(t, running)
                    equal(code, 1, f"exit code where {name}: {told}")
                    expect(told.startswith("trivet: no upgrade: ") and told.count("\n") == 1, f"{name}: {told!r}")
                    expect(reason in told, f"{name}: {told!r}")
                    expect("no upgrade" in running.log_text(), "the log does not tell of it")
                    equal(pid_of(link), worker, f"who answers where {name}")
                busy.stop().expect_nothing_lost()
            eventually(lambda: len(running.descriptors()) == before, "as many descriptors as before", 10)
            # It still hears signals, starts workers, and can be upgraded.
            os.kill(worker, signal.SIGKILL)
            eventually(lambda: worker not in [each["pid"] for each in status(t, running)["workers"]]
                       and len(status(t, running)["workers"]) == 2, "another worker", 10)
            running.mark_log()
            running.send_signal(signal.SIGHUP)
            eventually(lambda: "reloaded generation=2" in running.log_since_mark(), "a reload", 20)
            replace(build.binary, t.build.binary)
            equal(ask_for_upgrade(t, running), (0, ""), "the upgrade to a program that can be run")


@suite.test("while upgrades happen nobody who comes to the admin or attach socket is turned away")
def _(t):
    with hosts.temporary_folder() as outer, site.running(t.build, CONFIG, processes=2, server="attach = {}") as running:
        stop = threading.Event()
        refused, came = [], [0, 0]

        def come(number, name):
            while not stop.is_set():
                try:
                    with socket.socket(socket.AF_UNIX) as link:
                        link.connect(f"{running.folder}/run/{name}.sock")
                    came[number] += 1
                except OSError as error:
                    refused.append((name, repr(error)))
                time.sleep(0.0002)

        def attach(number):
            with contextlib.closing(socket.socket(socket.AF_UNIX)) as given:
                given.bind(f"{outer}/{number}.sock")
                given.listen(5)
                while not stop.is_set():
                    # What mod_fcgid starts at such a moment has to find the host.
                    with subprocess.Popen([t.build.binary, "attach", f"unix:{running.folder}/run/attach.sock"], stdin=given,
                                          stderr=subprocess.PIPE) as stub:
                        time.sleep(0.03)
                        stub.terminate()
                        said = stub.stderr.read()
                    if said:
                        refused.append(("stub", said))

        visitors = [threading.Thread(target=come, args=each) for each in enumerate(("admin", "attach"))]
        visitors += [threading.Thread(target=attach, args=(number,)) for number in range(2)]
        for each in visitors:
            each.start()
        good = running.file.read_text()
        for number in range(5):
            if number == 3:
                running.file.write_text(good + "[plugin.undefined_symbol]\n")
                upgrade(running, "back from another image")
                running.file.write_text(good)
            else:
                upgrade(running)
        stop.set()
        for each in visitors:
            each.join()
        equal(refused, [], f"who was turned away of {came}")
        expect(min(came) > 50, f"{came} came")
        equal(status(t, running)["pid"], running.pid, "who answers at the admin socket")


class Command:
    """One that waits at the admin socket, said in as many pieces as wanted."""

    def __init__(self, running, said=b""):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(60 * running.build.slowness)
        self.link.connect(f"{running.folder}/run/admin.sock")
        self.say(said)

    def say(self, text):
        self.link.sendall(text)
        return self

    def answer(self):
        """The exit code and everything after it, to the end of the connection."""
        with self.link:
            got = b"".join(iter(lambda: self.link.recv(65536), b""))
        head, _, rest = got.partition(b"\n")
        expect(head.startswith(b"trivet/1 "), f"the connection ended with {got!r}")
        return int(head.split()[1]), rest.decode()


@contextlib.contextmanager
def upgrade_that_waits(running):
    """An upgrade is under way until the request of an older generation has ended: gives it, and what ends that request."""
    with running.connect(timeout=60) as held:
        held.send(request(cgi("/held", method="POST"), flags=fcgi.KEEP, body=None) + record(STDIN, b"half"))
        expect(held.pump(20), "its answer does not begin")
        equal(Command(running, b"trivet/1 reload\n").answer(), (0, ""), "the reload before")
        asked = Command(running, b"trivet/1 upgrade\n")
        eventually(lambda: Command(running, b"trivet/1 upgrade\n").answer()[1] == "trivet: an upgrade is under way\n",
                   "an upgrade that waits", 10)
        yield asked, lambda: held.send(record(STDIN, b""))
        equal(held.take().status, 200, "the request of the older generation")


@suite.test("whoever waits at the admin socket while an upgrade goes through is answered by the image that comes, or comes back")
def _(t):
    config = "[plugin.echo]\n[[route]]\npath = \"/held\"\nrespond = \"echo\"\n" + CONFIG
    with site.running(t.build, config, processes=1) as running:
        before = len(running.descriptors())
        good = running.file.read_text()
        for text, code, said in ((good, 0, ""), (good + "[plugin.undefined_symbol]\n", 1, "undefined_symbol")):
            with upgrade_that_waits(running) as (asked, end):
                running.file.write_text(text)
                reloads = [Command(running, b"trivet/1 reload\n") for _ in range(3)]
                by_command = subprocess.Popen(  # pylint: disable=consider-using-with
                    [t.build.binary, "reload", "--admin", f"unix:{running.folder}/run/admin.sock"], stderr=subprocess.PIPE)
                half, silent = Command(running, b"trivet/1 stat"), Command(running)
                gone = Command(running, b"trivet/1 reload\n")
                gone.link.close()
                running.mark_log()
                end()
                eventually(lambda: "image of the program" in running.log_since_mark(), "another image", 20)
                # Said to the image that was, as far as it came.
                equal(half.say(b"us json\n").answer()[0], 0, "a command of which half had been said")
                equal(silent.say(b"trivet/1 log-level info\n").answer(), (0, ""), "one of which nothing had been said")
            for each in (asked, *reloads):
                found, told = each.answer()
                equal((found, said in told), (code, True), f"exit code, and what is told: {told}")
            told = by_command.communicate(timeout=60)[1].decode()
            equal((by_command.returncode, said in told), (code, True), f"`trivet reload`: {told}")
        running.file.write_text(good)
        eventually(lambda: len(running.descriptors()) == before, "as many descriptors as before", 10)
        expect("has taken over" in running.log_text() and "back from another image" in running.log_text(), "images")


@suite.test("counts that the image before wrote as this one does not understand start from zero, with a line in the log", timeout=60)
def _(t):
    other = t.build.folder / "test-support" / "other_version"
    if not other.exists():
        skip(f"{other} was not built")
    with hosts.temporary_folder() as folder:
        build = with_program(t.build, folder)
        with site.running(build, CONFIG, processes=2) as running:
            ask(running, 5)
            # Their workers are gone: what is known of them is known to the supervisor alone.
            running.mark_log()
            running.send_signal(signal.SIGHUP)
            eventually(lambda: "reloaded generation=2" in running.log_since_mark(), "a reload", 20)
            eventually(lambda: len(status(t, running)["workers"]) == 2, "the end of the old workers", 20)
            expect_counted(t, running, 5, "before the upgrades")
            shutil.copy(build.binary, f"{build.binary}.real")
            replace(build.binary, other)
            upgrade(running)
            equal(running.log_since_mark().count("counts and uptime start from zero"), 1, "lines that tell of it")
            expect_counted(t, running, 0, "after an upgrade that did not understand them")
            ask(running, 3)
            upgrade(running)
            expect_counted(t, running, 3, "after one that did")
            expect("of another version" not in running.log_since_mark(), running.log_since_mark())
