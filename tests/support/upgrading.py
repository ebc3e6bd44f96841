"""Another image of the program in the place of the one that runs: what a package does, and what is asked for then."""

import copy
import os
import shutil
import signal

from support.runner import eventually


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


def upgrade(running, wanted="reloaded generation="):
    """By SIGUSR2; returns when the log says what is wanted."""
    running.mark_log()
    running.send_signal(signal.SIGUSR2)
    eventually(lambda: wanted in running.log_since_mark(), f"a line with {wanted!r}", 20 * running.build.slowness)
