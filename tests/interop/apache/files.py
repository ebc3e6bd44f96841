"""Apache before a route of files: mod_fcgid, which starts Trivet, and modfile_site.mod_proxy_fcgi_fcgi, which finds it running."""

import os

from support import examples, file_site
from support.runner import Suite

spawned = Suite("mod_fcgid files")
proxied = Suite("modfile_site.mod_proxy_fcgi_fcgi files")


def _around(which):
    def pair(t):
        with file_site.tree() as folder:
            command = file_site.mod_fcgid if which is examples.apache else file_site.mod_proxy_fcgi
            with which(t.build, file_site.config(folder), command) as running:
                running.files = folder
                if command is file_site.mod_proxy_fcgi:
                    os.chmod(running.trivet.socket_path, 0o666)
                yield running
    return pair


by_spawning = spawned.fixture(_around(examples.apache))
by_proxy = proxied.fixture(_around(examples.apache_attaches))


@spawned.test("files, index files, conditions, ranges and refusals are what a web server would give")
def _(t):
    running = t.use(by_spawning)
    for _ in range(2):  # from the disk, then from memory
        file_site.check_all(running.port, running.files)


@proxied.test("files, index files, conditions, ranges and refusals are what a web server would give")
def _(t):
    running = t.use(by_proxy)
    for _ in range(2):
        file_site.check_all(running.port, running.files)
