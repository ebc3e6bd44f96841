"""`user` and `group`: what plugins are not to have is given up before the first of them is loaded."""

import contextlib
import grp
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import time

from support import fcgi, host as hosts
from support.fcgi import cgi, request
from support.host import Host, run_trivet, temporary_folder
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("privileges")

USER = "nobody"
OTHER_GROUP = "www-data"
NONE = "0" * 16

CONFIG = """
[plugin.inquire]
threads = 1
[plugin.echo]
threads = 1
[plugin.slow]
threads = 1
[[route]]
name = "echo"
path = "/echo/**"
respond = "echo"
[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"
[[route]]
path = "/**"
respond = "inquire"
"""


def only_root():
    if os.geteuid() != 0:
        skip("only root can start a host that changes its user")


def asked(running, file="/dev/null"):
    """What the plugin found out: the fields of /proc/self/status and its attempts."""
    answer = running.get(f"/inquire?{file}")
    equal(answer.status, 200, "status")
    found = {}
    for line in answer.body.decode().splitlines():
        name, _, value = line.replace(":", "=", 1).partition("=") if "=" not in line else line.partition("=")
        found[name] = value.strip()
    return found


def expect_dropped(found, user=USER, group=None, groups=None):
    ids = pwd.getpwnam(user)
    gid = grp.getgrnam(group).gr_gid if group else ids.pw_gid
    equal(found["Uid"].split(), [str(ids.pw_uid)] * 4, "user ids")
    equal(found["Gid"].split(), [str(gid)] * 4, "group ids")
    equal({int(each) for each in found["Groups"].split()}, set(groups or os.getgrouplist(user, gid)), "groups")
    for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        equal(found[each], NONE, each)
    equal(found["NoNewPrivs"], "1", "no_new_privs")
    expect(found["dumpable"] != "1", f"dumpable={found['dumpable']}")
    for attempt in ("setuid", "ptrace", "kill"):
        equal(found[attempt], "EPERM", attempt)
    for attempt in ("shadow", "memory", "copy", "beside", "cache", "rename"):
        equal(found[attempt], "EACCES", attempt)
    equal(found["chmod"], "EPERM", "chmod")


@contextlib.contextmanager
def running_as(t, user=USER, group=None, processes=1, config=CONFIG, prepare=None):
    only_root()
    more = f'user = "{user}"\n' + (f'group = "{group}"\n' if group else "")
    with temporary_folder() as folder:
        running = Host(t.build, folder, config, server=more, processes=processes)
        running.write()
        os.chown(folder / "spool", int(pwd.getpwnam(user).pw_uid) if not user.isdigit() else int(user), -1)
        if prepare:
            prepare(folder)
        running.start()
        try:
            yield running
        finally:
            running.end(within=15 * t.build.slowness)
            report = hosts.REPORTS.search(running.log_text())
            expect(not report, f"a sanitizer or assertion spoke: {running.log_text()}")


def refused(t, more, config=CONFIG, prepare=None, command=("serve",), processes=1, prelude=None):
    """What is said where the host does not start; its exit code has to be 1."""
    with temporary_folder() as folder:
        wrong = Host(t.build, folder, config, server=more, processes=processes)
        wrong.write()
        if prepare:
            prepare(folder)
        done = run_trivet(t.build, *command, "-c", str(wrong.file), **({"preexec_fn": prelude} if prelude else {}))
        equal(done.returncode, 1, f"exit code: {done.stderr!r} {done.stdout!r}")
        return (done.stderr + done.stdout).decode().replace(str(folder), "FOLDER")


@suite.test("a worker's plugin has the user, its groups, and nothing of root's; nor has the next worker's")
def _(t):
    with running_as(t) as running:
        expect_dropped(asked(running))
        (worker,) = (int(each) for each in pathlib.Path(
            f"/proc/{running.pid}/task/{running.pid}/children").read_text().split())
        os.kill(worker, signal.SIGKILL)
        time.sleep(0.2 * t.build.slowness)
        expect_dropped(asked(running))
        equal(os.stat(f"/proc/{running.pid}").st_uid, 0, "the supervisor's user")


@suite.test("`group` takes the place of the user's own; both may be numbers, also of nobody")
def _(t):
    with running_as(t, group=OTHER_GROUP) as running:
        expect_dropped(asked(running), group=OTHER_GROUP)
    with running_as(t, user="54321", group="54322") as running:
        found = asked(running)
        equal(found["Uid"].split(), ["54321"] * 4, "user ids")
        equal(found["Gid"].split(), ["54322"] * 4, "group ids")
        equal(found["Groups"].split(), ["54322"], "groups")


@suite.test("processes = 0: the one process gives up the same once its sockets are open, before it loads a plugin")
def _(t):
    with running_as(t, processes=0) as running:
        expect_dropped(asked(running))  # Its parent is this test, which is root's too.
        equal(running.end(), 0, "exit code")


@suite.test("the copies of plugin files are for the plugins' group to read, and for root alone to change")
def _(t):
    with running_as(t, group=OTHER_GROUP) as running:
        (generation,) = (each for each in (running.folder / "cache").iterdir() if each.name.startswith("gen-"))
        group = grp.getgrnam(OTHER_GROUP).gr_gid
        about = generation.stat()
        equal((about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)), (0, group, 0o750), "the folder")
        copies = list(generation.glob("*.so"))
        equal(len(copies), 3, "copies")
        for copy in copies:
            about = copy.stat()
            equal((about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)), (0, group, 0o550), str(copy))


@suite.test("folders that are missing are made: the spool for the plugins' user, the copies' for everybody to pass")
def _(t):
    only_root()
    before = os.umask(0o077)
    try:
        with temporary_folder() as folder:
            running = Host(t.build, folder, CONFIG, server=f'user = "{USER}"\n', processes=1)
            running.write()
            for each in ("spool", "cache"):
                (folder / each).rmdir()
            running.write = lambda: None  # It would make the folders.
            running.start()
            user = pwd.getpwnam(USER).pw_uid
            for name, owner, mode in (("spool", user, 0o700), ("cache", 0, 0o711)):
                about = (folder / name).stat()
                equal((about.st_uid, stat.S_IMODE(about.st_mode)), (owner, mode), name)
            expect_dropped(asked(running))
            equal(running.end(), 0, "exit code")
    finally:
        os.umask(before)


@suite.test("a body that has to be read although nobody takes it yet is spooled as the plugins' user")
def _(t):
    config = CONFIG.replace("[plugin.inquire]", '[limits]\nspool_memory = "0B"\nwindow = "4KiB"\n[plugin.inquire]', 1)
    with running_as(t, config=config) as running, running.connect() as link:
        # Two requests on one connection: the first one's plugin sleeps, so the second one's body goes to the spool.
        slow = request(cgi("/slow?ms=700", method="POST", CONTENT_LENGTH="0"), request_id=1, flags=fcgi.KEEP)
        other = request(cgi("/slow?ms=1", method="POST", CONTENT_LENGTH=str(1 << 20)), body=b"x" * (1 << 20), request_id=2,
                        flags=fcgi.KEEP)
        link.send(slow + other)
        answers = {link.response().status for _ in range(2)}
        equal(answers, {200}, "answers")


@suite.test("log files are made for the plugins' user, and opened anew by every process after a rotation")
def _(t):
    with temporary_folder() as logs:
        os.chmod(logs, 0o755)
        config = CONFIG + f'[log]\ntarget = "file:{logs}/log"\naccess = "file:{logs}/access"\n'
        with running_as(t, config=config) as running:
            asked(running)
            user = pwd.getpwnam(USER).pw_uid
            for name in ("log", "access"):
                equal(((logs / name).stat().st_uid, stat.S_IMODE((logs / name).stat().st_mode)), (user, 0o640), name)
                (logs / name).rename(logs / f"{name}.1")
            running.send_signal(signal.SIGHUP)
            eventually(lambda: (logs / "access").exists() and (logs / "log").exists(), "new files", 5)

            def logged():
                asked(running)
                return "/inquire" in (logs / "access").read_text() or "status=200" in (logs / "access").read_text()
            eventually(logged, "a worker's line in the new access log", 10)
            equal((logs / "access").stat().st_uid, user, "owner of the new file")


@suite.test("a log that is a symbolic link is not followed: the plugins' user may have put it there")
def _(t):
    only_root()
    with temporary_folder() as logs:
        victim = logs / "victim"
        victim.write_text("precious\n")
        (logs / "log").symlink_to(victim)
        said = refused(t, f'user = "{USER}"\n', CONFIG + f'[log]\ntarget = "file:{logs}/log"\n')
        expect("with `user` it is no symbolic link" in said, said)
        equal((victim.read_text(), victim.stat().st_uid), ("precious\n", 0), "what it leads to")


@suite.test("what the plugins' user could not do is told before anything serves")
def _(t):
    only_root()
    user = f'user = "{USER}"\n'

    def give_cache(folder):
        os.chown(folder / "cache", pwd.getpwnam(USER).pw_uid, -1)

    def close_cache(folder):
        os.chown(folder / "spool", pwd.getpwnam(USER).pw_uid, -1)
        (folder / "cache").chmod(0o700)

    def rotate(folder):
        os.chown(folder / "spool", pwd.getpwnam(USER).pw_uid, -1)
        (folder / "log").write_text("of another time\n")

    def shared(folder):
        os.chown(folder / "spool", pwd.getpwnam(USER).pw_uid, -1)
        (folder / "cache").chmod(0o777)

    place = f'FOLDER/trivet.toml:6:8: user "{USER}": '
    for said, config, prepare in (
            ("spool_dir: cannot make a temporary file in", CONFIG, None),
            (f'plugin_cache, from which its plugins are loaded, could be replaced by the user "{USER}"', CONFIG, give_cache),
            ("plugin_cache, from which its plugins are loaded, could be replaced by everybody", CONFIG, shared),
            ('plugin_cache "FOLDER/cache" cannot be read by this user: Permission denied', CONFIG, close_cache),
            ('log.target "FOLDER/log" could not be opened again', CONFIG + '[log]\ntarget = "file:@/log"\n', rotate)):
        for processes in (1, 0):
            with temporary_folder() as folder:
                wrong = Host(t.build, folder, config.replace("@", str(folder)), server=user, processes=processes)
                wrong.write()
                if prepare:
                    prepare(folder)
                done = run_trivet(t.build, "serve", "-c", str(wrong.file))
                told = done.stderr.decode().replace(str(folder), "FOLDER")
                equal(done.returncode, 1, f"exit code: {told}")
                expect(place + said in told, told)


@suite.test("without root no other user can be had, which is said; the own one may stand there")
def _(t):
    only_root()
    nobody = pwd.getpwnam(USER)

    def become():
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    def prepare(folder):
        for each in ("spool", "cache", "run", "."):
            os.chown(folder / each, nobody.pw_uid, -1)

    for processes in (1, 0):
        with temporary_folder() as folder:
            wrong = Host(t.build, folder, CONFIG, server=f'user = "{OTHER_GROUP}"\n', processes=processes)
            wrong.write()
            prepare(folder)
            done = run_trivet(t.build, "serve", "-c", str(wrong.file), preexec_fn=become)
            told = done.stderr.decode()
            equal(done.returncode, 1, f"exit code: {told}")
            expect(f"this host runs as user {nobody.pw_uid} and may not become another one" in told, told)
        with temporary_folder() as folder:
            own = Host(t.build, folder, CONFIG, server=f'user = "{USER}"\n', processes=processes)
            own.write()
            prepare(folder)
            own.start(prepare=become)
            found = asked(own)
            equal(found["NoNewPrivs"], "1", "no_new_privs")
            equal(found["dumpable"], "1", "a debugger of the same user may look into it")
            equal(found["setuid"], "EPERM", "setuid")
            own.stop()


@suite.test("a plugin file that the plugins' user could replace is refused, though the configuration is that user's")
def _(t):
    only_root()
    user = pwd.getpwnam(USER).pw_uid
    with temporary_folder() as own:
        shutil.copy(pathlib.Path(t.build.plugins) / "hello.so", own / "own.so")
        os.chown(own / "own.so", user, -1)
        config = f'[plugin.own]\nfile = "{own}/own.so"\n[[route]]\npath = "/**"\nrespond = "own"\n'

        def prepare(folder):
            os.chown(folder / "trivet.toml", user, -1)

        said = refused(t, f'user = "{USER}"\n', config, prepare)
        expect(f'could be replaced by the user "{USER}"' in said, said)
        with temporary_folder() as folder:  # Without `user` it may be the owner of the configuration's.
            running = Host(t.build, folder, config, processes=1)
            running.write()
            prepare(folder)
            running.start()
            running.stop()


@suite.test("check --load gives the plugins their user too")
def _(t):
    only_root()
    with temporary_folder() as folder:
        mark = folder / "mark"
        config = f'[plugin.inquire]\nconfig = {{ mark = "{mark}" }}\n[[route]]\nrespond = "inquire"\n'
        wrong = Host(t.build, folder, config, server=f'user = "{USER}"\n')
        wrong.write()
        os.chmod(folder, 0o777)
        done = run_trivet(t.build, "check", "--load", "-c", str(wrong.file))
        equal(done.returncode, 0, f"exit code: {done.stdout!r} {done.stderr!r}")
        equal(mark.stat().st_uid, pwd.getpwnam(USER).pw_uid, "who loaded the plugin")


@suite.test("a host that a web server started keeps the web server's user, and says so once")
def _(t):
    only_root()
    with temporary_folder() as folder:
        running = Host(t.build, folder, CONFIG, server=f'user = "{USER}"\n')
        running.write()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(f"{folder}/given")
            listening.listen(5)
            process = hosts.Process("spawned", folder / "log")
            process.start([str(t.build.binary), "serve", "-c", str(running.file)], standard_input=listening)
            try:
                answer = fcgi.exchange(f"unix:{folder}/given", cgi("/x"), timeout=20 * t.build.slowness)
                expect(b"\nUid:\t0\t0\t0\t0\n" in answer.body, answer.body)
                equal(process.log_text().count("`user` and `group` are left aside"), 1, process.log_text())
            finally:
                process.kill()
