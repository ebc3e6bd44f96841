"""Plugins that bring libraries along, the host's own among them, beside one in plain C that brings nothing."""

from support import fcgi, site, web
from support.fcgi import cgi
from support.runner import Suite, equal, expect

suite = Suite("libraries")

CONFIG = """
[plugin.cplain]
[plugin.crowded]
threads = 4
timeout = "20s"
[plugin.second]
file = "crowded.so"
threads = 2
timeout = "20s"
config = { rude = true }

[[route]]
path = "/c/**"
respond = "cplain"
[[route]]
path = "/crowded/**"
respond = "crowded"
[[route]]
path = "/second/**"
respond = "second"
"""


@suite.test("spdlog, Asio and std::regex in plugins and plain C beside them answer right at once, and the host still logs")
def _(t):
    for each in ("cplain", "crowded"):
        t.build.plugin(each)
    with site.running(t.build, CONFIG) as running:
        def one(number):
            if number % 3 == 0:
                answer = running.exchange(cgi("/c/x", ("GET", "PUT")[number % 2], b""))
                return (answer.status, answer.body) == (200, (b"GET\n", b"PUT\n")[number % 2])
            path = ("/crowded", "/second")[number % 2]
            body = bytes([number]) * (number * 300)
            answer = running.exchange(cgi(f"{path}?a={number}&b=7", "POST", body), body, timeout=60 * t.build.slowness)
            return (answer.status, answer.body) == (200, b"info sum %d\ninfo body %d\n" % (number + 7, len(body)))

        expect(all(web.at_once(200, one, threads=24)), "an answer was wrong")
        running.get("/nowhere")
        expect("no route" in running.log_text(), "the host's own log was turned off by a plugin")
        equal(fcgi.exchange(running.tcp, cgi("/c/x")).body, b"GET\n", "an answer over tcp")
