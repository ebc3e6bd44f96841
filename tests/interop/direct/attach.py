"""`trivet attach`: sockets that web servers opened, handed over to one host."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from support import fcgi, host as hosts, site
from support.fcgi import cgi, request
from support.host import Process, temporary_folder
from support.runner import Suite, equal, eventually, expect, skip
from support.upgrading import upgrade

suite = Suite("attach")

CONFIG = site.KEYGATE + """
[plugin.perish]
threads = 0
[plugin.slow]
threads = 8
timeout = "60s"
[[route]]
name = "own"
path = "/own/**"
listen = ["spawned"]
respond = "perish"
[[route]]
name = "slow"
path = "/slow/**"
respond = "slow"
[[route]]
name = "guard"
path = "/guard/**"
authorize = ["perish"]
[[route]]
name = "members"
path = "/members/**"
authorize = ["key"]
[[route]]
name = "pid"
path = "/**"
respond = "perish"
"""


def running_with(t, processes=2, attach="{}", **more):
    return site.running(t.build, CONFIG, processes=processes, server=f"attach = {attach}", **more)


def listening(path):
    one = socket.socket(socket.AF_UNIX)  # It blocks, as mod_fcgid's does.
    one.bind(str(path))
    one.listen(5)
    return one


class Stub(Process):
    """`trivet attach` as a web server starts it."""

    def __init__(self, t, running, name):
        super().__init__(name, running.folder / f"{name}.log")
        self.path = running.folder / f"{name}.sock"
        self.address = f"unix:{self.path}"
        self.socket = listening(self.path)
        self.command = [str(t.build.binary), "attach", f"unix:{running.folder}/run/attach.sock"]

    def start(self, prepare=None):  # pylint: disable=arguments-differ
        super().start(self.command, {}, prepare, standard_input=self.socket)
        return self

    def ask(self, uri="/", role=fcgi.RESPONDER, timeout=20, **more):
        with fcgi.Connection(self.address, timeout) as link:
            link.send(request(cgi(uri, **more), role=role))
            return link.response()

    def pid_that_answers(self):
        return int(self.ask().body)


@contextlib.contextmanager
def stubs(t, running, count=1):
    made = [Stub(t, running, f"stub{number}").start() for number in range(count)]
    try:
        yield made
    finally:
        for each in made:
            each.kill()
            each.socket.close()


def workers(running):
    return [int(each) for each in
            pathlib.Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()]


@suite.test("an attached socket is served by the one host, in every role, under the name `spawned`")
def _(t):
    with running_with(t) as running, stubs(t, running) as (stub,):
        answer = stub.ask("/own/x")
        equal(answer.status, 200, "a route for attached sockets alone")
        expect(int(answer.body) in workers(running), "it was not answered by a worker of the host")
        equal(running.get("/own/x").status, 200, "the same path by another listener is another route's")
        equal(stub.ask("/guard/x", fcgi.AUTHORIZER).status, 200, "an authorizer")
        if not t.build.sanitizer:
            size = stub.status_bytes("VmRSS")
            expect(size <= 3 << 20, f"the stub holds {size} bytes")
        equal(stub.end(signal.SIGTERM, 5), 0, "exit code after SIGTERM")
        equal(stub.log_text(), "", "what it said")
        eventually(lambda: "a socket was detached" in running.log_text(), "the host to notice", 5)
        expect(stub.path.exists(), "the web server's file was touched")


@suite.test("many are spread over the workers, each is served by one, and all go on through reloads and kills", timeout=120)
def _(t):
    with running_with(t) as running, stubs(t, running, 10) as several:
        served = [stub.pid_that_answers() for stub in several]
        equal({served.count(each) for each in workers(running)}, {5}, f"workers of {served}")
        equal([stub.pid_that_answers() for stub in several], served, "the same again")
        stop = threading.Event()
        lost, answered = [], [0]

        def client(stub):
            while not stop.is_set():
                try:
                    good = stub.ask("/", timeout=40).status == 200
                except (OSError, fcgi.Broken) as error:
                    good = False
                    lost.append(f"{stub.name}: {error!r}")
                answered[0] += good

        clients = [threading.Thread(target=client, args=(each,)) for each in several[:4]]
        for each in clients:
            each.start()
        for _ in range(5):
            told = hosts.run_trivet(t.build, "reload", "-c", running.file)
            equal(told.returncode, 0, f"reload: {told.stderr!r}")
        equal(lost, [], "requests lost in reloads")
        fresh = set(workers(running))
        eventually(lambda: {stub.pid_that_answers() for stub in several} <= fresh, "the new workers", 10)
        time.sleep(1.1)
        victim = workers(running)[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: victim not in {stub.pid_that_answers() for stub in several}, "other workers", 10)
        stop.set()
        for each in clients:
            each.join()
        expect(answered[0] > 100 and len(lost) <= 4, f"{answered[0]} answers, lost: {lost}")


@suite.test("a stub that is killed loses no request: what waits in its socket is for the next one")
def _(t):
    with running_with(t) as running, stubs(t, running) as (stub,):
        slow = threading.Thread(target=lambda: answers.append(stub.ask("/slow?ms=1500").status))
        answers = []
        slow.start()
        time.sleep(0.5 * t.build.slowness)
        stub.kill()
        eventually(lambda: "a socket was detached" in running.log_text(), "the host to notice", 5)
        slow.join()
        equal(answers, [200], "the request that ran")
        waiting = threading.Thread(target=lambda: answers.append(stub.ask().status))
        waiting.start()
        time.sleep(0.2)
        stub.start()
        waiting.join()
        equal(answers, [200, 200], "the request that waited")


@suite.test("a host that starts again is given the sockets again, and answers what has waited")
def _(t):
    with running_with(t) as running, stubs(t, running, 3) as several:
        for stub in several:
            equal(stub.ask().status, 200, "before")
        running.stop()
        answers = []
        waiting = [threading.Thread(target=lambda each=each: answers.append(each.ask(timeout=30).status))
                   for each in several]
        for each in waiting:
            each.start()
        time.sleep(0.5)
        expect(all(stub.running for stub in several), "a stub has ended")
        running.start()
        for each in waiting:
            each.join()
        equal(answers, [200, 200, 200], "the requests that waited")
        equal({stub.log_text() for stub in several}, {""}, "what the stubs said")
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        running.log.write_text("")
        running.start()
        eventually(lambda: {stub.ask(timeout=30).status for stub in several} == {200}, "answers after a crash", 10)


@suite.test("without a host, without a socket, or where it may not, it says so in one line and exits")
def _(t):
    with temporary_folder() as folder:
        socket_path = folder / "attach.sock"

        def run(address, given, **more):
            return subprocess.run([t.build.binary, "attach", address], stdin=given, capture_output=True, timeout=20,
                                  check=False, **more)

        with listening(folder / "web.sock") as given, open("/dev/null", "rb") as null:
            for address, stdin, code, told in (
                    (f"unix:{socket_path}", given, 69, b"No such file or directory: start the host first"),
                    (f"unix:{folder}/web.sock", null, 64, b"descriptor 0 is no listening unix socket"),
                    ("tcp:127.0.0.1:9000", given, 64, b"the host's socket is unix:/PATH"),
                    (f"unix:/{'x' * 120}", given, 64, b"at most 107 bytes")):
                done = run(address, stdin)
                equal((done.returncode, done.stdout), (code, b""), f"{address}: {done.stderr!r}")
                expect(done.stderr.startswith(b"trivet: attach: ") and told in done.stderr and done.stderr.count(b"\n") == 1,
                       f"{address}: {done.stderr!r}")
            with contextlib.closing(socket.socket()) as tcp:
                tcp.listen(1)
                equal(run(f"unix:{socket_path}", tcp).returncode, 64, "exit code for a TCP socket")
            listening(socket_path).close()
            done = run(f"unix:{socket_path}", given)
            equal(done.returncode, 69, "exit code")
            expect(b"Connection refused: the host has ended" in done.stderr, done.stderr)


@suite.test("another user may attach where the configuration says so, and nowhere else", timeout=90)
def _(t):
    if os.geteuid() != 0:
        skip("only root can be somebody else")

    def become():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    for attach, code in (("{}", 69), ('{ mode = "0666" }', 69), ('{ group = "daemon" }', 69),
                         ('{ allow_users = ["65534"] }', 0)):
        with running_with(t, attach=attach) as running:
            os.chmod(running.folder / "run", 0o755)
            stub = Stub(t, running, "stranger").start(become)
            if code == 0:
                equal(stub.ask().status, 200, f"{attach}: an answer")
                equal(stub.end(signal.SIGTERM, 5), 0, f"{attach}: exit code")
            else:
                equal(stub.process.wait(10 * t.build.slowness), code, f"{attach}: exit code")
                expect(stub.log_text().count("\n") == 1, f"{attach}: {stub.log_text()}")
                running.expect_well("/")
            stub.kill()
            stub.socket.close()


@suite.test("sockets_per_user is a bound, and what is no socket is refused")
def _(t):
    with running_with(t, attach="{ sockets_per_user = 3 }") as running, stubs(t, running, 3) as several:
        for stub in several:
            equal(stub.ask().status, 200, "within the bound")
        fourth = Stub(t, running, "fourth").start()
        equal(fourth.process.wait(10 * t.build.slowness), 69, "exit code beyond the bound")
        expect("sockets_per_user" in fourth.log_text(), fourth.log_text())
        several[0].end(signal.SIGTERM, 5)
        eventually(lambda: "a socket was detached" in running.log_text(), "the host to notice", 5)
        fourth.start()
        equal(fourth.ask().status, 200, "in the place of one that went")
        fourth.kill()
        eventually(lambda: running.log_text().count("a socket was detached") == 2, "the host to notice", 5)
        for given in (os.open("/dev/null", os.O_RDWR), os.pipe()[0]):
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(10)
                link.connect(f"{running.folder}/run/attach.sock")
                socket.send_fds(link, [b"trivet-attach/1\n"], [given])
                equal(link.recv(100), b"what was passed is no socket\n", "the answer to what is no socket")
            os.close(given)
        equal(several[1].ask().status, 200, "the others")


@suite.test("a reload without `attach` lets the sockets go, and their stubs try again")
def _(t):
    with running_with(t) as running, stubs(t, running) as (stub,):
        equal(stub.ask().status, 200, "before")
        good = running.file.read_text()
        running.file.write_text(good.replace("attach = {}", "").replace('listen = ["spawned"]', ""))
        equal(hosts.run_trivet(t.build, "reload", "-c", running.file).returncode, 0, "reload without")
        expect(not (running.folder / "run" / "attach.sock").exists(), "the socket's file is left")
        running.file.write_text(good)
        equal(hosts.run_trivet(t.build, "reload", "-c", running.file).returncode, 0, "reload with")
        equal(stub.ask(timeout=30).status, 200, "again")


@suite.test("over binary upgrades stubs attach again: what comes meanwhile is answered, and nobody is let in wrongly", timeout=90)
def _(t):
    with running_with(t) as running, stubs(t, running, 6) as several:
        good = running.file.read_text()
        stop = threading.Event()
        wrong, answered = [], {"granted": 0, "denied": 0, "served": 0}
        lock = threading.Lock()

        def client(stub, what):
            while not stop.is_set():
                try:
                    if what == "served":
                        status, wanted = stub.ask("/", timeout=40).status, 200
                    else:
                        key = site.GOOD if what == "granted" else site.BAD
                        status = stub.ask("/members/x", fcgi.AUTHORIZER, 40, **key).status
                        wanted = 200 if what == "granted" else 403
                except (OSError, fcgi.Broken) as error:
                    status, wanted = repr(error), 0
                with lock:
                    answered[what] += 1
                    if status != wanted:
                        wrong.append(f"{stub.name} {what}: {status}")

        clients = [threading.Thread(target=client, args=(stub, what)) for number, stub in enumerate(several)
                   for what in (("granted", "denied"), ("served", "denied"))[number % 2]]
        for each in clients:
            each.start()
        for number in range(5):
            if number == 3:
                running.file.write_text(good + "[plugin.undefined_symbol]\n")
                upgrade(running, "back from another image")
                running.file.write_text(good)
            else:
                upgrade(running)
            eventually(lambda: running.log_since_mark().count("a socket was attached") >= len(several),
                       "the stubs attach again", 20)
        stop.set()
        for each in clients:
            each.join()
        equal(wrong, [], f"what was answered wrongly beside {answered}")
        expect(min(answered.values()) > 20, f"{answered}")
        fresh = set(workers(running))
        eventually(lambda: {stub.pid_that_answers() for stub in several} <= fresh, "the new workers", 10)
        equal({stub.log_text() for stub in several}, {""}, "what the stubs said")
