"""SIGUSR2: another image of the program takes the place of the one that runs, and nobody notices."""

import copy
import os
import shutil
import signal

from support import fcgi, host as hosts, load as loads, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect

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
path = "/**"
respond = "perish"
"""


def with_program(build, folder):
    """The build with a copy of its program, which a test may replace, as a package does."""
    own = copy.copy(build)
    own.binary = folder / "trivet"
    shutil.copy(build.binary, own.binary)
    return own


def replace(program, by):
    """As packages do: another file under the same name."""
    new = program.with_suffix(".new")
    if isinstance(by, str):
        new.write_text(by)
    else:
        shutil.copy(by, new)
    os.chmod(new, 0o755)
    os.replace(new, program)


def upgrade(t, running, wanted):
    running.mark_log()
    running.send_signal(signal.SIGUSR2)
    eventually(lambda: wanted in running.log_since_mark(), f"a line with {wanted!r}", 20 * t.build.slowness)


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
                upgrade(t, running, f"reloaded generation={number + 2}")
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
                upgrade(t, running, "no upgrade")
                expect(reason in running.log_since_mark(), f"{reason!r} is not in {running.log_since_mark()}")
                equal(pid_of(link), worker, "who answers")
            build.binary.unlink()
            upgrade(t, running, "No such file")
            replace(build.binary, t.build.binary)
            upgrade(t, running, "reloaded generation=2")
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
            upgrade(t, running, "back from another image")
            expect("this image of the program cannot serve" in running.log_since_mark(), running.log_since_mark())
            worker = pid_of(link)
            equal(pid_of(link), worker, "who answers")
            eventually(lambda: len(running.descriptors()) == before, "as many descriptors as before", 10)
            running.file.write_text(good)
            upgrade(t, running, "reloaded generation=")
            expect(pid_of(link) != worker, "the old worker still answers")
