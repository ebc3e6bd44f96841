"""Yaws' yaws_appmod_fcgi before a responder."""

from support import responding
from support.further_servers import Yaws
from support.runner import Suite

suite = Suite("Yaws responder")


def appmod(trivet, port):
    return Yaws(trivet.folder, port, f"  fcgi_app_server = 127.0.0.1:{trivet.port}\n  appmods = </, yaws_appmod_fcgi>")


@suite.fixture
def pair(t):
    with responding.behind(t.build, appmod) as running:
        yield running


responding.add(suite, pair, responding.Ways(redirect_body=b""))
