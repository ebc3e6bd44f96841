"""Nobody gets what a guard protects without its grant, behind any web server that can protect something with Trivet."""

import os
import signal
import threading
import time

from support import attempts, faulty, fronts, guarded, host, site, web
from support.runner import Suite, equal, eventually, expect

TARGETS = {"file": b"/private/file.txt", "application": b"/account/me"}


def got_through(answer):
    return any(mark in answer for mark in guarded.MARKS)


def let_in(running, path, headers):
    answer = web.ask(running.port, path, headers=headers, timeout=40)
    return answer.status == 200 and got_through(answer.body)


def expect_well(running):
    """Who may, gets both; who may not, neither."""
    for path in ("/private/file.txt", "/account/me"):
        expect(let_in(running, path, running.front.good), f"{path} was not given to who may have it")
        for headers in running.front.bad:
            answer = web.ask(running.port, path, headers=headers, timeout=40)
            expect(not got_through(answer.body), f"{path} was GRANTED to {headers}")
            expect(answer.status in (401, 403), f"{path} with {headers}: {answer.status}")


def users_and_files(t, pair):
    running = t.use(pair)
    expect_well(running)
    equal(web.ask(running.port, "/private/file.txt", headers=running.front.good).body, guarded.SECRET, "the file")
    seen = site.variables(web.ask(running.port, "/account/me", headers=running.front.good).body)
    equal((seen.get("REMOTE_USER"), seen.get("TEAM")), (running.front.user, guarded.TEAM), "what the guards said")
    equal(seen.get("LEVEL", ""), "", "what no guard said")
    equal(web.ask(running.port, "/app/open.txt").body, guarded.OPEN, "a file that nobody guards")


def failing_plugins(t, pair):
    running = t.use(pair)
    for name in guarded.FAILING:
        for _ in range(3):
            answer = web.ask(running.port, f"/{name}/file.txt", headers=running.front.good, timeout=40)
            expect(not got_through(answer.body), f"{name}: GRANTED")
            expect(answer.status >= 400, f"{name}: {answer.status}")
        expect(let_in(running, "/private/file.txt", running.front.good), f"the twin of {name}")
    for _ in range(3):
        answer = attempts.send(running.port, attempts.ask(b"/crashes/file.txt", running.front.good), attempts.LIMIT)
        expect(not got_through(answer), "a guard that ended its worker: GRANTED")
        expect(attempts.status_of(answer) in (0, *range(400, 600)), f"a guard that ended its worker: {answer[:100]!r}")
        # Another worker starts, and web servers may have to see that their connections are closed.
        eventually(lambda: let_in(running, "/private/file.txt", running.front.good), "the twin of crashes", 20)


def full_queue(t, pair):
    running = t.use(pair)

    def one(_number):
        return web.ask(running.port, "/busy/file.txt", headers=running.front.good, timeout=40 * t.build.slowness)

    refused = 0
    for _ in range(10):  # However slowly they come, once there are more than two of them at the same time.
        for answer in web.at_once(8, one, 8):
            expect((answer.status == 200) == got_through(answer.body), f"a full queue: {answer}")
            expect(answer.status == 200 or answer.status >= 400, f"a full queue: {answer}")
            refused += answer.status != 200
        if refused:
            break
    expect(refused, "the queue was never full")
    eventually(lambda: one(0).status == 200, "room again", 10)


def headers_of_clients(t, pair):
    running = t.use(pair)
    made = [attempts.Attempt(repr(more), lambda credentials, more=more: attempts.ask(
        TARGETS["application"], credentials, version=b"HTTP/1.0", more=more), True)
        for more in attempts.pretending(guarded.VARIABLES, "mallory")]
    running.goal.expect_denied(made)
    found, answered = [], 0
    for attempt, answer in zip(made, running.goal.try_all(made, running.front.good)):
        if guarded.APPLICATION not in answer:
            continue  # Refused by somebody: nothing was pretended.
        answered += 1
        seen = site.variables(answer[answer.index(guarded.APPLICATION):])
        said = (seen.get("REMOTE_USER"), seen.get("TEAM"), seen.get("LEVEL", ""))
        others = [name for name, value in seen.items() if "mallory" in value and not name.startswith(("HTTP_", "CONTENT_"))]
        if said != (running.front.user, guarded.TEAM, "") or others:
            found.append(f"{attempt.name} -> {said} {others}")
    attempts.fail_with(found, "headers of a client were taken for a guard's")
    expect(answered > len(made) / 2, f"only {answered} of {len(made)} were answered")


def paths(t, pair):
    running = t.use(pair)
    for what, target in TARGETS.items():
        first, rest = target.decode()[1:].split("/")
        made = attempts.spelled(first, rest)
        expect(len(made) >= 100, f"only {len(made)} spellings")
        count = running.goal.expect_denied(made)
        expect(count >= 3, f"only {count} spellings of the {what} were let in with the key")
    expect_well(running)


def plain_paths(t, pair):
    running = t.use(pair)
    for what, target in TARGETS.items():
        count = running.goal.expect_denied(attempts.plain_path(target))
        expect(count >= 5, f"only {count} attempts at the {what} were let in with the key")
    # A grant is of one request, not of its connection.
    for first, second in ((running.front.good, running.front.bad[0]), (running.front.good, running.front.bad[1])):
        for target in TARGETS.values():
            before = attempts.ask(target, first, method=b"GET").replace(b"Connection: close\r\n", b"")
            answer = attempts.send(running.port, before + attempts.ask(target, second), attempts.LIMIT)
            count = answer.count(guarded.SECRET.strip()) + answer.count(guarded.APPLICATION)
            expect(count == 1, f"{count} grants for one on a connection: {answer!r}")
    expect_well(running)


def preflights(t, pair):
    """A guard lets OPTIONS in without a key: a browser's preflight, and nothing else."""
    running = t.use(pair)
    path = b"/cors/file.txt"
    preflight = b"Origin: http://x\r\nAccess-Control-Request-Method: GET\r\n"
    answer = attempts.send(running.port, attempts.ask(path, running.front.base, method=b"OPTIONS", more=preflight), 20)
    # Web servers make of it what they like, once it is let in.
    wanted = (200, 204, 405) if running.front.takes_nobody else (500,)
    expect(attempts.status_of(answer) in wanted, f"the preflight: {answer[:80]!r}")
    expect(not got_through(answer), f"the preflight got the file: {answer!r}")
    running.goal.expect_denied([attempt for attempt in attempts.plain_path(path)
                            if attempt.name not in ("method b'OPTIONS'", "X-Forwarded")] + [
        attempts.Attempt(f"{name} says OPTIONS", lambda credentials, name=name: attempts.ask(
            path, credentials, more=f"{name}: OPTIONS\r\n".encode()), True)
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "Trivet-Method", "X-Forwarded-Method",
                     "Request-Method", "Access-Control-Request-Method")])
    expect(let_in(running, "/cors/file.txt", running.front.good), "the file with the key")


def rewrites(t, pair):
    running = t.use(pair)
    for path in ("/moved/file.txt", "/again/file.txt"):
        made = [attempts.Attempt(each, lambda credentials, each=each: attempts.ask(each.encode(), credentials), each == path)
                for each in (path, path + "?x", "/" + path, path.replace("/file", "/./file"), path.replace("/file", "//file"),
                             path.replace("file", "../again/file"), path.replace("o", "%6f"), path.replace("file", "%2e%2e/private/file"))]
        if running.front.inside and path.startswith("/again"):
            # Rewritten to another address, which Apache tells nobody: it stays what the client asked for.
            made = [attempts.Attempt(each.name, each.request) for each in made]
            equal(running.goal.expect_denied(made), 0, "what is not there")
            continue
        expect(running.goal.expect_denied(made) >= 1, f"{path} was not let in with the key")


def everything_of(trivet):
    """The host's processes, the supervisor first."""
    return [trivet.pid, *faulty.children(trivet.pid)]


def expect_silence_denies(running, what):
    """No grant while the host is not there, from whatever the web server makes of that."""
    made = [attempts.Attempt(path.decode(), lambda credentials, path=path: attempts.ask(path, credentials))
            for path in (*TARGETS.values(), b"/private/file.txt?x") for _ in range(2)]
    answers = web.at_once(len(made), lambda number: attempts.send(running.port, made[number].request(running.front.good), 0.7), 8)
    attempts.fail_with([f"{attempt.name} -> {answer[-60:]!r}" for attempt, answer in zip(made, answers) if got_through(answer)],
              f"requests were GRANTED while the host was {what}")


def back_again(running):
    running.trivet.log.unlink()
    running.trivet.start()
    # lighttpd leaves a backend that failed alone for a moment; what Apache waits with is answered first.
    eventually(lambda: let_in(running, "/private/file.txt", running.front.good), "a grant by the host that is back", 20)
    expect_well(running)


def states(t, pair):
    running = t.use(pair)
    trivet = running.trivet
    stopped = everything_of(trivet)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        expect_silence_denies(running, "stopped by SIGSTOP")
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    eventually(lambda: let_in(running, "/private/file.txt", running.front.good), "a grant by the host that goes on", 20)
    expect_well(running)
    trivet.stop()
    expect_silence_denies(running, "ended by SIGTERM")
    back_again(running)
    killed = everything_of(trivet)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    trivet.kill()
    eventually(lambda: all(faulty.has_ended(pid) for pid in killed), "the end of its workers", 10)
    expect_silence_denies(running, "killed")
    back_again(running)


def _reload_to(running, text, code):
    running.trivet.file.write_text(text)
    told = host.run_trivet(running.trivet.build, "reload", "-c", running.trivet.file)
    equal(told.returncode, code, f"reload: {told.stderr!r}")


def reloads(t, pair):
    running = t.use(pair)
    done = threading.Event()

    def client(number):
        if number == 0:
            try:
                for _ in range(3):
                    told = host.run_trivet(t.build, "reload", "-c", running.trivet.file)
                    equal(told.returncode, 0, f"reload: {told.stderr!r}")
            finally:
                done.set()
            return 5
        asked = 0
        path = ("/private/file.txt", "/account/me")[number % 2]
        while not done.is_set() or asked < 5:
            headers = running.front.good if number < 3 else running.front.bad[asked % 2]
            answer = web.ask(running.port, path, headers=headers, timeout=40 * t.build.slowness)
            expect(got_through(answer.body) == (number < 3), f"{path} with {headers} during a reload: {answer}")
            asked += 1
        return asked

    expect(min(web.at_once(5, client)) >= 5, "too few requests")
    good = running.trivet.file.read_text()
    try:
        _reload_to(running, good + "\n[[route]]\nnonsense = 1\n", 78)
        expect_well(running)
        _reload_to(running, good.replace(site.KEY, "another key"), 0)
        for path in ("/private/file.txt", "/account/me"):
            expect(not let_in(running, path, running.front.good), f"{path} was GRANTED to the key of before the reload")
            expect(let_in(running, path, {**running.front.good, "X-Api-Key": "another key"}), f"{path} with the new key")
    finally:
        _reload_to(running, good, 0)
    expect_well(running)


def stopping(t, pair):
    """SIGTERM while requests come that are to be refused: they are, as long as anybody answers."""
    running = t.use(pair)
    ended = threading.Event()

    def client(number):
        if number == 0:
            time.sleep(0.1)
            running.trivet.send_signal(signal.SIGTERM)
            running.trivet.process.wait(20 * t.build.slowness)
            ended.set()
            return
        headers = running.front.bad[number % 2]
        while not ended.is_set():
            answer = attempts.send(running.port, attempts.ask(TARGETS[("file", "application")[number % 2]], headers), 0.5)
            expect(not got_through(answer), f"GRANTED with {headers} while the host stopped")

    web.at_once(4, client)
    running.trivet.stop()
    expect_silence_denies(running, "gone")
    back_again(running)


TESTS = {
    "who may gets the file and reaches the application under their name, others neither": users_and_files,
    "no plugin that fails is a grant": failing_plugins,
    "a full queue is not a grant": full_queue,
    "no header of a client sets what a guard says": headers_of_clients,
    "no spelling of a guarded path goes around its guard": paths,
    "no host, method or framing goes around a guard": plain_paths,
    "a preflight passes without a key, and nothing else": preflights,
    "a rewrite into a guarded folder meets its guard": rewrites,
    "a host that reloads grants what it should and nothing else": reloads,
    "a host that is stopping grants nothing that it should not": stopping,
    "a host that stands still, has ended or was killed is not a grant": states,
}


SHORT = (users_and_files, failing_plugins, headers_of_clients, paths, plain_paths, preflights)


def add(front):
    suite = Suite(f"never granted: {front.name}")

    @suite.fixture
    def pair(t):
        with guarded.behind(t.build, front) as running:
            yield running

    for name, function in TESTS.items():
        if front.is_short and function not in SHORT:
            continue
        suite.test(name, timeout=90, sanitized=front.is_sanitized)(lambda t, function=function: function(t, pair))


for _front in fronts.FRONTS:
    add(_front)
