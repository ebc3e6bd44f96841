"""What a host finds when it starts, and what happens to its logs while it runs: named, refused, or counted."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from support import faulty, host as hosts, site
from support.fcgi import cgi
from support.load import load
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("surroundings")

HELLO = """
[plugin.hello]
[[route]]
path = "/**"
respond = "hello"
"""


def _logged(folder, access="stderr"):
    return faulty.CONFIG + f'[log]\ntarget = "file:{folder}/log"\naccess = "{access}"\n'


def _small_disk(folder):
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode != 0:
        skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")


@suite.test("S15: a log on a disk that fills up, and is emptied again, costs lines and no request")
def _(t):
    if os.getuid() != 0:
        skip("only root can mount a small file system")
    with hosts.temporary_folder() as folder:
        disk = folder / "disk"
        _small_disk(disk)
        try:
            with faulty.running(t, config=_logged(disk, f"file:{disk}/access")) as host:
                with load(t.build, host.unix, once=2, kept=2, rate=2000) as busy:
                    eventually(lambda: os.statvfs(disk).f_bavail == 0, "a full disk", 10)
                    faulty.expect_served(host)
                    size = (disk / "access").stat().st_size
                    os.truncate(disk / "access", 0)
                    eventually(lambda: (disk / "access").stat().st_size > 0, "lines again", 5)
                    busy.stop().expect_nothing_lost()
                expect(size > 10000, f"{size} bytes were logged before the disk was full")
                os.truncate(disk / "access", 0)
                equal(host.end(), 0, "exit code")
                told = (disk / "log").read_text() + host.log_text()
                expect("log_lines_lost=" in told and "log_lines_lost=0\n" not in told.rpartition("log_lines_lost")[2],
                       f"the lines that were lost are not counted: {told[-500:]}")
        finally:
            subprocess.run(["umount", str(disk)], check=True)


@suite.test("S15: a log file that is deleted, and one whose folder is, costs no request; SIGHUP makes it anew")
def _(t):
    with hosts.temporary_folder() as folder:
        (folder / "logs").mkdir()
        with faulty.running(t, config=_logged(folder / "logs", f"file:{folder}/logs/access")) as host:
            with load(t.build, host.unix, once=2, kept=2, rate=500) as busy:
                shutil.rmtree(folder / "logs")
                faulty.expect_served(host)
                host.send_signal(signal.SIGHUP)
                time.sleep(0.2)
                faulty.expect_served(host)
                (folder / "logs").mkdir()
                host.send_signal(signal.SIGHUP)
                eventually((folder / "logs" / "log").exists, "the new log", 5)
                eventually((folder / "logs" / "access").exists, "the new access log", 5)
                eventually(lambda: "route=good" in (folder / "logs" / "access").read_text(), "lines in it", 5)
                busy.stop().expect_nothing_lost()


@suite.test("S15: a log on a pipe whose reader is gone, or reads no more, costs no request")
def _(t):
    for closes in (True, False):
        with hosts.temporary_folder() as folder:
            host = hosts.Host(t.build, folder, faulty.CONFIG + '[log]\naccess = "stderr"\n', processes=2)
            host.write()
            reader, writer = os.pipe()
            process = subprocess.Popen(host.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer,
                                       start_new_session=True, env=dict(os.environ, **hosts.SANITIZED))
            os.close(writer)
            try:
                told = b""
                while b"ready" not in told:
                    more = os.read(reader, 65536)
                    expect(more, f"it ended: {told}")
                    told += more
                if closes:
                    os.close(reader)
                with load(t.build, host.unix, once=2, kept=2, rate=2000) as busy:
                    time.sleep(1.0)
                    total = busy.stop()
                total.expect_nothing_lost()
                equal(process.poll(), None, "the host's exit code")
                equal(len(faulty.children(process.pid)), 2, "workers")
            finally:
                process.send_signal(signal.SIGTERM)
                if not closes:
                    os.set_blocking(reader, True)
                    while os.read(reader, 65536):
                        pass
                    os.close(reader)
                code = process.wait(15 * t.build.slowness)
            equal(code, 0, f"exit code, reader gone: {closes}")


def _refused(t, host, named):
    done = hosts.run_trivet(t.build, "serve", "-c", host.file, timeout=20)
    expect(done.returncode in (1, 78), f"exit code {done.returncode}: {done.stderr!r}")
    expect(str(named).encode() in done.stderr, f"its message does not name {named}: {done.stderr!r}")
    expect(b"ready" not in done.stderr, "it said that it is ready")


@suite.test("S17: a socket's path of 108 bytes, in no folder, or at a link to somebody's file is refused and named")
def _(t):
    with hosts.temporary_folder() as folder:
        precious = folder / "precious"
        precious.write_text("precious")
        link = folder / "link.sock"
        link.symlink_to(precious)
        long = folder / ("x" * (107 - len(str(folder))))
        for path, named in ((long, "108 bytes"), (folder / "none" / "a.sock", folder / "none"), (link, link)):
            host = hosts.Host(t.build, folder, HELLO, processes=2)
            host.socket_path, host.unix = path, f"unix:{path}"
            host.write()
            _refused(t, host, named)
        equal(precious.read_text(), "precious", "the file behind the link")
        equal(len(str(long)), 108, "bytes of the long path")
        longest = pathlib.Path(str(long)[:107])
        host = hosts.Host(t.build, folder, HELLO, processes=2)
        host.socket_path, host.unix = longest, f"unix:{longest}"
        host.start()
        host.expect_well()
        host.stop()


@suite.test("S17: a socket in a folder that the host may not write is refused and named")
def _(t):
    if os.getuid() != 0:
        skip("only root can become somebody who may not")
    with hosts.temporary_folder() as folder:
        host = hosts.Host(t.build, folder, HELLO, processes=2)
        (folder / "mine").mkdir(mode=0o755)
        host.socket_path = folder / "mine" / "a.sock"
        host.unix = f"unix:{host.socket_path}"
        host.write()
        for each in ("run", "cache", "spool"):
            os.chmod(folder / each, 0o777)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *host.command()],
                              capture_output=True, timeout=20, check=False)
        expect(done.returncode in (1, 78), f"exit code {done.returncode}")
        expect(str(host.socket_path).encode() in done.stderr and b"ermission" in done.stderr, done.stderr)


@suite.test("S18: of two hosts with workers that start at once on one socket, one serves and the other says why not")
def _(t):
    with hosts.temporary_folder() as folder:
        both = [hosts.Host(t.build, folder, HELLO, processes=2, name=name) for name in ("first", "second")]
        for each in both:
            each.socket_path, each.unix = folder / "one.sock", f"unix:{folder}/one.sock"
            each.write()
        running = [subprocess.Popen(each.command(), stdin=subprocess.DEVNULL, stderr=open(each.log, "wb"),  # pylint: disable=consider-using-with
                                    env=dict(os.environ, **hosts.SANITIZED), start_new_session=True) for each in both]
        try:
            eventually(lambda: any(each.poll() is not None for each in running), "the end of one", 20)
            eventually(lambda: any("ready" in each.log_text() for each in both), "one that is ready", 20)
            ended = [number for number, each in enumerate(running) if each.poll() is not None]
            equal(len(ended), 1, "hosts that ended")
            loser = ended[0]
            equal(running[loser].returncode, 1, "its exit code")
            expect("one.sock" in both[loser].log_text(), both[loser].log_text())
            equal(both[1 - loser].get("/").status, 200, "an answer of the other")
        finally:
            for each in running:
                if each.poll() is None:
                    each.terminate()
            codes = [each.wait(15 * t.build.slowness) for each in running]
        equal(sorted(codes), [0, 1], "exit codes")


@suite.test("S19: a supervisor whose standard streams are closed starts, serves with workers, and ends")
def _(t):
    for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        with hosts.temporary_folder() as folder:
            host = hosts.Host(t.build, folder, faulty.CONFIG + f'[log]\ntarget = "file:{folder}/log"\n', processes=2)
            host.write()
            process = subprocess.Popen(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *host.command()], start_new_session=True, stderr=subprocess.DEVNULL,
                                       env=dict(os.environ, **hosts.SANITIZED))
            try:
                eventually(host.socket_path.exists, "the socket", 20)
                faulty.expect_served(host, 5)
                equal(len(faulty.children(process.pid)), 2, f"workers with {closed}")
            finally:
                process.terminate()
                code = process.wait(15 * t.build.slowness)
            equal(code, 0, f"exit code with {closed}")


@suite.test("S22: no variable of the host's environment, and no Proxy header, is seen by a request")
def _(t):
    with hosts.temporary_folder() as folder:
        host = hosts.Host(t.build, folder, site.CONFIG, processes=2)
        host.start(wrapper=["/usr/bin/env", "SECRET_OF_THE_HOST=1", "REMOTE_USER=root", "HTTP_PROXY=evil", "AUTH_TYPE=Basic"])
        seen = site.variables(host.exchange(cgi("/echo/a", HTTP_PROXY="http://evil", HTTP_ACCEPT="*/*")).body)
        equal(seen.get("HTTP_ACCEPT"), "*/*", "a header")
        for name in ("SECRET_OF_THE_HOST", "REMOTE_USER", "HTTP_PROXY", "AUTH_TYPE", "PATH"):
            expect(name not in seen or not seen[name], f"{name}={seen.get(name)}")
        host.stop()


def _plugin_files(t, folder):
    """What is no plugin, or one that others could replace: each under a name of its own."""
    good = t.build.plugin("hello").read_bytes()
    made = {name: folder / f"{name}.so" for name in ("empty", "text", "half", "machine", "fifo", "directory", "writable", "link")}
    made["empty"].write_bytes(b"")
    made["text"].write_text("this is no plugin")
    made["half"].write_bytes(good[:len(good) // 2])
    made["machine"].write_bytes(good[:18] + b"\xb7" + good[19:])
    os.mkfifo(made["fifo"])
    made["directory"].mkdir()
    made["writable"].write_bytes(good)
    made["writable"].chmod(0o666)
    open_folder = folder / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    (open_folder / "hello.so").write_bytes(good)
    made["link"].symlink_to(open_folder / "hello.so")
    made["missing"] = folder / "missing.so"
    made["in an open folder"] = open_folder / "hello.so"
    return made


@suite.test("S23: a plugin that is empty, text, half, for another machine, no file, or that others may write is refused and named")
def _(t):
    with hosts.temporary_folder() as folder:
        for name, path in _plugin_files(t, folder).items():
            config = f'[plugin.p]\nfile = "{path}"\n[[route]]\npath = "/**"\nrespond = "p"\n'
            for processes in (0, 2):
                host = hosts.Host(t.build, folder, config, processes=processes)
                host.write()
                done = hosts.run_trivet(t.build, "serve", "-c", host.file, timeout=20)
                expect(done.returncode in (1, 78), f"exit code {done.returncode} for {name}: {done.stderr!r}")
                expect(str(path).encode() in done.stderr and b'plugin "p"' in done.stderr, f"{name}: {done.stderr!r}")
                equal(list((folder / "cache").iterdir()), [], f"what is left in plugin_cache after {name}")
