"""lighttpd with what `trivet snippet lighttpd` makes, before an application behind HTTP: the order of its modules decides
who is asked first."""

import os

from support import host, refusals, site, snippets, web
from support.runner import Suite, equal, expect
from support.servers import Lighttpd, running

suite = Suite("lighttpd modules")


@suite.test("where mod_fastcgi is named before mod_proxy, the guard is asked before the application")
def _(t):
    t.build.plugin("phases")
    with site.running(t.build, snippets.CONFIG) as trivet:
        os.chmod(trivet.socket_path, 0o666)
        root = snippets.files(trivet.folder)
        (trivet.folder / "snippet.conf").write_text(snippets.made(t.build, trivet, "lighttpd"))
        with snippets.backend(root) as application:
            port = host.free_port()
            server = Lighttpd(trivet.folder, port, f"""\
server.modules = ( "mod_access", "mod_fastcgi", "mod_setenv", "mod_proxy" )
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{trivet.folder}/run"
include "{trivet.folder}/snippet.conf"
$HTTP["url"] =~ "^/private/" {{
  proxy.server = ( "" => (( "host" => "127.0.0.1", "port" => {application} )) )
}}
""")
            with running(server):
                for headers in ({}, {"X-Api-Key": "wrong"}):
                    answer = web.ask(port, "/private/file.txt", headers=headers)
                    expect(refusals.SECRET not in answer.body, f"GRANTED with {headers}: {answer}")
                answer = web.ask(port, "/private/file.txt", headers={"X-Api-Key": site.KEY})
                equal((answer.status, answer.body), (200, refusals.SECRET), "with the key")
