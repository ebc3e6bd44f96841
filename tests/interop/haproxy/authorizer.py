"""HAProxy asks Trivet by the script that comes with it: what the guard learns, what a client gets, and what is no grant."""

import re
import signal
import socket

from support import examples, host, refusals, site, web
from support.runner import Suite, equal, expect, one_of

suite = Suite("haproxy authorizer")
shaken = Suite("haproxy authorizer shaken")

CONFIG = """
[plugin.says]
[plugin.echo]
[plugin.hangs]
file = "slow.so"
threads = 2
timeout = "300ms"

[[route]]
name = "private"
path = "/private/**"
authorize = ["says"]
authorize_on = ["authorizer"]
variables = ["REMOTE_USER", "AUTH_GROUPS"]
respond = "echo"

[[route]]
name = "second"
path = "/second/**"
authorize = ["says"]

[[route]]
name = "hangs"
path = "/hangs/**"
authorize = ["says", "hangs"]
authorize_on = ["authorizer"]
respond = "echo"
"""

# Trivet stands behind the authorizer, too: `echo` says what reaches an application.
BACKEND = """\
  http-request del-header Authorization
  use-fcgi-app behind
  server private unix@/run/trivet/trivet.sock proto fcgi

fcgi-app behind
  docroot /srv/www
  set-param REMOTE_USER %[var(txn.trivet.REMOTE_USER)]
  set-param AUTH_GROUPS %[var(txn.trivet.AUTH_GROUPS)]
"""


def running(build, lua=None, **changes):
    text = {"  server private 127.0.0.1:8080\n": BACKEND, **changes}
    return examples.haproxy(build, CONFIG, changes=text, lua=lua)


@suite.fixture
def pair(t):
    with running(t.build) as each:
        yield each


def ask(each, verdict, uri="/private/x", method="GET", body=None, **headers):
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.ask(each.port, uri, method, body, headers={"X-Verdict": verdict, **more})


def is_let_in(answer):
    return answer.status == 200 and answer.body.startswith(b"trivet-echo")


@suite.test("who is allowed is let in, with the guard's variables, whatever the client claims")
def _(t):
    each = t.use(pair)
    claims = {"Remote-User": "mallory", "Variable-REMOTE_USER": "mallory", "X_Remote_User": "mallory", "X-Remote-User": "mallory",
              "X.Remote.User": "mallory", "X~Remote~User": "mallory",
              "Txn.trivet.allowed": "private", "Trivet-Route": "other", "Authorization": "Basic bWFsbG9yeTp4"}
    for verdict, user, groups in (("allow", "ann", "staff, ops"), ("nobody", "", "")):
        answer = web.ask(each.port, "/private/x?q=1", headers={"X-Verdict": verdict, **claims})
        expect(is_let_in(answer), f"{answer}")
        seen = site.variables(answer.body)
        equal((seen.get("REMOTE_USER", ""), seen.get("AUTH_GROUPS", "")), (user, groups), verdict)
        equal(seen.get("HTTP_X_REMOTE_USER", ""), user, "the header for other applications")
        alike = [name for name in seen if re.sub("[^A-Z0-9]", "_", name) == "HTTP_X_REMOTE_USER"]
        equal(alike, ["HTTP_X_REMOTE_USER"], "headers that an application may take for it")
        equal(seen["QUERY_STRING"], "q=1", "what reaches the application of the request")
        expect(answer.header("Set-Cookie") is None and answer.header("X-Inner") is None, f"{answer.headers}")


@suite.test("the guard is told of the request what a server tells an application")
def _(t):
    each = t.use(pair)
    for method, body in (("GET", None), ("POST", b"b" * 3000), ("OPTIONS", None), ("PATCH", b""), ("FOO", None)):
        answer = ask(each, "seen", "/private/x%20y?a=1&b=%2F", method, body, Cookie="a=1", Authorization="Basic eDp5",
                     Content_Type="text/x", Trivet_Route="evil", Proxy="http://evil")
        equal(answer.status, 403, method)
        seen = dict(line.split("=", 1) for line in answer.body.decode().splitlines())
        wanted = {"REQUEST_METHOD": method, "REQUEST_URI": "/private/x%20y?a=1&b=%2F", "QUERY_STRING": "a=1&b=%2F",
                  "REMOTE_ADDR": "127.0.0.1", "SERVER_PORT": str(each.port), "HTTP_HOST": f"127.0.0.1:{each.port}",
                  "HTTP_COOKIE": "a=1", "HTTP_AUTHORIZATION": "Basic eDp5", "CONTENT_TYPE": "text/x",
                  "HTTP_TRIVET_ROUTE": "evil", "TRIVET_ROUTE": "private", "SERVER_PROTOCOL": "HTTP/1.1"}
        equal({name: seen.get(name) for name in wanted}, wanted, method)
        expect("HTTP_PROXY" not in seen and "HTTPS" not in seen and "HTTP_CONTENT_LENGTH" not in seen, f"{seen}")
    for other in ("X_Forwarded_For", "X.Forwarded.For", "X~Forwarded~For", "X_Forwarded-For"):
        answer = web.ask(each.port, "/private/x", headers={"X-Verdict": "seen", "X-Forwarded-For": "10.0.0.1", other: "192.0.2.1"})
        said = [line for line in answer.body.decode().splitlines() if "FORWARDED" in line]
        equal(said, ["HTTP_X_FORWARDED_FOR=10.0.0.1"], f"what is made of {other}")
    # A HEAD has no body to say it in.
    equal((ask(each, "403", method="HEAD").status, ask(each, "allow", method="HEAD").status), (403, 200), "HEAD")
    twice = web.raw(each.port, b"GET /private/x HTTP/1.0\r\nX-Verdict: seen\r\nX-A: 1\r\nX-A: 2\r\nCookie: a\r\nCookie: b\r\n\r\n")
    expect(b"\nHTTP_X_A=1, 2\n" in twice and b"\nHTTP_COOKIE=a; b\n" in twice, f"{twice!r}")


@shaken.test("where two routes are asked the variables are those of the last, the cookies all")
def _(t):
    ask_twice = {"  http-request lua.trivet_auth private\n": "  http-request lua.trivet_auth private\n  http-request lua.trivet_auth second\n",
                 "-m str private }\n  http-response": "-m str second }\n  http-response"}
    with running(t.build, **ask_twice) as each:
        answer = ask(each, "cookie")
        expect(is_let_in(answer), f"{answer}")
        equal(site.variables(answer.body).get("REMOTE_USER", ""), "", "a name that the last guard did not say")
        equal(sum(name.lower() == "set-cookie" for name, _ in answer.headers), 2, "cookies")
        equal(ask(each, "403").status, 403, "denied")


@suite.test("a body that was to go with an allowed request does, also a large one")
def _(t):
    each = t.use(pair)
    for size in (0, 3000, 300000):
        answer = ask(each, "allow", method="POST", body=b"b" * size)
        equal((answer.status, len(site.echoed(answer.body))), (200, size), f"{size} bytes")
        equal(ask(each, "403", method="POST", body=b"b" * size).status, 403, f"{size} bytes")


@suite.test("a denial of any size is a denial, and HAProxy lives on")
def _(t):
    each = t.use(pair)
    for size, kept in ((1, True), (11000, True), (13000, False), (16384, False), (60000, False), (70000, None)):
        answer = ask(each, f"body {size}")
        equal(answer.status, 403 if kept is not None else 500, f"{size} bytes")
        equal(len(answer.body) if kept is not None else 26, size if kept else 0 if kept is False else 26, f"{size} bytes")
    for size, status in ((100, 302), (6800, 302), (7000, 500)):
        equal(ask(each, f"head {size}").status, status, f"a head of {size} bytes")
    for size, status in ((100, 200), (3000, 200), (7000, 500)):
        answer = ask(each, f"user {size}")
        equal((answer.status, is_let_in(answer)), (status, status == 200), f"a variable of {size} bytes")


@suite.test("a request of any size and number of headers is decided, or refused by HAProxy")
def _(t):
    each = t.use(pair)
    for count in (50, 90, 95, 97, 98, 99, 100, 101, 200):
        for verdict, statuses in (("allow", (200, 400)), ("403", (403, 400))):
            more = {f"x-many-{number}": "m" for number in range(count)}
            answer = web.ask(each.port, "/private/x", headers={"X-Verdict": verdict, **more})
            one_of(answer.status, statuses, f"{verdict} with {count} more headers")
            expect(is_let_in(answer) == (answer.status == 200), f"{answer}")
    for size, status in ((100, 429), (14000, 429), (17000, 400)):
        equal(ask(each, "429", "/private/" + "u" * size).status, status, f"a URI of {size} bytes")
        equal(ask(each, "429", X_Big="h" * size).status, status, f"a header of {size} bytes")


@suite.test("three hundred mixed verdicts at once, and many on one connection, are each right")
def _(t):
    each = t.use(pair)
    verdicts = (("allow", 200), ("403", 403), ("body 60000", 403), ("302", 302))
    answers = web.at_once(300, lambda number: ask(each, verdicts[number % 4][0]), threads=60)
    equal([answer.status for answer in answers], [verdicts[number % 4][1] for number in range(300)], "status")
    kept = web.Kept(each.port)
    for verdict, status in (("allow", 200), ("403", 403), ("nobody", 200), ("throw", 500), ("302", 302), ("allow", 200)) * 3:
        answer = kept.ask("/private/x", headers={"X-Verdict": verdict})
        equal(answer.status, status, verdict)
        if status == 200:
            equal(site.variables(answer.body).get("REMOTE_USER", ""), "ann" if verdict == "allow" else "", "nobody else's name")
    kept.close()


@suite.test("no spelling of a guarded path leads past the authorizer to what is behind it")
def _(t):
    each = t.use(pair)
    let_in = 0
    for uri in refusals.spellings("private", "x", "app"):
        answer = ask(each, "403", uri)
        # Trivet's own route of that path sees the request where HAProxy takes it for another: it is open there.
        expect("REMOTE_USER" not in site.variables(answer.body) if is_let_in(answer) else answer.status >= 400, f"{uri}: {answer}")
        let_in += is_let_in(ask(each, "allow", uri))
    expect(let_in >= 3, f"only {let_in} spellings were let in")


@shaken.test("a script that fails, or that asks nobody, lets nobody in")
def _(t):
    soon = {"  setenv TRIVET_ADDRESS": "  tune.lua.session-timeout 300ms\n  setenv TRIVET_ADDRESS"}
    script = (examples.CONF / "haproxy" / "trivet_auth.lua").read_text()
    for old, new in (("local asked, ", 'error("on purpose") local asked, '), ("local asked, ", "txn.nothing.there() local asked, "),
                     ("local asked, ", "while true do end local asked, "), ("{\"http-req\"}, function(txn, route)", "{\"http-req\"}, "
                      "function(txn, route) if true then return end")):
        expect(script.count(old) == 1, f"the script has no single {old!r}")
        with host.temporary_folder() as folder:
            (folder / "broken.lua").write_text(script.replace(old, new))
            with running(t.build, folder / "broken.lua", **soon) as each:
                equal(ask(each, "allow").status, 500, f"with {new!r}")


@shaken.test("a plugin that is late, and a host that is gone, let nobody in; one that is back is asked again")
def _(t):
    late = {"lua.trivet_auth private": "lua.trivet_auth hangs", "-m str private": "-m str hangs"}
    with running(t.build, **late) as each:
        equal(web.ask(each.port, "/private/x?ms=5000", headers={"X-Verdict": "allow"}).status, 504, "a guard past its timeout")
        equal(ask(each, "allow", "/private/x?ms=1").status, 200, "a guard within it")
        equal(ask(each, "403", "/private/x?ms=1").status, 403, "the guard before it")
    with running(t.build, **{"-m str private": "-m str other"}) as each:
        equal(ask(each, "allow").status, 500, "allowed for one route, and another was asked for")
    with running(t.build) as each:
        equal(ask(each, "allow").status, 200, "before")
        each.trivet.send_signal(signal.SIGTERM)
        each.trivet.process.wait(12 * t.build.slowness)
        for _ in range(3):
            equal(ask(each, "allow").status, 500, "a host that is gone")
        each.trivet.end()
        each.trivet.log.unlink()
        each.trivet.start()
        equal(ask(each, "allow").status, 200, "a host that is back")


@shaken.test("half answers, answers of others, and clients that leave are no grant and cost nothing")
def _(t):
    whole = b"Status: 200 OK\r\nVariable-REMOTE_USER: ann\r\n\r\n"

    def record(kind, content, number=1, version=1):
        return bytes((version, kind)) + number.to_bytes(2, "big") + len(content).to_bytes(2, "big") + b"\0\0" + content

    end = record(3, bytes(8))
    cases = [b"", whole, record(6, whole), record(6, whole) + record(6, b""), record(6, whole) + end[:-1],
             record(6, whole[:-2]) + end, record(6, whole, 2) + end, record(6, whole, 1, 2) + end, record(7, whole) + end, end,
             record(6, whole) + record(3, b"\0\0\0\1\0\0\0\0"), record(6, whole) + record(3, b"\0\0\0\0\1\0\0\0"),
             record(6, b"Status: 200OK\r\n\r\n") + end, record(6, b"Content-Type: a\r\n\r\n") + end, record(6, b"Status: 206 x\r\n\r\n") + end,
             record(6, b"Status: 200 OK\r\n" + b"X: y\r\n" * 3000 + b"\r\n") + end, record(6, b"Status: 999 x\r\n\r\n") + end]
    with host.temporary_folder() as folder:
        with running(t.build, **{"setenv TRIVET_ADDRESS unix@/run/trivet/trivet.sock": f"setenv TRIVET_ADDRESS unix@{folder}/i.sock"}) as each:
            link = socket.socket(socket.AF_UNIX)
            link.bind(str(folder / "i.sock"))
            link.listen(64)
            (folder / "i.sock").chmod(0o777)
            link.settimeout(20)

            def question(content, close=True):
                peer, _ = link.accept()
                peer.settimeout(20)
                got = b""
                while not got.endswith(record(5, b"")):
                    got += peer.recv(65536)
                peer.sendall(content)
                if close:
                    peer.close()
                return peer

            for content in [*cases, record(6, whole) + end]:
                answers = []
                work = [lambda c=content: question(c), lambda: answers.append(ask(each, "allow"))]
                web.at_once(2, lambda number, w=work: w[number]())
                granted = content == record(6, whole) + end
                equal(answers[0].status, 200 if granted else 500, f"{content[:80]!r}")
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", each.port)) as client:
                    client.sendall(b"GET /private/x HTTP/1.1\r\nHost: x\r\nX-Verdict: allow\r\n\r\n")
                    peer = question(b"", close=False)
                peer.close()
            link.close()
