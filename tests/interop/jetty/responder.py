"""Jetty 9's FastCGIProxyServlet before a responder."""

from support import responding
from support.further_servers import Jetty
from support.runner import Suite

suite = Suite("Jetty responder")


@suite.fixture
def pair(t):
    with responding.behind(t.build, lambda trivet, port: Jetty(trivet.folder, port, trivet.port)) as running:
        yield running


responding.add(suite, pair, responding.Ways(keeps=True))
