"""Groups of guards, shadows, and verdicts that are remembered: by a real host, with real threads and workers."""

import threading

from support import fcgi, site
from support.fcgi import AUTHORIZER, RESPONDER, cgi, request
from support.runner import Suite, equal, eventually, expect

suite = Suite("guards")

CONFIG = site.KEYGATE + """
[plugin.hello]
[plugin.throws]
[plugin.slow]
threads = 2
queue = 200
timeout = "5s"
config = { ms = 300 }

[[route]]
name = "cors"
path = "/cors/**"
authorize = { any = [{ plugin = "allow", methods = ["OPTIONS"] }, "key"] }
variables = ["REMOTE_USER"]
respond = "hello"

[[route]]
name = "tried"
path = "/tried/**"
authorize = ["key", { plugin = "throws", shadow = true }]
variables = ["REMOTE_USER"]
respond = "hello"

[[route]]
name = "optional"
path = "/optional/**"
authorize = ["key", { plugin = "throws", on_error = "allow" }]
respond = "hello"

[[route]]
name = "remembered"
path = "/remembered/**"
authorize = { plugin = "key", cache = { ttl = "60s", deny_ttl = "300ms" } }
variables = ["REMOTE_USER"]
respond = "hello"

[[route]]
name = "slow"
path = "/slow/**"
authorize = { plugin = "slow", cache = { ttl = "60s" } }
"""


@suite.fixture
def host(t):
    t.build.plugin("throws"), t.build.plugin("slow")  # pylint: disable=expression-not-assigned
    with site.running(t.build, CONFIG) as running:
        yield running


@suite.test("a CORS preflight passes without credentials, and every other request is guarded")
def _(t):
    running = t.use(host)
    for role in (AUTHORIZER, RESPONDER):
        equal(running.exchange(cgi("/cors/x", method="OPTIONS"), role=role).status, 200, "the preflight")
        for method in ("GET", "POST", "HEAD", "PUT", "options", "PROPFIND"):
            equal(running.exchange(cgi("/cors/x", method=method), role=role).status, 401, f"{method} without a key")
            equal(running.exchange(cgi("/cors/x", method=method, **site.GOOD), role=role).status, 200,
                  f"{method} with the key")
    equal(running.exchange(cgi("/cors/x", method="OPTIONS"), role=AUTHORIZER).header("Variable-REMOTE_USER"), "",
          "nobody is named by the preflight")


@suite.test("a shadow that throws costs nobody anything, and is told")
def _(t):
    running = t.use(host)
    running.mark_log()
    equal(running.exchange(cgi("/tried/x", **site.GOOD), role=AUTHORIZER).header("Variable-REMOTE_USER"), site.USER,
          "the user")
    equal(running.exchange(cgi("/tried/x", **site.BAD)).status, 403, "a wrong key")
    expect("a shadow guard would deny" in running.log_since_mark(), "the shadow is not told")


@suite.test("on_error lets pass what throws, and nothing else")
def _(t):
    running = t.use(host)
    equal(running.exchange(cgi("/optional/x", **site.GOOD)).status, 200, "a good key")
    equal(running.exchange(cgi("/optional/x", **site.BAD)).status, 403, "a wrong key")


@suite.test("a thousand requests with one credential ask once in each worker")
def _(t):
    with site.running(t.build, CONFIG, processes=2) as running:
        for _ in range(10):
            with running.connect() as link:
                for at in range(100):
                    link.send(request(cgi(f"/remembered/{at}", REMOTE_PORT=str(at), **site.GOOD), role=AUTHORIZER,
                                      flags=1))
                    answer = link.take()
                    equal((answer.status, answer.header("Variable-REMOTE_USER")), (200, site.USER), "an answer")
        counts = {}

        def are_counted():
            counts.update(site.plugin_counts(t.build, running, "key"))
            return counts["remembered"] + counts["not_remembered"] == 1000
        eventually(are_counted, "1000 requests are counted")
        expect(1 <= counts["calls"] <= 2, f"{counts['calls']} calls by 2 workers")


@suite.test("a hundred requests at the same moment ask once")
def _(t):
    t.build.plugin("slow")
    with site.running(t.build, CONFIG, processes=1) as running:
        answers = []

        def ask(at):
            answers.append(running.exchange(cgi("/slow/x", REMOTE_PORT=str(at)), role=AUTHORIZER).status)
        threads = [threading.Thread(target=ask, args=(at,)) for at in range(100)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        equal(answers, [200] * 100, "answers")
        equal(site.plugin_counts(t.build, running, "slow")["calls"], 1, "calls")


@suite.test("a denied credential is asked about again after deny_ttl, and nobody is let in for another")
def _(t):
    running = t.use(host)

    def user(**key):
        return running.exchange(cgi("/remembered/x", **key), role=AUTHORIZER)
    for _ in range(3):
        equal(user(**site.BAD).status, 403, "a wrong key")
        equal(user(**site.GOOD).status, 200, "the key")
        equal(user().status, 401, "no key")
    running.mark_log()
    equal(user(**site.BAD).status, 403, "a wrong key")
    expect("(remembered)" in running.log_since_mark(), "it is remembered")

    def is_asked():
        running.mark_log()
        equal(user(**site.BAD).status, 403, "a wrong key")
        return "(remembered)" not in running.log_since_mark()
    eventually(is_asked, "it is asked again")

