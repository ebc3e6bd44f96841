"""lighttpd: responders, and mode=authorizer, where an answer without Status would be a grant."""

import random

from support import examples, refusals, site, web
from support.runner import Suite, equal, eventually, expect, one_of

EXAMPLE = Suite("lighttpd example")
suite = Suite("lighttpd authorizer")
responder = Suite("lighttpd responder")

GOOD = {"X-Api-Key": site.KEY}


@EXAMPLE.fixture
def example(t):
    with examples.lighttpd(t.build, examples.plugins_and_routes("lighttpd"), lambda *_: "") as running:
        yield running


def _key_of_the_example():
    return {"X-Api-Key": site.key_of(examples.plugins_and_routes("lighttpd"))}


@EXAMPLE.test("the responder answers, with the example's files as they are")
def _(t):
    equal(web.ask(t.use(example).port, "/app/x").status, 200, "status")


@EXAMPLE.test("a protected file goes to who has the key, to nobody else")
def _(t):
    port = t.use(example).port
    allowed = web.ask(port, "/private/file.txt", headers=_key_of_the_example())
    equal((allowed.status, allowed.body), (200, refusals.SECRET), "with the key")
    expect(not any(name.lower().startswith("variable-") for name, _ in allowed.headers), f"{allowed.headers}")
    for headers in ({}, {"X-Api-Key": "wrong"}):
        denied = web.ask(port, "/private/file.txt", headers=headers)
        one_of(denied.status, (401, 403), f"with {headers}")
        expect(refusals.SECRET not in denied.body, "the file came with the refusal")
        expect(denied.body, "lighttpd passes the authorizer's body on, and there is none")
    expect(web.ask(port, "/private/file.txt").header("WWW-Authenticate"), "401 has no WWW-Authenticate")


@EXAMPLE.test("the user whom the authorizer names reaches the application, whatever the client claims")
def _(t):
    port = t.use(example).port
    headers = {**_key_of_the_example(), "Remote-User": "mallory", "Variable-Remote-User": "mallory"}
    seen = site.variables(web.ask(port, "/account/me", headers=headers).body)
    equal(seen.get("REMOTE_USER"), site.user_of(examples.plugins_and_routes("lighttpd")), "REMOTE_USER")
    one_of(web.ask(port, "/account/me").status, (401, 403), "without the key")


@EXAMPLE.test("no spelling of a guarded path goes around its guard")
def _(t):
    port = t.use(example).port
    for first, rest in (("private", "file.txt"), ("account", "me")):
        let_in = 0
        for uri in refusals.spellings(first, rest, "app"):
            answer = web.ask(port, uri)
            expect(refusals.SECRET not in answer.body and not answer.body.startswith(b"trivet-echo"),
                   f"{uri} was let in without a key: {answer}")
            answer = web.ask(port, uri, headers=_key_of_the_example())
            let_in += refusals.SECRET in answer.body or answer.body.startswith(b"trivet-echo")
        expect(let_in >= 3, f"only {let_in} spellings of /{first}/{rest} were let in with the key")


def _guards(trivet, root):
    """An authorizer entry like the example's for each case, steered as the case says."""
    written = []
    twin = refusals.Case("twin", {"TRIVET_ROUTE": "private"})
    for case in [twin, *refusals.CASES, *refusals.ROLES]:
        steer = ", ".join(f'"{name}" => "{value}"' for name, value in case.steer.items())
        (root / "case" / case.name).mkdir(exist_ok=True)
        (root / "case" / case.name / "file.txt").write_bytes(refusals.SECRET)
        written.append(f"""
$HTTP["url"] =~ "^/case/{case.name}(/|$)" {{
  setenv.set-environment = ( {steer} )
  fastcgi.server = ( "/case/{case.name}" =>
    (( "socket" => "{trivet.socket_path}", "mode" => "authorizer", "check-local" => "disable", "docroot" => "{root}" )))
}}""")
    return "\n".join(written)


@suite.fixture
def pair(t):
    for each in ("throws", "silent", "slow"):
        t.build.plugin(each)
    with examples.lighttpd(t.build, refusals.CONFIG, _guards) as running:
        yield running


def _twin_is_let_in(running, case=None):
    where = case.name if case is not None and case.same_route and "TRIVET_ROLE" not in case.steer else "twin"
    answer = web.ask(running.port, f"/case/{where}/file.txt", headers=GOOD)
    equal((answer.status, answer.body), (200, refusals.SECRET), f"good credentials at {where}")


def _refused(answer, name):
    expect(refusals.SECRET not in answer.body, f"{name} was GRANTED the file")
    expect(answer.status >= 400, f"{name}: {answer.status}")


@suite.test("no refusal or failure is a grant, its status arrives, and its twin gets the file", timeout=90)
def _(t):
    running = t.use(pair)
    for case in refusals.CASES + refusals.ROLES:
        if "TRIVET_ROUTE" in case.steer and not case.steer["TRIVET_ROUTE"]:
            continue  # lighttpd sets no empty variables
        answer = web.ask(running.port, f"/case/{case.name}/file.txt", headers=case.headers)
        _refused(answer, case.name)
        equal(answer.status, case.status, f"status for {case.name}")
        _twin_is_let_in(running, case)


@suite.test("a POST is decided like a GET")
def _(t):
    running = t.use(pair)
    for size in (0, 10, 100000):
        _refused(web.ask(running.port, "/case/twin/file.txt", "POST", b"p" * size), f"{size} bytes without the key")
    _twin_is_let_in(running)


@suite.test("two hundred mixed verdicts at once are each right")
def _(t):
    running = t.use(pair)

    def one(number):
        headers = (GOOD, {}, {"X-Api-Key": "wrong"})[number % 3]
        answer = web.ask(running.port, "/case/twin/file.txt", headers=headers, timeout=40)
        return (answer.body == refusals.SECRET) == (number % 3 == 0)

    expect(all(web.at_once(200, one, threads=100)), "a verdict was wrong")


def _responders(trivet, _root):
    return f"""
fastcgi.server += ( "/echo" => (( "socket" => "{trivet.socket_path}", "check-local" => "disable" )),
                    "/stream" => (( "socket" => "{trivet.socket_path}", "check-local" => "disable" )),
                    "/hello" => (( "socket" => "{trivet.socket_path}", "check-local" => "disable" )),
                    "/posts" => (( "socket" => "{trivet.socket_path}", "check-local" => "disable" )))
"""


@responder.fixture
def backend(t):
    with examples.lighttpd(t.build, site.CONFIG, _responders) as running:
        yield running


@responder.test("GET, HEAD, 405 and four mebibytes of POST work")
def _(t):
    port = t.use(backend).port
    equal(web.ask(port, "/hello").status, 200, "GET")
    head = web.raw(port, b"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    expect(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1, f"{head!r}")
    equal(web.ask(port, "/posts/a").status, 405, "another method")
    body = random.Random(4).randbytes(4 << 20)
    for uri in ("/echo/a", "/stream/a"):
        answer = web.ask(port, uri, "POST", body, timeout=30 * t.build.slowness)
        back = site.echoed(answer.body) if uri == "/echo/a" else answer.body
        equal((answer.status, back == body), (200, True), uri)


@responder.test("two hundred requests at once are all answered and no connection stays")
def _(t):
    running = t.use(backend)

    def one(number):
        body = b"request %d" % number
        return site.echoed(web.ask(running.port, "/echo/a", "POST", body, timeout=40).body) == body

    expect(all(web.at_once(200, one, threads=100)), "an answer was wrong")
    eventually(lambda: running.trivet.connections() == 0, "all connections are gone")
