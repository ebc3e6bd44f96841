"""Apache's mod_fcgid: it starts Trivet by itself, for responders and for its three kinds of authorizer."""

import os
import random
import signal

from support import examples, refusals, site, web
from support.runner import Suite, equal, eventually, expect

EXAMPLE = Suite("mod_fcgid example")
responder = Suite("mod_fcgid responder")
authorizer = Suite("mod_fcgid authorizer")
phases = Suite("mod_fcgid phases")

GOOD = {"X-Api-Key": site.KEY}
CONFIG = examples.plugins_and_routes("apache")
KEY = {"X-Api-Key": site.key_of(CONFIG)}

basic = examples.basic
ANN, BOB = basic("ann", "ann's word"), basic("bob", "bob's word")

def expect_nothing_leaked(answer):
    leaked = [name for name, _ in answer.headers if name.lower().startswith("variable-") or name.lower() == "status"]
    equal(leaked, [], "what of the authorizer's answer the client saw")

# --- the example ---

@EXAMPLE.fixture
def example(t):
    with examples.apache(t.build, CONFIG, lambda *_: "") as running:
        yield running

@EXAMPLE.test("the responder answers")
def _(t):
    equal(web.ask(t.use(example).port, "/app/x").status, 200, "status")

@EXAMPLE.test("a protected file goes to who has the key, to nobody else, and the verdict to nobody")
def _(t):
    port = t.use(example).port
    allowed = web.ask(port, "/private/file.txt", headers=KEY)
    equal((allowed.status, allowed.body), (200, refusals.SECRET), "with the key")
    expect_nothing_leaked(allowed)
    for headers in ({}, {"X-Api-Key": "wrong"}):
        denied = web.ask(port, "/private/file.txt", headers=headers)
        equal(denied.status, 401, f"with {headers}")
        expect(refusals.SECRET not in denied.body, "the file came with the refusal")
    expect(web.ask(port, "/private/file.txt").header("WWW-Authenticate"), "401 has no WWW-Authenticate")

@EXAMPLE.test("the user whom the authorizer names reaches the application, whatever the client claims")
def _(t):
    port = t.use(example).port
    headers = {**KEY, "Remote-User": "mallory", "Variable-Remote-User": "mallory", "Trivet-Route": "app"}
    answer = web.ask(port, "/account/me", headers=headers)
    equal(site.variables(answer.body).get("REMOTE_USER"), site.user_of(CONFIG), "REMOTE_USER")
    expect_nothing_leaked(answer)
    equal(web.ask(port, "/account/me").status, 401, "without the key")

@EXAMPLE.test("Satisfy Any, said further out, lets nobody past an authorizer")
def _(t):
    def directory(_command, root):
        return f'<Directory "{root}">\n  Satisfy Any\n</Directory>\n<Directory "/">\n  Satisfy Any\n</Directory>'

    with examples.apache(t.build, CONFIG, directory, ["fcgid", "access_compat"]) as running:
        for path in ("/private/file.txt", "/account/me"):
            denied = web.ask(running.port, path)
            equal(denied.status, 401, f"{path} without the key")
            expect(refusals.SECRET not in denied.body and not denied.body.startswith(b"trivet-echo"), f"GRANTED: {denied}")
        equal(web.ask(running.port, "/private/file.txt", headers=KEY).body, refusals.SECRET, "with the key")

@EXAMPLE.test("who has a password needs the key too, and the other way round")
def _(t):
    running = t.use(example)
    (running.trivet.folder / "www" / "members").mkdir(exist_ok=True)
    (running.trivet.folder / "www" / "members" / "file.txt").write_bytes(refusals.SECRET)
    for headers, status in (({}, 401), (KEY, 401), (ANN, 401), ({**KEY, **basic("ann", "wrong")}, 401),
                            ({**KEY, **ANN}, 200)):
        answer = web.ask(running.port, "/members/file.txt", headers=headers)
        equal((answer.status, refusals.SECRET in answer.body), (status, status == 200), f"with {headers}")

@EXAMPLE.test("no spelling of a guarded path goes around its guard")
def _(t):
    port = t.use(example).port
    for first, rest in (("private", "file.txt"), ("account", "me")):
        let_in = 0
        for uri in refusals.spellings(first, rest, "app"):
            answer = web.ask(port, uri)
            expect(refusals.SECRET not in answer.body and not answer.body.startswith(b"trivet-echo"),
                   f"{uri} was let in without a key: {answer}")
            answer = web.ask(port, uri, headers=KEY)
            let_in += refusals.SECRET in answer.body or answer.body.startswith(b"trivet-echo")
        expect(let_in >= 3, f"only {let_in} spellings of /{first}/{rest} were let in with the key")

# --- as a responder ---

def _applications(command, _root):
    return "\n".join(f"""
<Location "/{each}">
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
  {steer}
</Location>""" for each, steer in (("hello", ""), ("echo", ""), ("stream", ""), ("posts", ""), ("write", ""), ("slow", ""),
                                   ("inside", 'SetEnvIf Request_URI "^" TRIVET_ROUTE=members')))

@responder.fixture
def backend(t):
    with examples.apache(t.build, site.CONFIG, _applications) as running:
        yield running

@responder.test("GET, HEAD and 405 work, and guards within Trivet run")
def _(t):
    port = t.use(backend).port
    get = web.ask(port, "/hello")
    equal((get.status, get.header("Content-Length")), (200, str(len(get.body))), "GET")
    head = web.raw(port, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, f"{head!r}")
    equal(web.ask(port, "/posts/a").status, 405, "another method")
    equal(web.ask(port, "/inside/a").status, 401, "without the key")
    equal(web.ask(port, "/inside/a", headers=GOOD).status, 200, "with the key")

@responder.test("four mebibytes come back though mod_fcgid writes them all before it reads")
def _(t):
    port = t.use(backend).port
    body = random.Random(4).randbytes(4 << 20)
    for uri in ("/echo/a", "/stream/a"):
        for chunked in (False, True):
            sent = (body[at:at + 30000] for at in range(0, len(body), 30000)) if chunked else body
            answer = web.ask(port, uri, "POST", sent, timeout=30 * t.build.slowness, chunked=chunked)
            back = site.echoed(answer.body) if uri == "/echo/a" else answer.body
            equal((answer.status, back == body), (200, True), f"{uri} chunked={chunked}")

@responder.test("a large answer arrives whole")
def _(t):
    answer = web.ask(t.use(backend).port, "/write/a?n=5000000", timeout=30 * t.build.slowness)
    equal((answer.status, answer.body == site.written(5000000)), (200, True), "answer")

@responder.test("two hundred requests at once are all answered", timeout=120)
def _(t):
    running = t.use(backend)

    def one(number):
        body = b"request %d" % number
        return site.echoed(web.ask(running.port, "/echo/a", "POST", body, timeout=60 * t.build.slowness).body) == body

    expect(all(web.at_once(200, one, threads=100)), "an answer was wrong")

@responder.test("a process that was killed is replaced, one that is told twice to stop ends its request first")
def _(t):
    running = t.use(backend)
    equal(web.ask(running.port, "/hello").status, 200, "before")
    for pid in running.trivet.pids():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: web.ask(running.port, "/hello").status == 200, "an answer again", 10)

    def one(number):
        if number == 0:
            return web.ask(running.port, "/slow/a?ms=700", timeout=30 * t.build.slowness).status
        eventually(running.trivet.busy, "the request")
        for _ in range(2):
            for pid in running.trivet.pids():
                os.kill(pid, signal.SIGTERM)
        return 0

    equal(web.at_once(2, one, threads=2)[0], 200, "the request that ran")
    eventually(lambda: not running.trivet.pids(), "their end", 6)
    eventually(lambda: web.ask(running.port, "/hello").status == 200, "an answer again", 10)

# --- what must never be a grant ---

DIRECTIVES = {
    "checker": 'FcgidAccessChecker "{command}"\n  Require all granted',
    "authn": 'AuthType Basic\n  AuthName x\n  AuthUserFile /dev/null\n  AuthBasicAuthoritative Off\n'
             '  FcgidAuthenticator "{command}"\n  Require valid-user',
    "authz": 'AuthType Basic\n  AuthName x\n  AuthUserFile {root}/../users\n  FcgidAuthorizer "{command}"\n'
             '  Require valid-user',
}

def _guards(command, root):
    """A section for each case and directive, steered as the case says."""
    written = []
    twin = refusals.Case("twin", {"TRIVET_ROUTE": "private"})
    for kind, directive in DIRECTIVES.items():
        for case in [twin, *refusals.CASES, *refusals.ROLES]:
            folder = root / kind / case.name
            folder.mkdir(parents=True)
            (folder / "file.txt").write_bytes(refusals.SECRET)
            steer = "\n".join(f'  SetEnvIf Request_URI "^" {name}={value}' for name, value in case.steer.items())
            written.append(f"""
<Location "/{kind}/{case.name}">
  {directive.format(command=command, root=root)}
{steer}
</Location>""")
    return "\n".join(written)

@authorizer.fixture
def pair(t):
    for each in ("throws", "silent", "slow"):
        t.build.plugin(each)
    with examples.apache(t.build, refusals.CONFIG, _guards) as running:
        yield running

def _ask(running, kind, name, headers):
    return web.ask(running.port, f"/{kind}/{name}/file.txt", headers={**ANN, **headers}, timeout=40)

def _twin_is_let_in(running, kind, case=None):
    where = case.name if case is not None and case.same_route and "TRIVET_ROLE" not in case.steer else "twin"
    answer = _ask(running, kind, where, GOOD)
    equal((answer.status, answer.body), (200, refusals.SECRET), f"good credentials at {kind} {where}")

def _never_granted(t, kind):
    running = t.use(pair)
    for case in refusals.CASES + refusals.ROLES:
        running.web.mark_log()
        answer = _ask(running, kind, case.name, case.headers)
        expect(refusals.SECRET not in answer.body, f"{case.name} was GRANTED the file")
        # mod_fcgid makes 401 of each, and logs what Trivet said.
        equal(answer.status, 401, f"status of {case.name}")
        expect(f"script returned status {case.status}" in running.web.log_since_mark(),
               f"Trivet did not say {case.status} to {case.name}")
        _twin_is_let_in(running, kind, case)

@authorizer.test("FcgidAccessChecker: no refusal or failure is a grant, and its twin gets the file", timeout=120)
def _(t):
    _never_granted(t, "checker")

@authorizer.test("FcgidAuthenticator: no refusal or failure is a grant, and its twin gets the file", timeout=120)
def _(t):
    _never_granted(t, "authn")

@authorizer.test("FcgidAuthorizer: no refusal or failure is a grant, and its twin gets the file", timeout=120)
def _(t):
    _never_granted(t, "authz")

@authorizer.test("a POST is decided like a GET")
def _(t):
    running = t.use(pair)
    for size in (0, 10, 100000):
        answer = web.ask(running.port, "/checker/twin/file.txt", "POST", b"p" * size)
        equal((answer.status, refusals.SECRET in answer.body), (401, False), f"{size} bytes without the key")
    _twin_is_let_in(running, "checker")

@authorizer.test("two hundred mixed verdicts at once are each right", timeout=120)
def _(t):
    running = t.use(pair)

    def one(number):
        headers = (GOOD, {}, {"X-Api-Key": "wrong"})[number % 3]
        answer = web.ask(running.port, "/checker/twin/file.txt", headers=headers, timeout=60 * t.build.slowness)
        return (answer.body == refusals.SECRET) == (number % 3 == 0)

    expect(all(web.at_once(200, one, threads=100)), "a verdict was wrong")

@authorizer.test("a host that cannot start is not a grant, and once it can it is asked again", timeout=90)
def _(t):
    running = t.use(pair)
    file = running.trivet.file
    good = file.read_text()
    file.write_text(good + "\n[[route]]\nnonsense = 1\n")
    for pid in running.trivet.pids():
        os.kill(pid, signal.SIGTERM)
    eventually(lambda: not running.trivet.pids(), "their end")
    for kind in DIRECTIVES:
        for _ in range(2):
            answer = _ask(running, kind, "twin", GOOD)
            # 503 as long as mod_fcgid counts the processes that ended among those that run.
            expect(answer.status in (500, 503) and refusals.SECRET not in answer.body,
                   f"{kind} without a host: {answer.status}")
    eventually(lambda: _ask(running, "checker", "twin", GOOD).status == 500 and "nonsense" in running.web.log_text(),
               "the reason in Apache's error log", 20)
    file.write_text(good)
    eventually(lambda: _ask(running, "checker", "twin", GOOD).status == 200, "asked again", 20)

# --- the phases ---

PHASES = """
[plugin.door]
file = "phases.so"
config = { user = "ann", password = "open" }

[plugin.echo]

[[route]]
name = "checker"
path = "/all/**"
phase = "access_checker"
authorize = "door"
variables = ["SEEN_ACCESS_CHECKER"]

[[route]]
name = "authenticator"
path = "/all/**"
phase = "authenticator"
authorize = "door"
variables = ["SEEN_AUTHENTICATOR"]

[[route]]
name = "authorizer"
path = "/all/**"
phase = "authorizer"
authorize = "door"
variables = ["SEEN_AUTHORIZER"]

[[route]]
name = "all"
path = "/all/**"
respond = "echo"
"""

def _all_three(command, _root):
    return f"""
<Location "/all">
  AuthType Basic
  AuthName "all"
  AuthUserFile /dev/null
  AuthBasicAuthoritative Off
  FcgidAccessChecker "{command}"
  FcgidAuthenticator "{command}"
  FcgidAuthorizer "{command}"
  SetEnvIf Request_URI "^" TRIVET_PATH=/all
  Require valid-user
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
</Location>"""

@phases.fixture
def door(t):
    t.build.plugin("phases")
    with examples.apache(t.build, PHASES, _all_three) as running:
        yield running

@phases.test("each of the three questions meets its own route, and all their variables reach the application")
def _(t):
    running = t.use(door)
    answer = web.ask(running.port, "/all/x", headers=basic("ann", "open"))
    equal(answer.status, 200, "status")
    seen = site.variables(answer.body)
    equal([seen.get(f"SEEN_{each}") for each in ("ACCESS_CHECKER", "AUTHENTICATOR", "AUTHORIZER")],
          ["yes", "ann", "ann"], "what the guards said")
    equal(seen.get("REMOTE_USER"), "ann", "REMOTE_USER")
    equal(len(running.trivet.pids()), 1, "processes for four directives with one command")

@phases.test("each of the three can refuse")
def _(t):
    running = t.use(door)
    for headers, said in (({**basic("ann", "open"), "X-Blocked": "yes"}, "status=403 reason=\"guard \\\"door\\\": blocked"),
                          (basic("ann", "shut"), "status=401 reason=\"guard \\\"door\\\": wrong password"),
                          (basic("eve", "open"), "status=403 reason=\"guard \\\"door\\\": not this user")):
        running.web.mark_log()
        equal(web.ask(running.port, "/all/x", headers=headers).status, 401, said)
        expect(said in running.web.log_since_mark(), f"the log does not say {said}: {running.web.log_since_mark()}")

@phases.test("a redirection is refused, for mod_fcgid carries none")
def _(t):
    answer = web.ask(t.use(door).port, "/all/x?redirect", headers=basic("ann", "open"))
    equal((answer.status, answer.header("Location")), (401, None), "what the client sees of a 302")
