"""h2o with what `trivet snippet h2o` makes: large uploads that are refused before they have come."""

import http.client

from support import site, snippets, web
from support.runner import Suite, equal, expect, one_of

suite = Suite("h2o snippet")


@suite.test("large uploads that a guard refuses at once end neither h2o nor others' requests", timeout=90)
def _(t):
    t.build.plugin("phases")
    with snippets.behind(t.build, "h2o") as running:
        body = bytes(20 << 20)
        for headers in ({}, {"X-Api-Key": "wrong"}, {}):
            try:
                answer = web.ask(running.port, "/members/x", "POST", body, headers=headers, timeout=40 * t.build.slowness)
                one_of(answer.status, (401, 403, 413), f"POST with {headers}")
                expect(b"trivet-echo" not in answer.body, f"{headers} was let in")
            except (ConnectionError, http.client.HTTPException):
                pass  # h2o may close while the client still sends.
            expect(running.server.running, "h2o has ended")
            equal(web.ask(running.port, "/app/x").status, 200, "another request")
        answer = web.ask(running.port, "/members/x", "POST", body[:1 << 20], headers={"X-Api-Key": site.KEY})
        equal((answer.status, site.echoed(answer.body)), (200, body[:1 << 20]), "with the key")
