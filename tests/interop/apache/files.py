"""Apache before a route of files: mod_fcgid, which starts Trivet, and mod_proxy_fcgi, which finds it running."""

import os

from support import examples, file_site, runner
from support.runner import Suite
from support.servers import APACHE_MODULES

spawned = Suite("mod_fcgid files")
proxied = Suite("mod_proxy_fcgi files")


def _spawn(command, _root):
    return f"""
<Location "/files">
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
</Location>"""


def _proxy(_command, root):
    if not (APACHE_MODULES / "mod_proxy_fcgi.so").exists():
        runner.skip("mod_proxy_fcgi is not installed")
    return f"""
LoadModule proxy_module {APACHE_MODULES}/mod_proxy.so
LoadModule proxy_fcgi_module {APACHE_MODULES}/mod_proxy_fcgi.so
ProxyPass "/files/" "unix:{root.parent}/trivet.sock|fcgi://localhost/files/" """


def _around(which):
    def pair(t):
        with file_site.tree() as folder:
            command = _spawn if which is examples.apache else _proxy
            with which(t.build, file_site.config(folder), command) as running:
                running.files = folder
                if command is _proxy:
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
