"""Caddy's reverse_proxy with its transport fastcgi, before a responder."""

from support import responding
from support.further_servers import Caddy
from support.runner import Suite

suite = Suite("Caddy responder")


def proxy(trivet, port):
    return Caddy(trivet.folder, port, f"reverse_proxy unix/{trivet.web} {{\n  transport fastcgi\n}}")


@suite.fixture
def pair(t):
    with responding.behind(t.build, proxy) as running:
        yield running


responding.add(suite, pair)
