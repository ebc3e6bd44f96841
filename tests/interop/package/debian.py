"""The Debian packages: what is in them, and what they do in a clean root folder, where no init system runs."""

import contextlib
import os
import pathlib
import re
import shutil
import stat
import subprocess

from support.host import Process, temporary_folder
from support.runner import Suite, equal, eventually, expect, skip

suite = Suite("package")

LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64")


def run(*words, wanted=0, **more):
    done = subprocess.run([str(each) for each in words], check=False, capture_output=True, text=True, timeout=300, **more)
    expect(wanted is None or done.returncode == wanted,
           f"{' '.join(map(str, words))} ended with {done.returncode}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


@suite.fixture
def packages(t):
    """The folder with the packages of this build."""
    if shutil.which("dpkg-shlibdeps") is None:
        skip("dpkg-dev is not installed")
    with temporary_folder() as folder:
        run("cpack", "-G", "DEB", "--config", t.build.folder / "CPackConfig.cmake", "-B", folder, cwd=folder)
        shutil.rmtree(folder / "_CPack_Packages", ignore_errors=True)
        yield folder


def package(t, name):
    (found,) = t.use(packages).glob(f"{name}_*.deb")
    return found


@suite.fixture
def installed(t):
    """A root folder with both packages, and nothing else but users."""
    if os.geteuid() != 0:
        skip("only root installs packages")
    with temporary_folder() as root:
        for each in ("etc", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "var/lib/dpkg/info", "var/lib/dpkg/updates",
                     "var/log", "run", "tmp", "proc", "dev"):
            (root / each).mkdir(parents=True, exist_ok=True)
        for each in ("bin", "sbin", "lib", "lib64"):
            (root / each).symlink_to(f"usr/{each}")
        for each in ("status", "available"):
            (root / "var/lib/dpkg" / each).touch()
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\n")
        (root / "etc/group").write_text("root:x:0:\nadm:x:4:\nwww-data:x:33:\n")
        install(t, root)
        yield root


def dpkg(root, *words):
    return run("dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", *words,
               env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))


def install(t, root):
    return dpkg(root, "--install", package(t, "trivet"), package(t, "trivet-dev"))


def account(root):
    fields = next(line.split(":") for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("trivet:"))
    return int(fields[2]), int(fields[3])


def listed(deb):
    """Path to (mode, owner) of everything in a package."""
    found = {}
    for line in run("dpkg-deb", "--contents", deb).splitlines():
        mode, owner, _, _, _, path = line.split(None, 5)
        found[path.split(" -> ")[0].removeprefix(".")] = (mode, owner)
    return found


@suite.test("the packages build, and say what they need", timeout=300, sanitized=False)
def _(t):
    fields = run("dpkg-deb", "--info", package(t, "trivet"))
    depends = re.search(r"^ Depends: (.*)$", fields, re.M).group(1)
    for each in ("libc6", "libstdc++6", "libsystemd0", "libspdlog1", "libtomlplusplus3", "libcrypt1", "libaprutil1", "libre2", "libcmark-gfm0", "libcmark-gfm-extensions0",
                 "zlib1g", "libbrotli1", "libzstd1", "adduser"):
        expect(each in depends, f"Depends: {depends}")
    expect("Architecture: all" in run("dpkg-deb", "--info", package(t, "trivet-dev")), "trivet-dev is for all architectures")
    equal(run("dpkg-deb", "--info", package(t, "trivet"), "conffiles").split(), ["/etc/trivet/trivet.toml"], "conffiles")


@suite.test("each file is where Debian has it, root's, and not for others to write", timeout=300, sanitized=False)
def _(t):
    files = listed(package(t, "trivet"))
    for each in ("/usr/bin/trivet", "/usr/bin/trivet-attach", "/etc/trivet/trivet.toml", "/etc/trivet/conf.d/", "/lib/systemd/system/trivet.service",
                 "/lib/systemd/system/trivet.socket", "/usr/lib/sysusers.d/trivet.conf", "/usr/lib/tmpfiles.d/trivet.conf",
                 "/usr/share/man/man1/trivet.1.gz", "/usr/share/man/man5/trivet.toml.5.gz", "/usr/share/doc/trivet/copyright",
                 "/usr/share/doc/trivet/changelog.gz", "/usr/share/doc/trivet/changelog.Debian.gz",
                 "/usr/share/man/man1/trivet-attach.1.gz", "/usr/share/doc/trivet/trivet.toml",
                 "/usr/share/trivet/haproxy/trivet_auth.lua", "/usr/share/doc/trivet/examples/nginx/trivet.conf",
                 "/usr/share/doc/trivet/examples/systemd/drop-ins/tcp.conf"):
        expect(each in files, f"{each} is missing")
    shipped = {each.stem for each in pathlib.Path(t.build.plugins).glob("*.so")}
    packed = {pathlib.Path(each).stem for each in files if each.startswith("/usr/lib/trivet/plugins/") and each.endswith(".so")}
    equal(packed, shipped, "plugins")
    for deb in ("trivet", "trivet-dev"):
        for path, (mode, owner) in listed(package(t, deb)).items():
            equal(owner, "root/root", f"owner of {path}")
            expect(mode[5] != "w" and mode[8] != "w", f"{path} is {mode}")
            expect(str(t.build.folder) not in path, path)


@suite.test("installed into a clean root it makes its user and folders, and starts nothing", timeout=300, sanitized=False)
def _(t):
    root = t.use(installed)
    uid, gid = account(root)
    expect(re.search(r"^www-data:.*\btrivet\b", (root / "etc/group").read_text(), re.M), "trivet is in www-data")
    for path, mode in (("run/trivet", 0o755), ("var/lib/trivet", 0o711), ("var/lib/trivet/plugins", 0o711),
                       ("var/lib/trivet/spool", 0o711)):
        about = (root / path).stat()
        equal((about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)), (uid, gid, mode), path)
    expect((root / "etc/systemd/system/multi-user.target.wants/trivet.service").is_symlink(), "the service is enabled")
    expect(not (root / "run/trivet/trivet.sock").exists(), "nothing listens")
    before = (root / "etc/passwd").read_text(), (root / "etc/group").read_text()
    (root / "etc/trivet/trivet.toml").write_text((root / "etc/trivet/trivet.toml").read_text() + "# mine\n")
    install(t, root)
    equal(((root / "etc/passwd").read_text(), (root / "etc/group").read_text()), before, "users after a second time")
    expect((root / "etc/trivet/trivet.toml").read_text().endswith("# mine\n"), "what the administrator wrote stays")


@contextlib.contextmanager
def enterable(root):
    """Words that run a program in the root folder, with the libraries of this machine, /proc and /dev."""
    script = ["set -e"]
    for each in (*LIBRARIES, "proc", "dev"):
        if pathlib.Path("/", each).is_dir():
            (root / each).mkdir(parents=True, exist_ok=True)
            script.append(f"mount --rbind /{each} {root}/{each}")
    script.append('exec "$@"')
    uid, gid = account(root)
    yield ["unshare", "--mount", "sh", "-c", "; ".join(script), "sh", "chroot", f"--userspec={uid}:{gid}", "--groups=33",
           str(root)]


@suite.test("the installed host checks, serves and stops with the configuration that comes with it", timeout=300, sanitized=False)
def _(t):
    root = t.use(installed)
    with enterable(root) as enter, temporary_folder() as folder:
        said = run(*enter, "/usr/bin/trivet", "check", "--load")
        equal(said, "/etc/trivet/trivet.toml: ok\n", "what check says")
        process = Process("trivet", folder / "log")
        process.start([*enter, "/usr/bin/trivet", "serve"])
        try:
            eventually(lambda: re.search(r"\bready\b", process.log_text()) or not process.running, "the host is ready", 20)
            socket = root / "run/trivet/trivet.sock"
            about = socket.stat()
            equal((about.st_gid, stat.S_IMODE(about.st_mode)), (33, 0o660), f"the socket's group and mode: {process.log_text()}")
            answer = run(*enter, "/usr/bin/trivet", "call", "unix:/run/trivet/trivet.sock", "/hello")
            expect("ello" in answer, answer)
        finally:
            code = process.end(within=20)
        equal(code, 0, f"exit code: {process.log_text()}")
        expect(not socket.exists(), "the socket's file is left")


@suite.test("a plugin is built with what trivet-dev installs, found by find_package(Trivet), and its test passes",
            timeout=300, sanitized=False)
def _(t):
    root = t.use(installed)
    with temporary_folder() as folder:
        shutil.copytree(root / "usr/share/doc/trivet-dev/examples/template", folder / "template")
        run("cmake", "-S", folder / "template", "-B", folder / "build", "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={root}/usr", env=dict(os.environ, CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH="0"))
        run("nice", "ninja", "-C", folder / "build", "-j2")
        run("ctest", "--test-dir", folder / "build", "--output-on-failure")
        expect((folder / "build/plugins/my_plugin.so").exists(), "my_plugin.so")


@suite.test("a removal keeps configuration and state, a purge takes them, both can be done again", timeout=300, sanitized=False)
def _(t):
    root = t.use(installed)
    (root / "var/lib/trivet/plugins/left").write_text("x")
    dpkg(root, "--remove", "trivet")
    expect((root / "etc/trivet/trivet.toml").exists() and (root / "var/lib/trivet/plugins/left").exists(), "what a removal keeps")
    expect(not (root / "usr/bin/trivet").exists(), "the program is there")
    dpkg(root, "--purge", "trivet")
    for each in ("etc/trivet", "var/lib/trivet", "var/log/trivet", "run/trivet",
                 "etc/systemd/system/multi-user.target.wants/trivet.service"):
        expect(not os.path.lexists(root / each), f"{each} is left")
    expect("trivet:" in (root / "etc/passwd").read_text(), "the user stays: files elsewhere may be its own")
    install(t, root)
    dpkg(root, "--purge", "trivet", "trivet-dev")
    left = [each for each in root.rglob("*") if "trivet" in each.name and "var/lib/dpkg" not in str(each)
            and "var/lib/systemd" not in str(each)]
    equal(left, [], "what is left of both")
