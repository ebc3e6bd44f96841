"""What never_granted.py tries of requests, behind what `trivet snippet` makes: no configuration here is written by hand."""

from support import attempts, refusals, site, snippets
from support.runner import Suite, equal, expect

ASKING = {"nginx": 8, "apache-mod_fcgid": 2, "apache-authnz": 8, "lighttpd": 8, "caddy": 8, "haproxy": 8}  # requests at once
TARGETS = (("private", "file.txt"), ("account", "me"), ("rooms/ann/inner", "file.txt"))
APPLICATION = b"trivet-echo"
GOOD = {"X-Api-Key": site.KEY}


def goal(running, threads):
    marks = (refusals.SECRET.strip(), APPLICATION)
    return attempts.Goal(running.port, marks, GOOD, [{}, {"X-Api-Key": "wrong"}], threads)


def _through_what_is_open(first, rest):
    """The same spellings, from the folder within the guarded one that another route opens."""
    return [attempts.Attempt(each.name, lambda credentials, each=each: each.request(credentials).replace(
        b"/app/", b"/private/open/", 1)) for each in attempts.spelled(first, rest) if "/app/" in each.name]


def paths(running, threads):
    for first, rest in TARGETS:
        made = attempts.spelled(first, rest) + _through_what_is_open(first, rest)
        made += attempts.plain_path(f"/{first}/{rest}".encode())
        count = goal(running, threads).expect_denied(made)
        expect(count >= 10, f"only {count} attempts at /{first}/{rest} were let in with the key")


def headers(running, threads):
    made = [attempts.Attempt(repr(more), lambda credentials, more=more: attempts.ask(
        b"/account/me", credentials, version=b"HTTP/1.0", more=more), True)
        for more in attempts.pretending(("REMOTE_USER", "UNSET"), "mallory")]
    behind = goal(running, threads)
    behind.expect_denied(made)
    found, answered = [], 0
    for attempt, answer in zip(made, behind.try_all(made, GOOD)):
        if APPLICATION not in answer:
            continue  # Refused by somebody: nothing was pretended.
        answered += 1
        seen = site.variables(answer[answer.index(APPLICATION):])
        said = (seen.get("REMOTE_USER"), seen.get("UNSET", ""))
        others = [name for name, value in seen.items() if "mallory" in value and not name.startswith(("HTTP_", "CONTENT_"))]
        if said != (site.USER, "") or others:
            found.append(f"{attempt.name} -> {said} {others}")
    equal(found, [], "headers of a client that were taken for a guard's")
    expect(answered > len(made) / 2, f"only {answered} of {len(made)} were answered")


for _name, _threads in ASKING.items():
    _suite = Suite(f"never granted: snippet {_name}")

    @_suite.fixture
    def _behind(t, name=_name):
        t.build.plugin("phases")
        with snippets.behind(t.build, name) as running:
            yield running

    for _sentence, _check in (("no spelling, host, method or framing goes around a guard", paths),
                              ("no header of a client sets what a guard says", headers)):
        @_suite.test(_sentence, timeout=90, sanitized=False)
        def _(t, check=_check, fixture=_behind, threads=_threads):
            check(t.use(fixture), threads)
