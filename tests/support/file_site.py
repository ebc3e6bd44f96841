"""A folder that `files` serves, and what every web server before it has to pass on."""

import contextlib
import email
import os
import random
import shutil
import subprocess

from support import host, web
from support.runner import equal, expect, one_of, skip
from support.servers import APACHE_MODULES

LARGE = random.Random(5).randbytes(3_000_000)
PAGE = b"<!doctype html><title>Trivet</title>\n"
SECRET = b"nobody gets this\n"
OLD = 1_600_000_000  # Sun, 13 Sep 2020 12:26:40 GMT
OLD_DATE = "Sun, 13 Sep 2020 12:26:40 GMT"


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))


@contextlib.contextmanager
def tree():
    """FOLDER/www, which is served, and FOLDER/secret.txt beside it."""
    with host.temporary_folder("trivet-files-") as folder:
        root = folder / "www"
        _write(folder / "secret.txt", SECRET)
        _write(root / "index.html", PAGE)
        _write(root / "sub" / "index.html", PAGE)
        _write(root / "plain.txt", b"0123456789")
        _write(root / "with space.txt", b"space")
        _write(root / "\u00e4\u20ac.txt", b"umlaut")
        _write(root / "large.bin", LARGE)
        _write(root / "empty.css", b"")
        _write(root / ".hidden", SECRET)
        (root / "bare").mkdir()
        os.mkfifo(root / "fifo")
        (root / "out").symlink_to("../secret.txt")
        (root / "above").symlink_to("..")
        (root / "absolute").symlink_to(folder / "secret.txt")
        (root / "inside").symlink_to("plain.txt")
        os.chmod(root, 0o755)
        yield folder


def config(folder, name="files"):
    return f"""
[[route]]
name = "{name}"
path = "/{name}/**"
respond = {{ files = "{folder}/www" }}
"""


def lighttpd(trivet, _root):
    """For examples.lighttpd."""
    return f"""
fastcgi.server += ( "/files" => (( "socket" => "{trivet.socket_path}", "check-local" => "disable" )) )
"""


def mod_fcgid(command, _root):
    """For examples.apache: Apache starts Trivet for /files."""
    return f"""
<Location "/files">
  SetHandler fcgid-script
  FcgidWrapper "{command}" virtual
  Options +ExecCGI
</Location>"""


def mod_proxy_fcgi(_command, root):
    """For examples.apache_attaches: Apache finds Trivet running."""
    if not (APACHE_MODULES / "mod_proxy_fcgi.so").exists():
        skip("mod_proxy_fcgi is not installed")
    return f"""
LoadModule proxy_module {APACHE_MODULES}/mod_proxy.so
LoadModule proxy_fcgi_module {APACHE_MODULES}/mod_proxy_fcgi.so
ProxyPass "/files/" "unix:{root.parent}/trivet.sock|fcgi://localhost/files/" """


def check_content(port, prefix="/files"):
    """Files, index files and the fields of their heads."""
    answer = web.ask(port, f"{prefix}/plain.txt")
    equal((answer.status, answer.body), (200, b"0123456789"), "a file")
    equal(answer.header("Content-Type"), "text/plain; charset=utf-8", "Content-Type")
    equal(answer.header("Last-Modified"), OLD_DATE, "Last-Modified")
    expect(answer.header("ETag"), "no ETag")
    one_of(answer.header("Content-Length"), ("10", None), "Content-Length")  # None: mod_proxy_fcgi takes it away
    for uri in ("/", "/index.html", "/sub/", "/sub/?x=y"):
        answer = web.ask(port, prefix + uri)
        equal((answer.status, answer.body), (200, PAGE), uri)
        equal(answer.header("Content-Type"), "text/html; charset=utf-8", f"Content-Type of {uri}")
    for uri, body in (("/with%20space.txt", b"space"), ("/%C3%A4%e2%82%ac.txt", b"umlaut"), ("/empty.css", b""),
                      ("/inside", b"0123456789"), ("/large.bin", LARGE)):
        answer = web.ask(port, prefix + uri)
        expect((answer.status, answer.body) == (200, body), f"{uri}: {answer.status}, {len(answer.body)} bytes")
        one_of(answer.header("Content-Length"), (str(len(body)), None), f"Content-Length of {uri}")


def check_head(port, prefix="/files"):
    get = web.ask(port, f"{prefix}/large.bin")
    head = web.raw(port, f"HEAD {prefix}/large.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    expect(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n"), f"{head[-200:]!r}")
    fields = email.message_from_bytes(head.split(b"\r\n", 1)[1])
    one_of(fields["Content-Length"], (None, str(len(LARGE))), "Content-Length of HEAD")
    equal(fields["ETag"], get.header("ETag"), "ETag of HEAD")


def check_refusals(port, prefix="/files"):
    """What a web server would say; `(status, ...)` where the web server in front has its own opinion too."""
    for uri, status in (("/nothing", 404), ("/plain.txt/", 404), ("/plain.txt/x", 404), ("/bare/", 403), ("/fifo", 404),
                        ("/.hidden", (403, 404)), ("/out", 403), ("/absolute", 403), ("/above/secret.txt", 403)):
        answer = web.ask(port, prefix + uri)
        one_of(answer.status, status if isinstance(status, tuple) else (status,), uri)
        expect(SECRET not in answer.body, f"{uri} got the secret")
    refused = web.ask(port, f"{prefix}/plain.txt", "POST", b"x" * 100_000)
    equal((refused.status, refused.header("Allow")), (405, "GET, HEAD, OPTIONS"), "POST")
    moved = web.ask(port, f"{prefix}/sub?a=%20b")
    equal(moved.status, 301, "a folder without its slash")
    expect(moved.header("Location").endswith(f"{prefix}/sub/?a=%20b"), f"Location: {moved.header('Location')}")


def check_conditions(port, prefix="/files"):
    uri = f"{prefix}/plain.txt"
    tag = web.ask(port, uri).header("ETag")
    for headers, status in (({"If-None-Match": tag}, 304), ({"If-None-Match": '"x"'}, 200), ({"If-None-Match": "*"}, 304),
                            ({"If-Modified-Since": OLD_DATE}, 304), ({"If-Match": '"x"'}, 412), ({"If-Match": tag}, 200),
                            ({"If-Unmodified-Since": "Sun, 13 Sep 2020 12:26:39 GMT"}, 412)):
        answer = web.ask(port, uri, headers=headers)
        equal(answer.status, status, f"status with {headers}")
        if status == 304:
            equal((answer.body, answer.header("ETag")), (b"", tag), f"304 with {headers}")


def check_ranges(port, prefix="/files"):
    uri = f"{prefix}/large.bin"
    tag = web.ask(port, uri).header("ETag")
    size = len(LARGE)
    for asked, first, last in (("0-0", 0, 0), ("5-9", 5, 9), ("-10", size - 10, size - 1), (f"{size - 1}-", size - 1, size - 1),
                               ("1000000-", 1_000_000, size - 1)):
        answer = web.ask(port, uri, headers={"Range": f"bytes={asked}"})
        equal(answer.status, 206, f"status of {asked}")
        equal(answer.header("Content-Range"), f"bytes {first}-{last}/{size}", f"Content-Range of {asked}")
        expect(answer.body == LARGE[first:last + 1], f"{asked}: {len(answer.body)} bytes")
    outside = web.ask(port, uri, headers={"Range": f"bytes={size}-"})
    equal((outside.status, outside.header("Content-Range")), (416, f"bytes */{size}"), "outside")
    for condition, status in ((tag, 206), ('"x"', 200), (OLD_DATE, 206)):
        equal(web.ask(port, uri, headers={"Range": "bytes=0-9", "If-Range": condition}).status, status, f"If-Range {condition}")
    check_several_ranges(port, uri)


def check_several_ranges(port, uri):
    answer = web.ask(port, uri, headers={"Range": "bytes=10-19,0-4,-3"})
    equal(answer.status, 206, "status of several")
    parts = email.message_from_bytes(b"Content-Type: " + answer.header("Content-Type").encode() + b"\r\n\r\n" + answer.body)
    expect(parts.is_multipart(), f"{answer}")
    got = [(part["Content-Range"], part.get_payload(decode=True)) for part in parts.get_payload()]
    size = len(LARGE)
    equal([first for first, _ in got], [f"bytes 10-19/{size}", f"bytes 0-4/{size}", f"bytes {size - 3}-{size - 1}/{size}"],
          "Content-Range of the parts")
    for part in (LARGE[10:20], LARGE[0:5], LARGE[-3:]):  # byte by byte: e-mail may touch line ends
        expect(b"\r\n\r\n" + part + b"\r\n--" in answer.body, f"{part!r} is not among the parts")


def check_curl(port, folder, prefix="/files"):
    """A download that was broken off is taken up, and what has not changed is not loaded again."""
    curl = shutil.which("curl")
    if curl is None:
        return
    where = f"http://127.0.0.1:{port}{prefix}/large.bin"
    kept = folder / "kept.bin"
    kept.write_bytes(LARGE[:1_234_567])
    subprocess.run([curl, "-sS", "--fail", "-C", "-", "-o", kept, where], check=True, timeout=60)
    expect(kept.read_bytes() == LARGE, "what curl took up is not the file")
    tags, again = folder / "tags", folder / "again.bin"
    for _ in range(2):
        done = subprocess.run([curl, "-sS", "--fail", "--etag-save", tags, "--etag-compare", tags, "-o", again, "-w",
                               "%{http_code}", where], check=True, timeout=60, capture_output=True, text=True)
    equal(done.stdout, "304", "the second time")
    moved = subprocess.run([curl, "-sS", "--fail", "-L", f"http://127.0.0.1:{port}{prefix}/sub"], check=True, timeout=60,
                           capture_output=True)
    equal(moved.stdout, PAGE, "a folder without its slash, followed")


def check_all(port, folder, prefix="/files"):
    check_content(port, prefix)
    check_head(port, prefix)
    check_refusals(port, prefix)
    check_conditions(port, prefix)
    check_ranges(port, prefix)
    check_curl(port, folder, prefix)
