"""The command line when nobody reads what it says: its exit code is then all that tells."""

import os
import subprocess

from support.runner import Suite, equal, expect

suite = Suite("command line")

# What is asked, and the exit code wherever the messages go. Help and version are what was asked for: where they cannot
# be written, that failed.
CASES = (
    (["check", "-c", "/nowhere/trivet.toml"], 78),
    (["check", "--formt"], 64),
    (["serve", "--listen", "nowhere"], 64),
    (["serve", "-c", "/nowhere/trivet.toml"], 78),
    (["call", "unix:/nowhere/trivet.sock"], 69),
    (["chekc"], 64),
    ([], 64),
)
TEXTS = (["--help"], ["--version"], ["serve", "--help"], ["check", "--help"], ["call", "--help"])


def run(t, words, **streams):
    return subprocess.run([t.build.binary, *words], stdin=subprocess.DEVNULL, timeout=20 * t.build.slowness, check=False,
                          **streams)


def nobody():
    """A pipe whose reader is gone."""
    reads, writes = os.pipe()
    os.close(reads)
    return writes


@suite.test("the exit code is the same whether what is said is read, the disk is full, or the reader is gone")
def _(t):
    for words, code in CASES:
        told = run(t, words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal((told.returncode, told.stdout), (code, b""), f"{words}: exit code and standard output")
        expect(told.stderr.startswith((b"trivet: ", words[-1].encode() if words else b"?")), f"{words}: {told.stderr!r}")
        for where in (os.open("/dev/full", os.O_WRONLY), nobody()):
            equal(run(t, words, stdout=where, stderr=where).returncode, code, f"{words}: exit code, unread")
            os.close(where)


@suite.test("help and version exit 0 when they were written, 1 with the reason when they could not be")
def _(t):
    for words in TEXTS:
        told = run(t, words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        equal((told.returncode, told.stderr), (0, b""), f"{words}: exit code and standard error")
        expect(b"trivet" in told.stdout.lower(), f"{words}: {told.stdout!r}")
        for where, why in ((os.open("/dev/full", os.O_WRONLY), b"No space left on device"), (nobody(), b"Broken pipe")):
            failed = run(t, words, stdout=where, stderr=subprocess.PIPE)
            equal(failed.returncode, 1, f"{words}: exit code, unread")
            expect(why in failed.stderr, f"{words}: {failed.stderr!r}")
            os.close(where)
