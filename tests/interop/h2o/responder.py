"""h2o's fastcgi.connect before a responder, with a connection for each request and with connections that are kept."""

from support import responding
from support.further_servers import H2o
from support.runner import Suite

suite = Suite("h2o responder")
kept_suite = Suite("h2o responder, kept connections")


def _connect(more):
    def make(trivet, port):
        return H2o(trivet.folder, port, f"""\
  default:
    paths:
      "/":
        fastcgi.connect: {{ port: {trivet.web}, type: unix }}
{more}""")
    return make


@suite.fixture
def pair(t):
    with responding.behind(t.build, _connect("")) as running:
        yield running


@kept_suite.fixture
def kept_pair(t):
    with responding.behind(t.build, _connect("        fastcgi.timeout.keepalive: 5000\n")) as running:
        yield running


responding.add(suite, pair)
# An answer that comes while it still sends the body ends h2o 2.2.5 on an assertion where it keeps connections.
responding.add(kept_suite, kept_pair, responding.Ways(keeps=True, takes_early=False))
