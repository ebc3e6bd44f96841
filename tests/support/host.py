"""Starting `trivet serve` with a configuration of its own in a temporary folder, and ending it."""

import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from support import fcgi, runner

# A report of any of these in the log fails the test that started the host, whatever its answers were.
REPORTS = re.compile(r"(ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:|"
                     r"SUMMARY: \w+Sanitizer|Assertion .* failed|terminate called|stack smashing)")
SANITIZED = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "exitcode=66:second_deadlock_stack=1",
}


_claims = []


def free_port():
    """A port that nobody has: below those of outgoing connections, and claimed by a name, as long as this process lives,
    against other runs of tests that look for one at the same time."""
    while True:
        port = random.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0trivet-test-port-{port}")
            with contextlib.closing(socket.socket()) as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


@contextlib.contextmanager
def temporary_folder(prefix="trivet-test-"):
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    os.chmod(folder, 0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Process:
    """A server process that writes its log to a file; ends by pid, never by name."""

    def __init__(self, name, log):
        self.name = name
        self.log = pathlib.Path(log)
        self.process = None
        self._mark = 0

    def start(self, command, environment=None, prepare=None, standard_input=subprocess.DEVNULL, cwd=None):
        with open(self.log, "ab") as out:
            # The process becomes the leader of its own group, so that a Ctrl-C at the tests does not reach it.
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                command, stdin=standard_input, stdout=out, stderr=out, cwd=cwd, env=environment, preexec_fn=prepare,
                start_new_session=True)
        runner.living.append(self)

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def mark_log(self):
        self._mark = self.log.stat().st_size if self.log.exists() else 0

    def log_since_mark(self):
        if not self.log.exists():
            return ""
        with open(self.log, errors="replace") as file:
            file.seek(self._mark)
            return file.read()

    def send_signal(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, within=15.0):
        """Sends the signal and waits; the exit code, or a failure when it has to be killed."""
        if self in runner.living:
            runner.living.remove(self)
        if self.process is None:
            return None
        if self.running:
            self.process.send_signal(number)
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            self.process.wait()
            raise runner.Failure(f"{self.name} did not end within {within:g} s of signal {int(number)}:\n"
                                 f"{tail(self.log_text())}") from late

    def kill(self):
        """At once, for what nobody waits for any more."""
        if self in runner.living:
            runner.living.remove(self)
        if self.running:
            self.process.kill()
            self.process.wait()

    # -- what the kernel knows about it --

    def status_bytes(self, field):
        """A `kB` field of /proc/PID/status, e.g. VmHWM."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise KeyError(field)

    def proportional_bytes(self):
        """PSS: memory that is this process's alone plus its share of what is shared."""
        for line in pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise KeyError("Pss")

    def descriptors(self):
        """What each open descriptor is, e.g. `socket:[1234]`."""
        found = []
        for each in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found.append(os.readlink(each))
        return found

    def sockets(self):
        return sum(1 for each in self.descriptors() if each.startswith("socket:"))

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tail(text, lines=30):
    return "\n".join(text.splitlines()[-lines:])


class Host(Process):
    """`trivet serve` on a unix socket and a TCP port.

    `config` is everything but [server] and [[listen]]; `server` and `listen` add keys to those. Plugin files are found
    in the build's plugins and test-plugins.
    """

    def __init__(self, build, folder, config, server="", listen="", name="trivet", processes=0):
        super().__init__(name, folder / f"{name}.log")
        self.build = build
        self.folder = folder
        self.port = free_port()
        self.socket_path = folder / f"{name}.sock"
        self.unix = f"unix:{self.socket_path}"
        self.tcp = f"tcp:127.0.0.1:{self.port}"
        self.file = folder / f"{name}.toml"
        self.config = config
        self.server = server
        self.processes = processes
        self.listen = listen
        self.expected_exit = 0
        self.idle_sockets = 0

    def write(self):
        for each in ("run", "cache", "spool"):
            (self.folder / each).mkdir(exist_ok=True)
        limits = f'[limits]\nspool_dir = "{self.folder}/spool"\n'
        config = self.config
        config = config.replace("[limits]\n", limits, 1) if "[limits]\n" in config else limits + config
        self.file.write_text(f"""\
[server]
processes = {self.processes}
runtime_dir = "{self.folder}/run"
plugin_cache = "{self.folder}/cache"
plugin_path = ["{self.build.plugins}", "{self.build.test_plugins}"]
{self.server}

[[listen]]
name = "unix"
address = "{self.unix}"
{self.listen}

[[listen]]
name = "tcp"
address = "{self.tcp}"
{self.listen}

{config}
""")

    def command(self):
        return [str(self.build.binary), "serve", "-c", str(self.file)]

    def start(self, within=20.0, prepare=None, wrapper=(), **_):  # pylint: disable=arguments-differ
        """Returns when the host said that it is ready."""
        self.write()
        environment = dict(os.environ)
        for name, value in SANITIZED.items():
            environment.setdefault(name, value)
        super().start([*wrapper, *self.command()], environment, prepare, cwd=str(self.folder))
        deadline = time.monotonic() + within * self.build.slowness
        while not re.search(r"\bready\b", self.log_text()):
            if not self.running:
                code = self.process.returncode
                self.end()
                raise runner.Failure(f"the host ended with {code} while it started:\n{tail(self.log_text())}")
            if time.monotonic() > deadline:
                with contextlib.suppress(runner.Failure):
                    self.end(signal.SIGKILL)
                raise runner.Failure(f"the host was not ready in time:\n{tail(self.log_text())}")
            time.sleep(0.01)
        self.idle_sockets = self.sockets()
        return self

    def connections(self):
        """How many connections it holds: its sockets beyond those it has when idle."""
        return self.sockets() - self.idle_sockets

    def stop(self, number=signal.SIGTERM, within=12.0):
        """A graceful end: exit code 0, nothing told by a sanitizer, the socket file gone."""
        code = self.end(number, within * self.build.slowness)
        report = REPORTS.search(self.log_text())
        if report:
            at = self.log_text()[report.start():]
            raise runner.Failure("a sanitizer or assertion spoke:\n" + "\n".join(at.splitlines()[:60]))
        if code != self.expected_exit:
            raise runner.Failure(f"the host ended with {code}, wanted {self.expected_exit}:\n{tail(self.log_text())}")
        if self.socket_path.exists():
            raise runner.Failure(f"the host left its socket file {self.socket_path} behind")

    def exchange(self, params, body=b"", **more):
        more.setdefault("timeout", 10.0 * self.build.slowness)
        return fcgi.exchange(self.unix, params, body, **more)

    def get(self, uri, **more):
        return self.exchange(fcgi.cgi(uri, **more))

    def connect(self, address=None, timeout=10.0):
        return fcgi.Connection(address or self.unix, timeout * self.build.slowness)

    def expect_well(self, uri="/hello"):
        """A good request on a new connection is answered: the host survived whatever went before."""
        runner.expect(self.running, f"the host died: {tail(self.log_text())}")
        answer = self.get(uri)
        runner.equal(answer.status, 200, "a good request afterwards")
        runner.expect(answer.complete, f"a good request afterwards is not complete: {answer}")


@contextlib.contextmanager
def running_host(build, config, **more):
    """A host for the time of a `with`; its end is checked when nothing else failed before."""
    prepare = more.pop("prepare", None)
    wrapper = more.pop("wrapper", ())
    with temporary_folder() as folder:
        host = Host(build, folder, config, **more)
        host.start(prepare=prepare, wrapper=wrapper)
        try:
            yield host
        except BaseException:
            with contextlib.suppress(runner.Failure):
                host.end(signal.SIGKILL)
            raise
        host.stop()


def run_trivet(build, *arguments, stdin=b"", timeout=60.0, **more):
    """A sub-command to its end: a CompletedProcess with bytes."""
    environment = more.pop("env", None) or dict(os.environ)
    for name, value in SANITIZED.items():
        environment.setdefault(name, value)
    return subprocess.run([str(build.binary), *map(str, arguments)], input=stdin, capture_output=True, check=False,
                          timeout=timeout * build.slowness, env=environment, **more)
