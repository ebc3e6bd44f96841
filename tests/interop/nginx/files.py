"""nginx before a route of files."""

from support import examples, file_site
from support.runner import Suite

suite = Suite("nginx files")


def _locations(_text, _root):
    return """
location /files/ { include trivet_params; fastcgi_pass trivet; }
location /direct/ {
  include trivet_params;
  fastcgi_param TRIVET_ROUTE files;
  rewrite ^/direct/(.*) /files/$1 break;
  fastcgi_param TRIVET_PATH $uri;
  fastcgi_buffering off;
  fastcgi_pass trivet;
}
"""


@suite.fixture
def pair(t):
    with file_site.tree() as folder:
        with examples.nginx(t.build, file_site.config(folder), _locations) as running:
            running.files = folder
            yield running


@suite.test("files, index files, conditions, ranges and refusals are what a web server would give")
def _(t):
    running = t.use(pair)
    for _ in range(2):  # from the disk, then from memory
        file_site.check_all(running.extra_port, running.files)


@suite.test("a path that nginx has rewritten leads to its file, unbuffered, and redirects to the client's path")
def _(t):
    running = t.use(pair)
    file_site.check_all(running.extra_port, running.files, "/direct")
