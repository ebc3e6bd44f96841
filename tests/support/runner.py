"""A small test runner: suites of functions named by a sentence, fixtures shared by a suite, loud skips.

    suite = Suite("nginx")

    @suite.fixture
    def site(t):                    # started when the first test uses it, ended after the suite's last test
        with nginx_site(t.build) as running:
            yield running

    @suite.test("nginx passes a GET to echo and its answer to the client")
    def _(t):
        web = t.use(site)

A fixture that fails while it ends is a failed test of its own: that is where a host that leaked, raced or did not exit
with 0 is caught.
"""

import argparse
import concurrent.futures
import contextlib
import importlib.util
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Things that can show what they logged, newest last: hosts and web servers put themselves here while they live.
living = []


class Failure(AssertionError):
    """What a test says when the thing under test is wrong."""


class Skip(Exception):
    """This machine cannot run the test. The reason is printed, and with --no-skip it is a failure."""


class TimeOut(BaseException):
    """Not an Exception, so that no test swallows it."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def equal(actual, wanted, what="value"):
    if actual != wanted:
        raise Failure(f"{what}: got {shorten(actual)}, wanted {shorten(wanted)}")


def one_of(actual, wanted, what="value"):
    if actual not in wanted:
        raise Failure(f"{what}: got {shorten(actual)}, wanted one of {wanted}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:300]}... ({len(value)} long)"


def skip(reason):
    raise Skip(reason)


def eventually(check, what, seconds=5.0):
    """Waits until check() is true; for effects that have no event a test could wait for."""
    deadline = time.monotonic() + seconds * Build.current.slowness
    while not check():
        if time.monotonic() > deadline:
            raise Failure(f"{what}: not within {seconds * Build.current.slowness:g} s")
        time.sleep(0.02)


class Build:
    """A build folder: where the host, its plugins and the test plugins are, and how patient to be with it."""

    current = None

    def __init__(self, folder, is_long=False):
        self.folder = pathlib.Path(folder).resolve()
        self.is_long = is_long  # whether tests that have a longer form run it
        self.binary = self.folder / "bin" / "trivet"
        self.plugins = self.folder / "plugins"
        self.test_plugins = self.folder / "test-plugins"
        cache = self.folder / "CMakeCache.txt"
        self.sanitizer = ""
        if cache.exists():
            for line in cache.read_text(errors="replace").splitlines():
                if line.startswith("TRIVET_SANITIZE:"):
                    self.sanitizer = line.partition("=")[2]
        self.slowness = 8.0 if "thread" in self.sanitizer else 4.0 if self.sanitizer else 1.0
        Build.current = self

    def plugin(self, name):
        """The path of a plugin, or a loud skip: a plugin that was not built cannot be tested."""
        for folder in (self.plugins, self.test_plugins):
            if (folder / f"{name}.so").exists():
                return folder / f"{name}.so"
        skip(f"plugin {name}.so is not in {self.folder}")


class Context:
    """What a test gets: the build and the suite's fixtures."""

    def __init__(self, suite, build):
        self.suite = suite
        self.build = build

    def use(self, fixture):
        return self.suite.use(fixture, self)


class Suite:
    every = []

    def __init__(self, name):
        self.name = name
        self.tests = []
        self.of_release = set()
        self._running = {}
        self._factories = set()
        Suite.every.append(self)

    def fixture(self, function):
        self._factories.add(function)
        return function

    def test(self, name, timeout=60, sanitized=True):
        """`sanitized=False`: of a build with sanitizers it could say nothing, so it is no test of one."""
        def register(function):
            self.tests.append((name, function, timeout))
            if not sanitized:
                self.of_release.add(name)
            return function

        return register

    def use(self, fixture, context):
        if fixture not in self._running:
            stack = contextlib.ExitStack()
            value = stack.enter_context(contextlib.contextmanager(fixture)(context))
            self._running[fixture] = (stack, value)
        return self._running[fixture][1]

    def end_fixtures(self):
        """Ends what the suite's tests shared, the last started first; yields (name, error or None)."""
        for fixture in reversed(list(self._running)):
            stack, _ = self._running.pop(fixture)
            try:
                stack.close()
                yield fixture.__name__, None
            except (Exception, TimeOut) as error:  # pylint: disable=broad-except
                yield fixture.__name__, error


def load(paths):
    """Imports test files by path, so that equal names in different folders do not meet."""
    for path in paths:
        name = "_".join(path.relative_to(ROOT).with_suffix("").parts)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)


def _on_alarm(_signal, _frame):
    raise TimeOut("the test took too long")


def _guarded(seconds, function):
    """None, or the exception of `function`, which gets `seconds`."""
    signal.signal(signal.SIGALRM, _on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        function()
        return None
    except (Exception, TimeOut) as error:  # pylint: disable=broad-except
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


class Report:
    def __init__(self, options):
        self.options = options
        self.passed = self.failed = self.skipped = 0

    def line(self, word, name, seconds, detail=""):
        print(f"{word:4} {name} ({seconds:.2f} s){detail}", flush=True)

    def take(self, name, code, text):
        """The output of a suite that ran in a process of its own; one that did not come to its last line has failed."""
        *lines, last = text.rstrip("\n").split("\n")
        sums = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", last)
        if sums is None:
            self.failed += 1
            print(text, f"FAIL {name}: its process ended with {code}", sep="", flush=True)
            return
        print(*lines, sep="\n", flush=True)
        self.passed += int(sums[1])
        self.failed += int(sums[2])
        self.skipped += int(sums[3])

    def tell(self, name, seconds, error):
        if error is None:
            self.passed += 1
            self.line("ok", name, seconds)
        elif isinstance(error, Skip) and not self.options.no_skip:
            self.skipped += 1
            self.line("SKIP", name, seconds, f": {error}")
        else:
            self.failed += 1
            self.line("FAIL", name, seconds, f": {type(error).__name__}: {error}")
            if not isinstance(error, (Failure, Skip)):
                traceback.print_exception(error, file=sys.stdout)
            else:
                for frame in traceback.extract_tb(error.__traceback__):
                    if "/tests/interop/" in frame.filename or "/tests/faults/" in frame.filename:
                        print(f"     at {os.path.relpath(frame.filename, ROOT)}:{frame.lineno}: {frame.line}")
            for each in living:
                tail = each.log_since_mark()
                if tail:
                    print(f"     --- {each.name} logged:")
                    for text in tail.splitlines()[-self.options.log_lines:]:
                        print(f"     | {text}")
            sys.stdout.flush()


def main(files, arguments=None):
    """Runs the suites of `files`; the exit code is 0 only when nothing failed and something ran."""
    parser = argparse.ArgumentParser(description="Drives a running trivet from outside.")
    parser.add_argument("--build", default=os.environ.get("TRIVET_BUILD", str(ROOT / "build" / "release")),
                        help="build folder to test (default: $TRIVET_BUILD, or build/release)")
    parser.add_argument("--only", action="append", default=[], metavar="SUBSTRING",
                        help="run tests whose suite and name contain this; may be repeated")
    parser.add_argument("--suite", metavar="NAME", help="run this suite and no other")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="run N suites at a time, each in a process")
    parser.add_argument("--no-skip", action="store_true", help="a test that cannot run here counts as failed")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--long", action="store_true", help="tests that have a longer form run it: tests/faults/all.sh")
    parser.add_argument("--log-lines", type=int, default=30, help="lines of each log shown for a failure")
    options = parser.parse_args(arguments)
    build = Build(options.build, options.long)
    load(files)
    wanted = []
    for suite in Suite.every:
        tests = [test for test in suite.tests
                 if options.suite in (None, suite.name)
                 and (not options.only or any(part in f"{suite.name}: {test[0]}" for part in options.only))
                 and not (build.sanitizer and test[0] in suite.of_release)]
        if tests:
            wanted.append((suite, tests))
    if options.list:
        for suite, tests in wanted:
            for test in tests:
                print(f"{suite.name}: {test[0]}")
        return 0
    if not os.access(build.binary, os.X_OK):
        print(f"there is no {build.binary}: build it first (cmake --preset release && cmake --build --preset release)")
        return 1
    report = Report(options)
    # Whoever ends this run ends its suites, and they what they started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    try:
        if options.jobs > 1 and options.suite is None:
            run_apart(wanted, options, report)
        else:
            for suite, tests in wanted:
                run_suite(suite, tests, build, report)
    finally:
        for each in list(living):  # what a failed test left behind
            each.kill()
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    return 1 if report.failed or not report.passed else 0


def run_apart(wanted, options, report):
    """Runs each suite in a process of its own, `options.jobs` at a time, and prints what it printed when it has ended.
    What may take longest begins first."""
    command = [sys.executable, sys.argv[0], "--build", options.build, "--log-lines", str(options.log_lines)]
    command += ["--no-skip"] * options.no_skip + ["--long"] * options.long
    command += [word for part in options.only for word in ("--only", part)]
    running = set()

    def run(name):
        with subprocess.Popen([*command, "--suite", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace") as process:
            running.add(process)
            text = process.communicate()[0]
            running.discard(process)
        return name, process.returncode, text

    may_take = {}
    for suite, tests in wanted:
        may_take[suite.name] = may_take.get(suite.name, 0) + sum(test[2] for test in tests)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        ended = [pool.submit(run, name) for name in sorted(may_take, key=may_take.get, reverse=True)]
        try:
            for future in concurrent.futures.as_completed(ended):
                report.take(*future.result())
        finally:
            for each in ended:
                each.cancel()
            for process in list(running):
                process.terminate()


def run_suite(suite, tests, build, report):
    context = Context(suite, build)
    for name, function, timeout in tests:
        for each in living:
            each.mark_log()
        begun = time.monotonic()
        error = _guarded(timeout * build.slowness * (5 if build.is_long else 1), lambda run=function: run(context))
        report.tell(f"{suite.name}: {name}", time.monotonic() - begun, error)
    begun = time.monotonic()
    for fixture, error in _end(suite, build):
        what = f"{suite.name}: what {fixture} started ends cleanly"
        report.tell(what, time.monotonic() - begun, error)
        begun = time.monotonic()


def _end(suite, build):
    results = []
    stuck = _guarded(120 * build.slowness, lambda: results.extend(suite.end_fixtures()))
    if stuck is not None:
        results.append(("a fixture", stuck))
    return results
