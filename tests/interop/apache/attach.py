"""Apache's mod_fcgid starts `trivet attach`: one host serves all of its process slots."""

import os
import pathlib
import subprocess
import threading
import time

from support import examples, host, refusals, site, web
from support.runner import Suite, equal, eventually, expect
from support.servers import processes_with
from support.upgrading import upgrade

example = Suite("mod_fcgid attach example")
many = Suite("mod_fcgid attach")

CONFIG = examples.plugins_and_routes("apache")
KEY = {"X-Api-Key": site.key_of(CONFIG)}

PIDS = """
[plugin.perish]
threads = 0
[plugin.slow]
threads = 64
queue = 256
timeout = "30s"
[[route]]
name = "guard"
path = "/guard/**"
authorize = ["slow", "perish"]
variables = ["WORKER"]
[[route]]
name = "app"
path = "/**"
respond = "perish"
"""


@example.fixture
def running_example(t):
    with examples.apache_attaches(t.build, CONFIG, lambda *_: "") as running:
        yield running


@example.test("responder, authorizer and both together work as they do with a host in each process")
def _(t):
    port = t.use(running_example).port
    equal(web.ask(port, "/app/x").status, 200, "a responder")
    allowed = web.ask(port, "/private/file.txt", headers=KEY)
    equal((allowed.status, allowed.body), (200, refusals.SECRET), "with the key")
    for headers in ({}, {"X-Api-Key": "wrong"}):
        denied = web.ask(port, "/private/file.txt", headers=headers)
        equal((denied.status, refusals.SECRET in denied.body), (401, False), f"with {headers}")
    answer = web.ask(port, "/account/me", headers=KEY)
    equal(site.variables(answer.body).get("REMOTE_USER"), site.user_of(CONFIG), "REMOTE_USER")
    equal(web.ask(port, "/account/me").status, 401, "without the key")


def _directives(command, root):
    folder = root / "guard"
    folder.mkdir(exist_ok=True)
    (folder / "file.txt").write_bytes(refusals.SECRET)
    return f"""
<Location "/guard">
  FcgidAccessChecker "{command}"
  SetEnvIf Request_URI "^" TRIVET_ROUTE=guard
  Require all granted
</Location>
<Location "/pid">
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
  Require all granted
</Location>"""


@many.fixture
def running_pids(t):
    t.build.plugin("slow")
    with examples.apache_attaches(t.build, PIDS, _directives) as running:
        yield running


def stubs(running):
    return processes_with(f"{running.trivet.folder}/run/attach.sock")


def workers(running):
    pid = running.trivet.pid
    return {int(each) for each in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def authorized(running, milliseconds=20, timeout=60):
    """The status, and which process authorized it."""
    answer = web.ask(running.port, f"/guard/file.txt?ms={milliseconds}", timeout=timeout)
    granted = answer.status == 200 and answer.body == refusals.SECRET
    return answer.status, int(answer.header("Variable-WORKER") or 0) if granted else 0


@many.test("fifty authorizer requests at once reach one host by several processes of mod_fcgid", timeout=120)
def _(t):
    running = t.use(running_pids)
    got = web.at_once(50, lambda _: authorized(running, 300, 60 * t.build.slowness), threads=50)
    equal([status for status, _ in got], [200] * 50, "statuses")
    by = {pid for _, pid in got}
    expect(by and by <= workers(running), f"authorized by {by}, workers {workers(running)}")
    expect(len(stubs(running)) > 1, f"processes of mod_fcgid: {stubs(running)}")
    expect(len(stubs(running)) > len(by), f"{len(stubs(running))} processes of mod_fcgid, {len(by)} of the host")
    answer = web.ask(running.port, "/pid/x")
    expect(int(answer.body) in workers(running), "the responder is not the same host")


def have_stubs(running, count=8):
    """More than a load has threads, as mod_fcgid may count a process busy that has answered already: one that it
    starts where there is no host ends at once, and denies."""
    eventually(lambda: web.at_once(2 * count, lambda _: authorized(running, 300)) and len(stubs(running)) >= count,
               f"{count} processes of mod_fcgid", 30)


class Load:
    """Requests without pause; what they met."""

    def __init__(self, running, threads=4):
        self.running, self.stop = running, threading.Event()
        self.wrong, self.right = [], 0
        self.threads = [threading.Thread(target=self.go) for _ in range(threads)]

    def go(self):
        while not self.stop.is_set():
            try:
                status, pid = authorized(self.running, 5)
            except OSError as error:
                status, pid = repr(error), 0
            if status == 200 and pid:
                self.right += 1
            else:
                self.wrong.append(status)

    def __enter__(self):
        for each in self.threads:
            each.start()
        time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self.stop.set()
        for each in self.threads:
            each.join()


@many.test("reloads of the host fail nothing, and the new workers answer", timeout=120)
def _(t):
    running = t.use(running_pids)
    equal(authorized(running)[0], 200, "before")
    before = workers(running)
    with Load(running) as load:
        for _ in range(5):
            told = host.run_trivet(t.build, "reload", "-c", running.trivet.file)
            equal(told.returncode, 0, f"reload: {told.stderr!r}")
            time.sleep(0.3)
    equal(load.wrong, [], f"what failed beside {load.right}")
    expect(load.right > 20, f"only {load.right} answers")
    expect(authorized(running)[1] in workers(running) - before, "not by a new worker")


@many.test("binary upgrades of the host fail nothing, and the new workers answer", timeout=120)
def _(t):
    running = t.use(running_pids)
    have_stubs(running)
    before, pid = workers(running), running.trivet.pid
    with Load(running) as load:
        for _ in range(3):
            upgrade(running.trivet)
            time.sleep(0.5)
    equal(load.wrong, [], f"what failed beside {load.right}")
    expect(load.right > 20, f"only {load.right} answers")
    expect(authorized(running)[1] in workers(running) - before, "not by a new worker")
    equal(running.trivet.pid, pid, "the process")


@many.test("`apachectl graceful` fails nothing", timeout=120)
def _(t):
    running = t.use(running_pids)
    equal(authorized(running)[0], 200, "before")
    with Load(running) as load:
        for _ in range(2):
            subprocess.run([running.web.program, "-f", str(running.web.folder / "apache.conf"), "-k", "graceful"],
                           check=True, timeout=30)
            time.sleep(2)
    # A client whose connection Apache itself ended was refused nothing.
    refused = [each for each in load.wrong if isinstance(each, int)]
    equal(refused, [], f"what failed beside {load.right}")
    expect(load.right > 20 and len(load.wrong) <= 8, f"{load.right} answers, {load.wrong}")


@many.test("a restart of the host fails nothing: what comes meanwhile waits", timeout=120)
def _(t):
    running = t.use(running_pids)
    have_stubs(running)
    with Load(running) as load:
        running.trivet.stop()
        time.sleep(0.5)
        running.trivet.start()
        time.sleep(2)
    equal(load.wrong, [], f"what failed beside {load.right}")
    expect(load.right > 20, f"only {load.right} answers")
    expect(authorized(running)[1] in workers(running), "not by the new host")


@many.test("without a host nobody is let in, and why is in Apache's error log", timeout=120)
def _(t):
    running = t.use(running_pids)
    equal(authorized(running)[0], 200, "before")
    running.trivet.stop()
    for pid in stubs(running):
        os.kill(pid, 15)
    eventually(lambda: not stubs(running), "the end of the stubs", 10)
    running.web.mark_log()
    status, pid = authorized(running)
    expect(status in (500, 503) and pid == 0, f"status {status}")
    expect("trivet: attach: no host at unix:" in running.web.log_since_mark(), running.web.log_since_mark())
    running.trivet.start()
    eventually(lambda: authorized(running)[0] == 200, "an answer again", 30)
