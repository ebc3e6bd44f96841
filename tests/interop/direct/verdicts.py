"""An authorizer that refuses or fails never grants: by hand in role 2 and in role 1 with TRIVET_ROLE, and by `trivet call`."""

import contextlib
import signal
import time

from support import fcgi, host as hosts, refusals, site
from support.fcgi import AUTHORIZER, RESPONDER, cgi, record, request
from support.runner import Suite, equal, eventually, expect

suite = Suite("verdicts")


@suite.fixture
def host(t):
    t.build.plugin("throws"), t.build.plugin("silent"), t.build.plugin("slow")  # pylint: disable=expression-not-assigned
    with site.running(t.build, refusals.CONFIG) as running:
        yield running


def _granted(running, role=AUTHORIZER):
    """The twin: good credentials are let in, with the variable of the route and nothing else."""
    params = cgi("/private/x", TRIVET_ROUTE="private", **site.GOOD)
    if role == RESPONDER:
        params["TRIVET_ROLE"] = "authorizer"
    answer = running.exchange(params, role=role)
    equal(answer.status, 200, "good credentials")
    expect(answer.complete, f"good credentials: {answer}")
    equal(answer.headers, [("Variable-REMOTE_USER", site.USER)], "headers of a grant")
    equal(answer.body, b"", "body of a grant")


def _refused(answer, name, status=None):
    """A whole answer with an explicit Status that is no grant and sets no variable."""
    expect(answer.ended, f"{name}: no END_REQUEST")
    expect(answer.status != 200, f"{name} was GRANTED")
    expect(not any(each.lower().startswith("variable-") for each, _ in answer.headers), f"{name}: {answer.headers}")
    expect(answer.status >= 300, f"{name}: {answer.status}")
    if status:
        equal(answer.status, status, f"status for {name}")


@suite.test("every refusal in the role AUTHORIZER has its Status and grants nothing, and its twin is let in")
def _(t):
    for case in refusals.CASES + refusals.ROLES:
        _refused(t.use(host).exchange(cgi("/private/x", **case.params()), role=AUTHORIZER), case.name, case.status)
        _granted(t.use(host))


@suite.test("every refusal in the role RESPONDER with TRIVET_ROLE=authorizer does the same")
def _(t):
    for case in refusals.CASES:
        params = {"TRIVET_ROLE": "authorizer", **case.params()}
        _refused(t.use(host).exchange(cgi("/private/x", **params)), case.name, case.status)
        _granted(t.use(host), RESPONDER)


@suite.test("`trivet call --role authorizer -f` exits 0 for the twin and 1 for every refusal")
def _(t):
    running = t.use(host)

    def call(params):
        named = [word for name, value in params.items() for word in ("-p", f"{name}={value}")]
        return hosts.run_trivet(t.build, "call", running.unix, "/private/x", "--role", "authorizer", "-f", *named)

    for case in refusals.CASES + refusals.ROLES:
        done = call(case.params())
        equal(done.returncode, 1, f"exit code for {case.name} ({done.stderr.decode()[-200:]})")
    done = call({"TRIVET_ROUTE": "private", **site.GOOD})
    equal(done.returncode, 0, f"exit code for good credentials ({done.stderr.decode()[-200:]})")
    done = hosts.run_trivet(t.build, "call", f"unix:{running.folder}/nobody.sock", "/private/x", "--role", "authorizer",
                            "-f", "-p", "TRIVET_ROUTE=private")
    equal(done.returncode, 69, "exit code when nobody listens")


@suite.test("each deny is one line in the log, with its route")
def _(t):
    running = t.use(host)
    for case in refusals.CASES:
        running.mark_log()
        running.exchange(cgi("/private/x", **case.params()), role=AUTHORIZER)
        lines = running.log_since_mark().splitlines()
        expect(lines, f"{case.name} was not logged")
        expect(not any(site.KEY in line for line in lines), f"{case.name}: the log shows the credential: {lines}")


@suite.test("parameters cut at any byte, by a half-close or an abort, are never granted")
def _(t):
    running = t.use(host)
    whole = fcgi.begin(AUTHORIZER) + fcgi.stream(
        fcgi.PARAMS, fcgi.pairs([("HTTP_X_API_KEY", site.KEY), ("TRIVET_ROUTE", "private"), ("REQUEST_URI", "/private/x"),
                                 ("REQUEST_METHOD", "GET")]))
    for cut in range(len(whole)):
        with running.connect() as link:
            link.send(whole[:cut])
            link.half_close()
            expect(link.closes(), f"cut at {cut}: still open")
            answer = link.responses.get(1)
            expect(answer is None or not answer.out or answer.status != 200, f"cut at {cut} was GRANTED")
    params = fcgi.pairs([("HTTP_X_API_KEY", site.KEY), ("TRIVET_ROUTE", "private"), ("REQUEST_METHOD", "GET")])
    followers = {"an abort": record(fcgi.ABORT), "an empty STDIN": record(fcgi.STDIN), "a body": record(fcgi.STDIN, b"x"),
                 "an empty DATA": record(fcgi.DATA)}
    for name, follower in followers.items():
        for cut in [*range(1, len(params)), len(params)]:
            with running.connect() as link:
                link.send(fcgi.begin(AUTHORIZER) + record(fcgi.PARAMS, params[:cut]) + follower)
                link.half_close()
                expect(link.closes(), f"{name} after {cut}: still open")
                answer = link.responses.get(1)
                expect(answer is None or not answer.out or answer.status != 200, f"{name} after {cut} was GRANTED")
    with running.connect() as link:
        link.send(whole)
        equal(link.response().status, 200, "the whole request")
    _granted(running)


@suite.test("broken pairs, NUL and parameters after their end are never granted")
def _(t):
    running = t.use(host)
    good = [("HTTP_X_API_KEY", site.KEY), ("TRIVET_ROUTE", "private"), ("REQUEST_METHOD", "GET")]
    cases = {
        "a pair longer than the stream": fcgi.pairs(good) + b"\x05\x7fshort",
        "a length of two gibibytes": fcgi.pairs(good) + b"\xff\xff\xff\xff\xff\xff\xff\xffx",
        "half a length": fcgi.pairs(good) + b"\x80\x00",
        "a NUL in a value": fcgi.pairs([*good, ("HTTP_X_NUL", "a\0b")]),
        "a NUL in a name": fcgi.pairs([*good, ("HTTP_X\0", "a")]),
        "two routes": fcgi.pairs([*good, ("TRIVET_ROUTE", "unguarded")]),
        "two roles": fcgi.pairs([*good, ("TRIVET_ROLE", "authorizer"), ("TRIVET_ROLE", "responder")]),
        "two credentials in HTTP_AUTHORIZATION": fcgi.pairs([*good, ("HTTP_AUTHORIZATION", "a"), ("HTTP_AUTHORIZATION", "b")]),
    }
    for name, params in cases.items():
        with running.connect() as link:
            link.send(fcgi.begin(AUTHORIZER) + fcgi.stream(fcgi.PARAMS, params))
            _refused(link.response(), name)
    with running.connect() as link:  # the credential comes too late to count
        link.send(fcgi.begin(AUTHORIZER) + fcgi.stream(fcgi.PARAMS, fcgi.pairs(good[1:]))
                  + fcgi.stream(fcgi.PARAMS, fcgi.pairs(good[:1])))
        _refused(link.response(), "a credential after the end of PARAMS")
    with running.connect() as link:
        link.send(fcgi.begin(AUTHORIZER) + fcgi.stream(fcgi.PARAMS, fcgi.pairs(good)))
        equal(link.response().status, 200, "the same without what is broken")


@suite.test("an authorizer answers without any STDIN, with an empty one and with a body, and ignores CONTENT_LENGTH")
def _(t):
    for body in (None, b"", b"x" * 100000):
        for announced in ("", "0", "10", "-1", "nonsense"):
            for given, status in ((site.GOOD, 200), (site.BAD, 403)):
                with t.use(host).connect() as link:
                    params = cgi("/private/x", "POST", CONTENT_LENGTH=announced, TRIVET_ROUTE="private", **given)
                    link.send(request(params, body, AUTHORIZER))
                    equal(link.response().status, status, f"status with CONTENT_LENGTH {announced!r}, body {str(body)[:9]}")


@suite.test("a full queue and an overload refuse, and the same route grants when there is room")
def _(t):
    running = t.use(host)
    ask = cgi("/private/x", TRIVET_ROUTE="busy", **site.GOOD)
    equal(running.exchange({**ask, "QUERY_STRING": "ms=1"}, role=AUTHORIZER).status, 200, "with room")
    with contextlib.ExitStack() as links:
        crews = [links.enter_context(running.connect(timeout=30)) for _ in range(12)]
        for each in crews:  # All of them while the first still runs.
            each.send(request({**ask, "QUERY_STRING": "ms=500"}, role=AUTHORIZER))
        answers = [each.take() for each in crews]
    granted = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status != 200]
    equal(len(answers), 12, "answers")
    expect(1 <= len(granted) <= 4, f"{len(granted)} of 12 were granted by one thread with a queue of one")
    for answer in refused:
        _refused(answer, "a full queue", 503)
    eventually(lambda: running.exchange({**ask, "QUERY_STRING": "ms=1"}, role=AUTHORIZER).status == 200, "room again")


@suite.test("a guard's variables reach the responder behind it, and the client's own spelling never does")
def _(t):
    forged = {"REMOTE_USER": "mallory", "HTTP_REMOTE_USER": "mallory", "AUTH_TYPE": "Forged"}
    answer = t.use(host).exchange(cgi("/private/x", HTTP_X_FILL="1", **forged, **site.GOOD))
    equal(answer.status, 200, "status")
    seen = site.variables(answer.body)
    equal(seen.get("REMOTE_USER"), site.USER, "REMOTE_USER behind the guard")
    equal(seen.get("AUTH_TYPE", ""), "", "AUTH_TYPE, which no guard set")
    equal(t.use(host).exchange(cgi("/private/x", **forged)).status, 401, "without credentials")


@suite.test("while the host stops nothing is granted that it does not finish")
def _(t):
    with site.running(t.build, refusals.CONFIG) as running, running.connect() as link, running.connect() as kept:
        kept.send(request(cgi("/hello"), flags=fcgi.KEEP))
        equal(kept.take().status, 200, "the kept connection")
        busy = cgi("/private/x", TRIVET_ROUTE="busy", **site.GOOD)
        link.send(request({**busy, "QUERY_STRING": "ms=1500"}, role=AUTHORIZER, flags=fcgi.KEEP))
        link.send(request(cgi("/hello"), flags=fcgi.KEEP, request_id=2))
        equal(link.take(2).status, 200, "what came after it on the connection")  # so the slow one has begun
        _granted(running)
        running.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        try:
            late = running.exchange({**busy, "QUERY_STRING": "ms=1"}, role=AUTHORIZER)
            _refused(late, "a request to a stopping host", 503)
        except (OSError, fcgi.Broken):
            pass  # nobody listens any more: no answer is no grant
        equal((link.response().status, link.response().complete), (200, True), "the request that ran")
        running.process.wait(10 * t.build.slowness)
