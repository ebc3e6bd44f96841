"""nginx auth_request with Trivet as the authorizer: the example's locations, and everything that must not be a grant."""

import signal

from support import examples, refusals, site, web
from support.runner import Suite, equal, expect, one_of

suite = Suite("nginx authorizer")
EXAMPLE = Suite("nginx example")

GOOD = {"X-Api-Key": site.KEY}


@EXAMPLE.fixture
def example(t):
    with examples.nginx(t.build, examples.plugins_and_routes("nginx"), lambda *_: "") as running:
        yield running


def _key_of_the_example():
    return {"X-Api-Key": site.key_of(examples.plugins_and_routes("nginx"))}


@EXAMPLE.test("the responder answers, with the example's files as they are")
def _(t):
    equal(web.ask(t.use(example).port, "/app/x").status, 200, "status")


@EXAMPLE.test("a protected file goes to who has the key, to nobody else")
def _(t):
    port = t.use(example).port
    allowed = web.ask(port, "/private/file.txt", headers=_key_of_the_example())
    equal((allowed.status, allowed.body), (200, refusals.SECRET), "with the key")
    expect(not any(name.lower().startswith("variable-") for name, _ in allowed.headers), f"{allowed.headers}")
    for headers in ({}, {"X-Api-Key": "wrong"}, {"X-Api-Key": ""}):
        denied = web.ask(port, "/private/file.txt", headers=headers)
        one_of(denied.status, (401, 403), f"with {headers}")
        expect(refusals.SECRET not in denied.body, "the file came with the refusal")
    expect(web.ask(port, "/private/file.txt").header("WWW-Authenticate"), "401 has no WWW-Authenticate")


@EXAMPLE.test("the user whom the authorizer names reaches the application, whatever the client claims")
def _(t):
    port = t.use(example).port
    headers = {**_key_of_the_example(), "Remote-User": "mallory", "Authorization": "Basic bWFsbG9yeTp4"}
    seen = site.variables(web.ask(port, "/account/me", headers=headers).body)
    equal(seen.get("REMOTE_USER"), site.user_of(examples.plugins_and_routes("nginx")), "REMOTE_USER")
    one_of(web.ask(port, "/account/me").status, (401, 403), "without the key")
    equal(web.ask(port, "/_trivet/private", headers=_key_of_the_example()).status, 404, "the authorizer from outside")


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


CACHE = """fastcgi_cache_path {folder}/cached keys_zone=z:1m;
fastcgi_cache z;
fastcgi_cache_valid any 10m;
fastcgi_cache_key $scheme$host$request_uri;"""
PAGES = "error_page 401 403 404 500 502 503 504 =200 /open.txt;\n    fastcgi_intercept_errors on;"


@EXAMPLE.test("an error page with =200, or a cache, that is said further out makes no grant of a refusal")
def _(t):
    config = examples.plugins_and_routes("nginx")
    with examples.nginx(t.build, config, lambda *_: "", http=lambda folder: CACHE.format(folder=folder),
                        changes={"error_page 401 = @trivet_denied;": PAGES}) as running:
        (running.trivet.folder / "www" / "open.txt").write_bytes(b"for everybody\n")
        for path in ("/private/file.txt", "/account/me"):
            for _ in range(2):
                allowed = web.ask(running.port, path, headers=_key_of_the_example())
                expect(refusals.SECRET in allowed.body or allowed.body.startswith(b"trivet-echo"), f"with the key: {allowed}")
        # (Of /account/me the application's own answer is in the cache now: that is what was asked for.)
        for headers in ({}, {"X-Api-Key": "wrong"}):
            answer = web.ask(running.port, "/private/file.txt", headers=headers)
            expect(refusals.SECRET not in answer.body, f"GRANTED with {headers}: {answer}")
        running.trivet.send_signal(signal.SIGTERM)
        running.trivet.process.wait(12 * t.build.slowness)
        for headers in ({}, _key_of_the_example()):
            answer = web.ask(running.port, "/private/file.txt", headers=headers)
            expect(refusals.SECRET not in answer.body, f"GRANTED while the host is gone: {answer}")
        running.trivet.end()
        running.trivet.log.unlink()
        running.trivet.start()


def _locations(text, _root):
    """A copy of the example's authorizer for each case, steered as the case says."""
    inside = examples.block(text, "location = /_trivet/private")
    written = []
    twin = refusals.Case("twin", {"TRIVET_ROUTE": "private"})
    for case in [twin, *refusals.CASES]:
        lines = [line for line in inside.splitlines() if "TRIVET_ROUTE" not in line]
        if "TRIVET_ROLE" in case.steer:
            lines = [line for line in lines if "TRIVET_ROLE" not in line]
        lines += [f'fastcgi_param {name} "{value}";' for name, value in case.steer.items()]
        written.append(f"location /case/{case.name}/ {{ auth_request /_trivet/case/{case.name}; }}")
        written.append(f"location = /_trivet/case/{case.name} {{\n" + "\n".join(lines) + "\n}")
    return "\n".join(written)


@suite.fixture
def pair(t):
    for each in ("throws", "silent", "slow"):
        t.build.plugin(each)
    with examples.nginx(t.build, refusals.CONFIG, _locations) as running:
        yield running


def _twin_is_let_in(running, case=None):
    where = case.name if case is not None and case.same_route and "TRIVET_ROLE" not in case.steer else "twin"
    answer = web.ask(running.extra_port, f"/case/{where}/file.txt", headers=GOOD)
    equal((answer.status, answer.body), (200, refusals.SECRET), f"good credentials at {where}")


def _refused(answer, name):
    expect(refusals.SECRET not in answer.body, f"{name} was GRANTED the file")
    expect(answer.status >= 400, f"{name}: {answer.status}")


@suite.test("no refusal or failure is a grant, and its twin gets the file", timeout=90)
def _(t):
    running = t.use(pair)
    for case in refusals.CASES:
        answer = web.ask(running.extra_port, f"/case/{case.name}/file.txt", headers=case.headers)
        _refused(answer, case.name)
        wanted = {401: (401,), 403: (403,), 431: (401, 403, 500)}.get(case.status, (500,))
        one_of(answer.status, wanted, f"status for {case.name}")
        _twin_is_let_in(running, case)


@suite.test("a POST is decided like a GET, and its body reaches nobody before the verdict")
def _(t):
    running = t.use(pair)
    for size in (0, 10, 100000):
        for headers, refused in ((GOOD, False), ({}, True)):
            answer = web.ask(running.extra_port, "/case/twin/file.txt", "POST", b"p" * size, headers=headers)
            # nginx serves no file to a POST: 405 shows that it was let in.
            equal(answer.status, 401 if refused else 405, f"{size} bytes")


@suite.test("two hundred mixed verdicts at once are each right")
def _(t):
    running = t.use(pair)

    def one(number):
        headers = (GOOD, {}, {"X-Api-Key": "wrong"})[number % 3]
        answer = web.ask(running.extra_port, "/case/twin/file.txt", headers=headers, timeout=40)
        return (answer.body == refusals.SECRET) == (number % 3 == 0)

    expect(all(web.at_once(200, one, threads=100)), "a verdict was wrong")
