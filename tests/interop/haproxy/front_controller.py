"""HAProxy with what `trivet snippet haproxy` makes, before an application that answers whatever it is asked for."""

import http.server
import os
import threading

from support import attempts, refusals, site, snippets
from support.runner import Suite, equal
from support.servers import running

suite = Suite("haproxy snippet")

# All of these are below /private/ for who reads them with patience; HAProxy's own decoder gives some of them up.
PATHS = ["/private/x", "/private/x%zz", "/private/x%", "/private/%zz", "/private/%", "/private/x%4", "/private/%%", "/private/%zz/x",
         "/%70rivate/x%zz", "/private%2fx%zz", "/private/x?%zz", "/private/x%00%zz", "/private/%e4%zz", "/private/x%zz?y=%",
         "/private" + "/a" * 3000, "/private/" + "a/" * 3000 + "%zz", "/rooms/ann/inner/x%zz", "/rooms/%zz/inner/x", "/rooms/ann/inner/%",
         "/rooms/ann/inner" + "/a" * 3000, "/single.txt?%zz", "/single.txt"]


class _Everything(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(refusals.SECRET)

    def log_message(self, *_arguments):  # pylint: disable=arguments-differ
        pass


@suite.test("no path that HAProxy cannot decode, or that is long, goes around a guard to an application that takes all")
def _(t):
    t.build.plugin("phases")
    with site.running(t.build, snippets.CONFIG) as trivet:
        os.chmod(trivet.socket_path, 0o666)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Everything)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            placed = snippets.Placed(trivet.folder, snippets.files(trivet.folder), server.server_port)
            haproxy, checker = placed.place("haproxy", snippets.made(t.build, trivet, "haproxy"))
            snippets.check(checker, "haproxy")
            with running(haproxy):
                made = [attempts.Attempt(each[:60], lambda credentials, each=each: attempts.ask(each.encode(), credentials), True)
                        for each in PATHS]
                goal = attempts.Goal(placed.port, (refusals.SECRET.strip(),), {"X-Api-Key": site.KEY}, [{}, {"X-Api-Key": "wrong"}])
                let_in = goal.expect_denied(made)
                equal(let_in >= 3, True, f"{let_in} were let in with the key")
                open_to_all = attempts.send(placed.port, attempts.ask(b"/elsewhere", {}))
                equal(refusals.SECRET.strip() in open_to_all, True, "a path that nobody guards")
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
