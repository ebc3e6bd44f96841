"""lighttpd before a route of files."""

from support import examples, file_site
from support.runner import Suite

suite = Suite("lighttpd files")


@suite.fixture
def pair(t):
    with file_site.tree() as folder:
        with examples.lighttpd(t.build, file_site.config(folder), file_site.lighttpd) as running:
            running.files = folder
            yield running


@suite.test("files, index files, conditions, ranges and refusals are what a web server would give")
def _(t):
    running = t.use(pair)
    for _ in range(2):  # from the disk, then from memory
        file_site.check_all(running.port, running.files)
