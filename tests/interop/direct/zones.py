"""[zone.NAME]: what plugins share over threads and workers, and the rate limit that counts there."""

import os
import pathlib
import signal
import threading

from support import fcgi, host as hosts, site
from support.fcgi import cgi, request
from support.runner import Suite, equal, eventually, expect
from support.upgrading import upgrade

suite = Suite("zones")

CONFIG = """
[zone.limits]
[zone.tallies]
size = "64KiB"
value_bytes = 8
[plugin.slow_limit]
file = "ratelimit.so"
config = { zone = "limits", key = ["HTTP_X_CLIENT"], rate = "1/1h", burst = 20 }
[plugin.threaded_limit]
file = "ratelimit.so"
threads = 3
config = { zone = "limits", key = ["HTTP_X_CLIENT"], rate = "1/1h", burst = 20 }
[plugin.tally]
config = { zone = "tallies" }
[plugin.hello]
[[route]]
name = "limited"
path = "/limited/**"
authorize = ["slow_limit"]
respond = "hello"
[[route]]
name = "threaded"
path = "/threaded/**"
authorize = ["threaded_limit"]
respond = "hello"
[[route]]
name = "tally"
path = "/tally/**"
respond = "tally"
"""


def children(pid):
    listed = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return sorted(int(each) for each in listed.read_text().split()) if listed.exists() else []


def ask(running, uri, client="", role=fcgi.RESPONDER):
    """The answer on a connection of its own; None when it was closed without one."""
    with running.connect() as link:
        try:
            link.send(request(cgi(uri, HTTP_X_CLIENT=client), role=role))
            return link.response()
        except (ConnectionError, fcgi.Broken):
            return None


def in_parallel(running, count, uris, client, threads=8):
    """The answers to `count` requests, from several threads at once, to each of `uris` in turn."""
    answers = []
    numbers = iter(range(count))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            answer = ask(running, uris[number % len(uris)], client)
            with lock:
                answers.append(answer)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return answers


def statuses(answers):
    counted = {}
    for each in answers:
        status = None if each is None else each.status
        counted[status] = counted.get(status, 0) + 1
    return counted


@suite.test("of many requests at once exactly a burst passes, over workers, threads and two plugins")
def _(t):
    for processes in (0, 4):
        with site.running(t.build, CONFIG, processes=processes) as running:
            answers = in_parallel(running, 120, ["/limited/x", "/threaded/x"], "one")
            equal(statuses(answers), {200: 20, 429: 100}, f"answers with {processes} workers")
            equal(statuses(in_parallel(running, 30, ["/limited/x"], "two")), {200: 20, 429: 10}, "another client")
            denied = ask(running, "/limited/x", "one")
            after = int(denied.header("Retry-After"))
            expect(3500 < after <= 3600, f"Retry-After: {after}")
            equal(ask(running, "/limited/x", "one", fcgi.AUTHORIZER).status, 429, "asked as an authorizer")


@suite.test("workers that are killed and started again forget nothing")
def _(t):
    with site.running(t.build, CONFIG, processes=4) as running:
        equal(statuses(in_parallel(running, 12, ["/limited/x"], "one")), {200: 12}, "before")
        for _ in range(2):
            before = children(running.pid)
            for each in before:
                os.kill(each, signal.SIGKILL)
            eventually(lambda old=before: len(children(running.pid)) == 4 and not set(children(running.pid)) & set(old),
                       "four other workers", 30)
        passed = statuses(in_parallel(running, 40, ["/limited/x"], "one"))
        equal(passed, {200: 8, 429: 32}, "after")


@suite.test("workers killed in the middle of counting lose at most what was in flight")
def _(t):
    with site.running(t.build, CONFIG, processes=4) as running:
        counted, failed = [0], [0]
        stop = threading.Event()
        lock = threading.Lock()

        def client():
            while not stop.is_set():
                answer = ask(running, "/tally/x?one")
                with lock:
                    (counted if answer is not None and answer.status == 200 else failed)[0] += 1

        clients = [threading.Thread(target=client) for _ in range(4)]
        for each in clients:
            each.start()
        for number in range(8):
            target = counted[0] + 50
            eventually(lambda wanted=target: counted[0] > wanted, "more answers", 30)
            now = children(running.pid)
            os.kill(now[number % len(now)], signal.SIGKILL)
        stop.set()
        for each in clients:
            each.join()
        entry, total = (int(each) for each in ask(running, "/tally/x?one").body.split())
        expect(counted[0] < entry <= counted[0] + failed[0] + 1, f"{entry}, {counted} answered, {failed} not")
        # Each request counts the entry first: one that was killed between has counted that alone.
        expect(abs(entry - total) <= failed[0], f"counter {total}, entry {entry}, {failed} not answered")


@suite.test("a zone that is not configured is named at the setting, by the host and by check --load")
def _(t):
    config = '[zone.limits]\n[plugin.r]\nfile = "ratelimit.so"\nconfig = { zone = "limit", rate = "1/1h" }\n' \
             '[[route]]\npath = "/**"\nauthorize = ["r"]\n'
    for processes in (0, 2):
        with hosts.temporary_folder() as folder:
            host = hosts.Host(t.build, folder, config, processes=processes)
            host.write()
            said = b'plugin "r": setting "zone": there is no zone "limit": add [zone.limit], or name one that is there: '
            for command in (("serve",), ("check", "--load")):
                done = hosts.run_trivet(t.build, *command, "-c", str(host.file), timeout=20 * t.build.slowness)
                equal(done.returncode, 1, f"exit code of {command}: {done.stderr!r}")
                expect(said in done.stderr + done.stdout, f"{command}: {done.stderr!r} {done.stdout!r}")


def reload(running, config):
    """Another configuration, by SIGHUP; returns when it serves."""
    running.config = config
    running.write()
    running.mark_log()
    running.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in running.log_since_mark(), "the reload", 30)


@suite.test("a reload empties no zone whose layout it keeps, and says when it changes one")
def _(t):
    with site.running(t.build, CONFIG, processes=4) as running:
        expect("a zone is made" in running.log_text(), "nothing tells of the zones")
        equal(statuses(in_parallel(running, 15, ["/limited/x"], "one")), {200: 15}, "before")
        reload(running, CONFIG.replace('path = "/tally/**"', 'path = "/other/**"'))
        expect("a zone" not in running.log_since_mark(), "a zone was made anew")
        equal(ask(running, "/other/x").status, 200, "the new configuration serves")
        equal(statuses(in_parallel(running, 20, ["/limited/x"], "one")), {200: 5, 429: 15}, "after")
        # While requests come all the time, some of them to workers of both generations.
        answers = []
        parallel = threading.Thread(target=lambda: answers.extend(in_parallel(running, 400, ["/limited/x"], "two")))
        parallel.start()
        reload(running, CONFIG)
        parallel.join()
        equal(statuses(answers), {200: 20, 429: 380}, "over a reload")
        reload(running, CONFIG.replace("[zone.limits]", '[zone.limits]\nsize = "2MiB"'))
        told = running.log_since_mark()
        expect("a zone begins empty: its layout changed" in told and "zone=limits" in told, told)
        equal(statuses(in_parallel(running, 30, ["/limited/x"], "one")), {200: 20, 429: 10}, "with another layout")


@suite.test("a reload that names a zone that is not there leaves the old one serving with what it counted")
def _(t):
    with site.running(t.build, CONFIG, processes=2) as running:
        equal(statuses(in_parallel(running, 15, ["/limited/x"], "one")), {200: 15}, "before")
        running.config = CONFIG.replace('zone = "limits", key', 'zone = "limit", key', 1)
        running.write()
        running.mark_log()
        running.send_signal(signal.SIGHUP)
        eventually(lambda: "reload failed" in running.log_since_mark(), "the failure", 30)
        expect("there is no zone" in running.log_since_mark(), running.log_since_mark())
        running.log.write_text("")
        equal(statuses(in_parallel(running, 20, ["/limited/x"], "one")), {200: 5, 429: 15}, "after")


@suite.test("a binary upgrade empties no zone: what counts meanwhile goes on exactly, also where the new image goes back", timeout=60)
def _(t):
    with site.running(t.build, CONFIG, processes=4) as running:
        good = running.file.read_text()
        equal(statuses(in_parallel(running, 15, ["/limited/x"], "one")), {200: 15}, "before")
        answers, stop = [], threading.Event()

        def count():
            with running.connect() as link:
                while not stop.is_set():
                    link.send(request(cgi("/tally/x?all"), flags=fcgi.KEEP))
                    answers.append(tuple(int(each) for each in link.take().body.split()))

        clients = [threading.Thread(target=count) for _ in range(4)]
        for each in clients:
            each.start()
        for _ in range(3):
            upgrade(running)
            expect("a zone" not in running.log_since_mark(), "a zone was made anew")
        running.file.write_text(good + "[plugin.undefined_symbol]\n")
        upgrade(running, "back from another image")
        running.file.write_text(good)
        upgrade(running)
        stop.set()
        for each in clients:
            each.join()
        expect(len(answers) > 100, f"only {len(answers)} answers")
        # Each request counted once in both, whichever worker of whichever image had it.
        numbers = list(range(1, len(answers) + 1))
        equal(sorted(entry for entry, _ in answers), numbers, "the entry")
        equal(sorted(total for _, total in answers), numbers, "the counter")
        equal(statuses(in_parallel(running, 30, ["/limited/x", "/threaded/x"], "one")), {200: 5, 429: 25}, "after")
