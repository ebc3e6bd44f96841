"""What `trivet snippet` makes, taken by each server's own checker, and run: who gets a guarded file, and who does not."""

import base64
import json
import pathlib
import random
import re
import signal
import urllib.parse

from support import host, refusals, site, snippets, web
from support.runner import Suite, equal, eventually, expect, one_of

GOOD = {"X-Api-Key": site.KEY}
FORGED = {"Remote-User": "mallory", "Remote_User": "mallory", "Remote.User": "mallory", "Remote~User": "mallory",
          "Unset": "mallory", "Authorization": "Basic bWFsbG9yeTp4",
          "Variable-Remote-User": "mallory"}
ASKING = ["nginx", "apache-mod_fcgid", "apache-authnz", "lighttpd", "caddy", "haproxy"]
NOT_ASKING = ["apache-proxy", "h2o"]


def refused(answer, what):
    expect(refusals.SECRET not in answer.body, f"{what} got the file")
    expect(400 <= answer.status < 600, f"{what}: {answer}")


def granted(answer, what):
    equal((answer.status, answer.body), (200, refusals.SECRET), what)
    expect(not any(name.lower().startswith(("variable-", "x-trivet")) for name, _ in answer.headers), f"{what}: {answer}")


def protects(port):
    for uri in ("/private/file.txt", "/private/file.txt?x=y", "/private/nested/file.txt",
                "/rooms/ann/inner/file.txt", "/single.txt"):
        granted(web.ask(port, uri, headers=GOOD), f"{uri} with the key")
        for headers in ({}, {"X-Api-Key": "wrong"}, {"X-Api-Key": ""}, FORGED):
            refused(web.ask(port, uri, headers=headers), f"{uri} with {headers}")
    granted(web.ask(port, "/wide/deep/hidden/file.txt", headers=GOOD), "a folder wherever it is")
    for many in (0, 100, 1000, 1500, 2000, 3000):  # Past what a regular expression is given room for.
        answer = web.ask(port, "/wide/deep/hidden/file.txt" + "/a" * many)
        one_of(answer.status, (401, 403), f"{many} segments more: {answer}")  # Not 404: what is guarded was not asked.
    for uri in ("/single.txt/", "/single.txt/more", "/private/file.txt/more", "/private/%ff/../file.txt",
                "/private/file.txt/%ff"):
        refused(web.ask(port, uri), uri)
    for uri in ("/private/file.txt%zz", "/private/file.txt%", "/private/%zz/file.txt", "/%private/file.txt",
                "/private;x/file.txt"):
        expect(refusals.SECRET not in web.raw(port, f"GET {uri} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()),
               f"{uri} got the file")
    expect(b"ello" in web.ask(port, "/gone.txt/other").body, "a route below the path of another")
    expect(web.ask(port, "/private/file.txt").header("WWW-Authenticate"), "401 has no WWW-Authenticate")
    granted(web.ask(port, "/into/file.txt", headers=GOOD), "rewritten into the guarded folder, with the key")
    refused(web.ask(port, "/into/file.txt"), "rewritten into the guarded folder")


def answers(port):
    """Routes with `respond`, guards in Trivet, and the first route that fits."""
    for uri in ("/app/x", "/app", "/private/open/x", "/rooms/x", "/rooms/ann/innermost"):
        answer = web.ask(port, uri)
        expect(answer.status == 200 and b"ello" in answer.body, f"{uri}: {answer}")
    equal(site.variables(web.ask(port, "/members/x", headers=GOOD).body).get("REMOTE_USER"), site.USER, "guarded in Trivet")
    one_of(web.ask(port, "/members/x").status, (401, 403), "/members without the key")
    one_of(web.ask(port, "/shout/file.txt").status, (403, 404, 500), "a route that only filters")
    for uri in ("/application", "/apps/file.txt"):
        equal(web.ask(port, uri).status, 404, uri)


def tells(port):
    """An application that the web server asks for, in FastCGI: variables of the guard, whatever the client says."""
    seen = site.variables(web.ask(port, "/account/me", headers={**GOOD, **FORGED}).body)
    equal(seen.get("REMOTE_USER"), site.USER, "REMOTE_USER")
    equal(seen.get("UNSET", ""), "", "a declared variable that no guard set")
    one_of(seen.get("HTTP_REMOTE_USER", ""), ("", site.USER), "the header of that name")
    answer = web.ask(port, "/nobody/me", headers=FORGED)
    one_of(site.variables(answer.body).get("REMOTE_USER", ""), ("", "trivet"), "a user whom no guard named")
    one_of(site.variables(answer.body).get("AUTH_TYPE", ""), ("", "None"), "how somebody whom no guard named came in")
    for headers in ({}, FORGED):
        answer = web.ask(port, "/account/me", headers=headers)
        one_of(answer.status, (401, 403), f"/account with {headers}")
        expect(b"trivet-echo" not in answer.body, "the application was asked")


def proxies(port):
    """The same for one behind HTTP."""
    answer = web.ask(port, "/proxied/me", headers={**GOOD, **FORGED})
    expect(answer.body.startswith(b"backend "), f"{answer}")
    got = [value for name, value in json.loads(answer.body[8:]) if re.sub("[_.]", "-", name.lower()) == "remote-user"]
    equal(got, [site.USER], "what says who it is")
    got = [value for name, value in json.loads(answer.body[8:]) if name.lower() == "unset" and value]
    equal(got, [], "what no guard set")
    refused(web.ask(port, "/proxied/me", headers=FORGED), "an application behind HTTP")


def redirects(port, carries):
    answer = web.ask(port, "/login/file.txt?redirect")
    refused_or_sent = (302, "https://login.example/") if carries else (401, None)
    equal((answer.status, answer.header("Location")), refused_or_sent, "a guard that sends to the login page")
    expect(refusals.SECRET not in answer.body, "the file came with the redirect")
    granted(web.ask(port, "/limited/file.txt", headers=GOOD), "the first of an hour")
    answer = web.ask(port, "/limited/file.txt", headers=GOOD)
    refused(answer, "the second of an hour")
    if carries:
        equal(answer.status, 429, "the second of an hour")
        expect(int(answer.header("Retry-After") or 0) > 0, f"no Retry-After: {answer}")


def spelled(port):
    for first, rest in (("private", "file.txt"), ("account", "me")):
        let_in = 0
        for uri in refusals.spellings(first, rest, "app"):
            answer = web.ask(port, uri)
            expect(refusals.SECRET not in answer.body and not answer.body.startswith(b"trivet-echo"),
                   f"{uri} was let in without a key: {answer}")
            answer = web.ask(port, uri, headers=GOOD)
            let_in += refusals.SECRET in answer.body or answer.body.startswith(b"trivet-echo")
        expect(let_in >= 1, f"no spelling of /{first}/{rest} was let in with the key")


def methods(port):
    refused(web.ask(port, "/posts/file.txt", headers=GOOD), "a method that the route is not for")
    for headers, statuses in ((GOOD, (200, 405, 501)), ({}, (401, 403))):
        answer = web.ask(port, "/posts/file.txt", "POST", b"x" * 1000, headers=headers)
        one_of(answer.status, statuses, f"POST with {headers}")  # 405, 501: let in, but nothing to post to


for _name in ASKING:
    _suite = Suite(f"snippet {_name}")

    @_suite.fixture
    def _behind(t, name=_name):
        t.build.plugin("phases")
        with snippets.behind(t.build, name) as running:
            yield running

    for _sentence, _check in (("guarded files go to who has the key, to nobody else", protects),
                              ("Trivet answers what it has a source for, and the first route wins", answers),
                              ("no spelling of a guarded path goes around its guard", spelled),
                              ("other methods than the route's are refused", methods),
                              ("the application sees the guard's variables and never the client's", tells)):
        @_suite.test(_sentence)
        def _(t, check=_check, fixture=_behind):
            check(t.use(fixture).port)

    if _name != "lighttpd":
        @_suite.test("an application behind HTTP sees the guard's variables and never the client's")
        def _(t, fixture=_behind):
            proxies(t.use(fixture).port)

    @_suite.test("a redirect to a login page and Retry-After arrive, or are 401 where the server has no other word")
    def _(t, name=_name, fixture=_behind):
        redirects(t.use(fixture).port, name != "apache-mod_fcgid")


for _name in NOT_ASKING:
    _suite = Suite(f"snippet {_name}")

    @_suite.fixture
    def _alone(t, name=_name):
        t.build.plugin("phases")
        with snippets.behind(t.build, name) as running:
            yield running

    @_suite.test("Trivet answers what it has a source for, and the first route wins")
    def _(t, fixture=_alone):
        answers(t.use(fixture).port)

    @_suite.test("what it cannot guard it serves to nobody")
    def _(t, name=_name, fixture=_alone):
        port = t.use(fixture).port
        uris = [f"/{each}" for each in (*snippets.FILES, "nobody/me")]
        if name == "apache-proxy":  # h2o says of itself that what it serves is not guarded.
            uris += refusals.spellings("private", "file.txt", "app")
        uris += refusals.spellings("account", "me", "app")
        for uri in uris:
            for headers in ({}, GOOD, FORGED):
                answer = web.ask(port, uri, headers=headers)
                expect(refusals.SECRET not in answer.body and not answer.body.startswith((b"trivet-echo", b"backend")),
                       f"{uri} with {headers}: {answer}")


odd = Suite("snippet of odd routes")

# Names and folders with what is special in the configuration of some server, or in a regular expression.
ODD = ["a b", "it's", 'say "it"', "do$$ar", "$1", "${HOME}", "br{a}ce", "{$HOME}", "[x]", "(a|b)", "a+b", "^c", "d.e", "e&f", "#g",
       "h;i", "j,k", "l=m", "n<o>", "p`q", "%r", "%{s}e", "~t", "@u", "!v", "-i", "--", "\u00e4\u20ac", "x:y", "'$(z)'", "{path}"]
NAMES = [*ODD, "back\\slash", "quote\\\"", "ends\\", "ask?", "star*", "%41", "n" * 300]


def _routes():
    """One route for each odd folder, and one for each odd name."""
    text = [site.KEYGATE]
    for number, folder in enumerate(ODD):
        path = "/odd/" + folder.replace("\\", "\\\\").replace('"', '\\"') + "/**"
        text.append(f'[[route]]\nname = "folder {number}"\npath = "{path}"\nauthorize = ["key"]')
    for number, name in enumerate(NAMES):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        text.append(f'[[route]]\nname = "{quoted}"\npath = "/name/{number}/**"\nauthorize = ["key"]\n'
                    'variables = ["REMOTE_USER"]')
    return "\n".join(text)


def _odd_files(root):
    for each in (*(f"odd/{folder}" for folder in ODD), *(f"name/{number}" for number in range(len(NAMES)))):
        (pathlib.Path(root) / each).mkdir(parents=True)
        (pathlib.Path(root) / each / "file.txt").write_bytes(refusals.SECRET)


# What a server's configuration has no way to say is refused.
CANNOT = {"nginx": ["do$$ar", "$1", "${HOME}", "{$HOME}", "'$(z)'"], "lighttpd": ['quote\\"', "ends\\"],
          "apache-mod_fcgid": ["${HOME}"], "apache-authnz": ["${HOME}"],
          "caddy": ["${HOME}", "br{a}ce", "{$HOME}", "%{s}e", "{path}"], "haproxy": []}

for _name in ASKING:
    @odd.test(f"{_name}: whatever a route and its folder are called, only the key opens it", timeout=120)
    def _(t, name=_name):
        with snippets.behind(t.build, name, _routes(), write=_odd_files) as running:
            let_in = []
            uris = [f"/odd/{urllib.parse.quote(folder)}/file.txt" for folder in ODD]
            for uri, called in (*zip(uris, ODD), *((f"/name/{number}/file.txt", each) for number, each in enumerate(NAMES))):
                refused(web.ask(running.port, uri), f"{uri} ({called})")
                answer = web.ask(running.port, uri, headers=GOOD)
                if answer.body == refusals.SECRET:
                    let_in.append(uri)
                elif uri.startswith("/odd/") or called not in CANNOT[name]:
                    expect(False, f"{uri} ({called}) is refused with the key: {answer}")
            equal(len(let_in), len(ODD) + len(NAMES) - len(CANNOT[name]), "how many are let in")


@odd.test("a thousand routes are taken by every server, and the last of them is found", timeout=150)
def _(t):
    text = ["[plugin.hello]", site.KEYGATE]
    for number in range(999):
        what = 'authorize = ["key"]' if number % 2 else 'respond = "hello"'
        text.append(f'[[route]]\nname = "r{number}"\npath = "/r{number}/**"\n{what}')
    text.append('[[route]]\nname = "last"\npath = "/**"\nauthorize = ["key"]')
    for name in ASKING + NOT_ASKING:
        with snippets.behind(t.build, name, "\n".join(text)) as running:
            equal(web.ask(running.port, "/r0/x").status, 200, f"{name}: the first")
            equal(web.ask(running.port, "/r998/x").status, 200, f"{name}: the last but one")
            refused(web.ask(running.port, "/private/file.txt"), f"{name}: the last of all")
            if name in ASKING:
                granted(web.ask(running.port, "/private/file.txt", headers=GOOD), f"{name}: the last of all")


more = Suite("snippet more")


@more.test("caddy: a path that the site changes before it asks is guarded as it was")
def _(t):
    t.build.plugin("phases")
    with snippets.behind(t.build, "caddy") as running:
        for uri in ("/sub/page.txt", "/sub//page.txt", "/s%75b/page.txt"):
            one_of(web.ask(running.port, uri).status, (401, 403), uri)
        answer = web.ask(running.port, "/sub/page.txt", headers=GOOD)
        equal((answer.status, answer.body), (200, b"a page\n"), "with the key")
        equal(web.ask(running.port, "/page.txt").status, 200, "under a name that nobody guards")

HOSTS = """
[[route]]
name = "open to another host"
path = "/private/**"
hosts = ["b.example"]
authorize = ["allow"]
""" + snippets.CONFIG + """
[[route]]
name = "ours"
path = "/ours/**"
hosts = ["a.example"]
respond = "hello"

[[route]]
name = "theirs"
path = "/ours/**"
hosts = ["b.example"]
respond = "echo"
"""

for _name in ASKING + NOT_ASKING:
    @more.test(f"{_name}: Trivet goes by the host of --host, over TCP, and nobody gets in while it is gone", timeout=120)
    def _(t, name=_name):
        t.build.plugin("phases")
        attached = name == "apache-mod_fcgid"
        options = ("--host", "a.example") if attached else ("--host", "a.example", "--listener", "tcp")
        with snippets.behind(t.build, name, HOSTS, options) as running:
            for client_says in ("a.example", "b.example", "c.example"):
                answer = web.ask(running.port, "/ours/x", headers={"Host": client_says})
                expect(answer.status == 200 and b"ello" in answer.body, f"{client_says}: {answer}")
            refused(web.ask(running.port, "/private/file.txt", headers={"Host": "b.example"}), "another host's guard")
            if name in ASKING:
                granted(web.ask(running.port, "/private/file.txt", headers={**GOOD, "Host": "b.example"}), "with the key")
            if name in NOT_ASKING or attached:  # A stub waits for the next host: tested with `trivet attach`.
                return
            running.trivet.send_signal(signal.SIGTERM)
            running.trivet.process.wait(12 * t.build.slowness)
            for uri in ("/private/file.txt", "/single.txt", "/wide/deep/hidden/file.txt"):
                refused(web.ask(running.port, uri, headers=GOOD), f"{name} without a host: {uri}")
            running.trivet.end()
            running.trivet.log.unlink()
            running.trivet.start()
            eventually(lambda: web.ask(running.port, "/private/file.txt", headers=GOOD).body == refusals.SECRET,
                       f"the file by {name} when the host is back", 30)


PHASES = """
[plugin.phases]
config = { user = "u", password = "p" }
""" + "\n".join(f"""
[[route]]
name = "{phase}"
path = "/private/**"
phase = "{phase}"
authorize = ["phases"]
""" for phase in ("access_checker", "authenticator", "authorizer"))


@more.test("apache-mod_fcgid: three routes on one path are Apache's three questions")
def _(t):
    t.build.plugin("phases")
    with snippets.behind(t.build, "apache-mod_fcgid", PHASES) as running:
        for word, headers, status in (("u:p", {}, 200), ("u:q", {}, 401), ("v:p", {}, 401), (None, {}, 401),
                                      ("u:p", {"X-Blocked": "yes"}, 401)):
            credentials = {"Authorization": "Basic " + base64.b64encode(word.encode()).decode()} if word else {}
            answer = web.ask(running.port, "/private/file.txt", headers={**credentials, **headers})
            equal((answer.status, answer.body == refusals.SECRET), (status, status == 200), f"{word} with {headers}")


@more.test("nginx: what auth_request has no word for arrives all the same")
def _(t):
    t.build.plugin("says")
    config = '[plugin.says]\n[[route]]\nname = "private"\npath = "/private/**"\nauthorize = ["says"]\n'
    with snippets.behind(t.build, "nginx", config) as running:
        for verdict, status, header, value in (
                ("302", 302, "Location", "https://login.example/in?to=%2Fprivate&n=1"),
                ("302", 302, "Set-Cookie", "state=1; Path=/, nonce=2; Path=/"), ("303", 303, "Location", "/login?to=x"),
                ("404", 404, "Location", None), ("429", 429, "Retry-After", "7"), ("403", 403, "Set-Cookie", None),
                ("401", 401, "WWW-Authenticate", 'Basic realm="says"'), ("503", 500, "Location", None)):
            answer = web.ask(running.port, "/private/file.txt", headers={"X-Verdict": verdict})
            equal((answer.status, answer.header(header)), (status, value), f"{verdict}, {header}")
        granted(web.ask(running.port, "/private/file.txt", headers={"X-Verdict": "allow"}), "an allow")


SEGMENTS = ["a", "b", "c", "*", "a*", "**"]


def _random_routes(source):
    """Routes that overlap in all ways, and for each whether Trivet answers it."""
    routes, seen = {}, set()
    while len(routes) < 30:
        path = "/" + "/".join(source.choice(SEGMENTS) for _ in range(source.randint(1, 3))) + source.choice(["", "/**", "/**"])
        if path not in seen:
            seen.add(path)
            routes[f"r{len(routes)}"] = (path, source.random() < 0.4)
    return routes


def _route_of(t, trivet, uri):
    told = host.run_trivet(t.build, "explain", "-c", trivet.file, "GET", uri).stdout.decode()
    found = re.search(r"^route +(\S+)", told, re.M)
    return found and found[1]


@more.test("of routes that overlap in all ways every server takes the first that fits", timeout=240)
def _(t):
    seed = random.randrange(1 << 32) if t.build.is_long else 1257244552
    source = random.Random(seed)
    routes = _random_routes(source)
    config = "[plugin.hello]\n" + "".join(
        f'[[route]]\nname = "{name}"\npath = "{path}"\n' + ('respond = "hello"\n' if answers else 'authorize = ["deny"]\n')
        for name, (path, answers) in routes.items())
    uris = {"/" + "/".join(source.choice("abcdx") for _ in range(source.randint(1, 4))) for _ in range(30)}
    for name in ASKING:
        with snippets.behind(t.build, name, config) as running:
            for uri in sorted(uris):
                wanted = _route_of(t, running.trivet, uri)
                running.trivet.mark_log()
                answer = web.ask(running.port, uri)
                if answer.status == 301:  # The folder of a guarded path: nobody is asked who goes to its slash.
                    equal(answer.header("Location"), f"{uri}/", f"seed {seed}, {name}, {uri}")
                    wanted = _route_of(t, running.trivet, f"{uri}/")
                    answer = web.ask(running.port, f"{uri}/")
                where = f"seed {seed}, {name}, {uri}, which is {wanted}'s {routes.get(wanted)}: {answer}"
                if wanted is None:  # A guarded path may go on below.
                    expect(answer.status in (401, 403, 404), where)
                elif routes[wanted][1]:
                    equal(answer.status, 200, where)
                else:
                    expect(answer.status in (401, 403), where)
                    eventually(lambda asked=wanted: f"denied route={asked} " in running.trivet.log_since_mark(),
                               f"{where}\n{running.trivet.log_since_mark()}", 10)
