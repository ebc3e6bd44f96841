"""`trivet conform`: Trivet passes every case, and the cases tell right from wrong.

The second half is put to tests/conform/model_host.py: right as it is, wrong in one way with each of its defects.
"""

import contextlib
import concurrent.futures
import pathlib
import re
import subprocess
import sys

from support import host as hosts, site
from support.runner import Suite, equal, expect

suite = Suite("conform")

MODEL = pathlib.Path(__file__).resolve().parents[2] / "conform" / "model_host.py"
ROUTES = ("--responder", "/echo/x", "--authorizer", "/private/x", "--grant", "HTTP_X_API_KEY=open sesame",
          "--filter", "/upper/x")

CONFIG = """
[plugin.echo]
[plugin.upper]
[plugin.key]
file = "keygate.so"
config = { key = "open sesame" }

[limits]
header_time = "2s"

[[route]]
path = "/echo/**"
respond = "echo"
[[route]]
path = "/private/**"
authorize = ["key"]
variables = ["REMOTE_USER"]
respond = "echo"
[[route]]
path = "/upper/**"
filter = ["upper"]
"""


def conform(build, address, *more):
    return hosts.run_trivet(build, "conform", address, *ROUTES, *more, timeout=300)


def lines_of(done, word):
    return re.findall(rf"^{word} (\w\d\d)", done.stdout.decode(), re.M)


def _passes_all(t, of):
    with site.running(t.build, CONFIG) as running:
        # A sanitizer keeps what was freed: how much memory the host has in use says nothing then.
        memory = ("--no-memory",) if t.build.sanitizer else ("--pid", running.pid)
        patience = f"{int(3 * t.build.slowness)}s"
        done = conform(t.build, of(running), "--idle-timeout", "2s", "--timeout", patience, *memory)
        equal(lines_of(done, "FAIL"), [], f"failed cases, of\n{done.stdout.decode()}{done.stderr.decode()}")
        equal((len(lines_of(done, "pass")), done.returncode), (93, 0), "cases that passed, and the exit code")


@suite.test("Trivet passes all 93 cases over a unix socket")
def _(t):
    _passes_all(t, lambda running: running.unix)


@suite.test("Trivet passes all 93 cases over TCP")
def _(t):
    _passes_all(t, lambda running: running.tcp)


@contextlib.contextmanager
def _model(folder, defect=""):
    path = folder / f"{defect or 'right'}.sock"
    with subprocess.Popen([sys.executable, str(MODEL), f"unix:{path}", *([defect] if defect else [])],
                          stdout=subprocess.PIPE) as process:
        try:
            equal(process.stdout.readline(), b"ready\n", "what the model host says")
            yield f"unix:{path}"
        finally:
            process.kill()


@suite.test("another application that does everything right passes all 93 cases")
def _(t):
    with hosts.temporary_folder() as folder, _model(folder) as address:
        done = conform(t.build, address, "--idle-timeout", "2s")
        equal(lines_of(done, "FAIL"), [], f"failed cases, of\n{done.stdout.decode()}")
        equal((len(lines_of(done, "pass")), done.returncode), (93, 0), "cases that passed, and the exit code")


@suite.test("each seeded defect of the model host is caught by the case that is meant for it")
def _(t):
    listed = subprocess.run([sys.executable, str(MODEL), "--list"], capture_output=True, check=True, text=True)
    defects = [line.split() for line in listed.stdout.splitlines()]
    expect(len(defects) >= 60, f"only {len(defects)} defects")
    patience = f"{int(700 * t.build.slowness)}ms"
    with hosts.temporary_folder() as folder:
        def caught(case, defect):
            with _model(folder, defect) as address:
                done = conform(t.build, address, "--only", case, "--idle-timeout", "1500ms", "--timeout", patience)
            good = lines_of(done, "FAIL") == [case] and done.returncode == 1
            return None if good else (case, defect, done.returncode, done.stdout.decode()[:300], done.stderr.decode()[:300])
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            missed = [each for each in pool.map(lambda pair: caught(*pair), defects) if each]
    equal(missed, [], "defects that were not caught")


@suite.test("conform says what it cannot reach, what it does not know, and skips what the application has not")
def _(t):
    with hosts.temporary_folder() as folder:
        done = hosts.run_trivet(t.build, "conform", f"unix:{folder}/none.sock")
        equal(done.returncode, 69, f"exit code without anybody there: {done.stderr!r}")
        with _model(folder) as address:
            done = hosts.run_trivet(t.build, "conform", address, "--only", "X99")
            expect(done.returncode == 64 and b'"X99"' in done.stderr, f"{done.returncode} {done.stderr!r}")
            done = hosts.run_trivet(t.build, "conform", address, "--responder", "/echo/", "--only", "A01", "--only", "F01",
                                    "--only", "G01", "--only", "R14")
            equal((lines_of(done, "skip"), lines_of(done, "pass"), done.returncode), (["R14", "A01", "F01"], ["G01"], 0),
                  "cases that were skipped, that passed, the exit code")
        done = hosts.run_trivet(t.build, "conform", "--list")
        equal((len(re.findall(rb"^\w\d\d ", done.stdout, re.M)), done.returncode), (93, 0), "cases in the list")
