"""PHP-FPM in a temporary folder: its own configuration, socket and scripts; started and ended by the test."""

import contextlib
import os
import pathlib
import signal
import time

from support import runner
from support.host import Process, tail
from support.servers import give_to_web_user, program, web_user

SCRIPTS = {
    "index.php": "<?php header('Content-Type: text/plain'); echo 'index of ', $_SERVER['SCRIPT_NAME'];",
    "sub/index.php": "<?php header('Content-Type: text/plain'); echo 'index of ', $_SERVER['SCRIPT_NAME'];",
    "info.php": "<?php header('Content-Type: application/json'); echo json_encode($_SERVER);",
    "hello.php": "<?php header('Content-Type: text/plain'); echo 'Hello, ', $_GET['name'] ?? 'World', PHP_EOL;",
    "form.php": "<?php header('Content-Type: application/json'); echo json_encode([$_POST, $_COOKIE]);",
    "upload.php": """<?php
header('Content-Type: text/plain');
$hash = hash_init('sha256');
$size = 0;
$in = fopen('php://input', 'rb');
while (!feof($in)) { $piece = fread($in, 65536); $size += strlen($piece); hash_update($hash, $piece); }
echo $size, ' ', hash_final($hash), ' ', $_SERVER['CONTENT_LENGTH'] ?? '-';
""",
    "download.php": """<?php
header('Content-Type: application/octet-stream');
$piece = str_repeat('0123456789abcdef', 4096);
for ($i = 0; $i < (int)$_GET['n']; $i++) echo pack('N', $i), substr($piece, 4);
""",
    "status.php": """<?php
http_response_code((int)$_GET['code']);
header('X-One: 1');
header('X-Two: a', false);
header('X-Two: b', false);
setcookie('first', '1', 0, '/');
setcookie('second', '2', 0, '/');
header('Connection: close');
if (isset($_GET['location'])) header('Location: ' . $_GET['location'], true, (int)$_GET['code']);
echo 'body';
""",
    "stderr.php": "<?php error_log(\"told\\tby PHP\"); trigger_error('a warning', E_USER_WARNING); echo 'fine';",
    "exit.php": "<?php echo 'before'; exit(3);",
    "sleep.php": "<?php usleep((int)($_GET['s'] * 1000000)); echo 'slept';",
    "events.php": """<?php
header('Content-Type: text/event-stream');
for ($i = 0; $i < 4; $i++) { echo "data: $i\\n\\n"; flush(); usleep(300000); }
""",
    "watch.php": """<?php
register_shutdown_function(function () {
    file_put_contents($_GET['file'], connection_aborted() ? 'aborted' : 'whole');
});
for ($i = 0; $i < 200; $i++) { echo str_repeat('x', 1000); flush(); usleep(50000); }
""",
}


class Fpm(Process):
    """`children` processes; each serves one connection at a time."""

    def __init__(self, folder, children=4, requests=0):
        super().__init__("php-fpm", folder / "php-fpm.log")
        self.folder = pathlib.Path(folder)
        self.socket = folder / "php.sock"
        self.address = f"unix:{self.socket}"
        self.root = folder / "scripts"
        self.children = children
        self.requests = requests

    def write(self):
        for name, text in SCRIPTS.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (self.root / "upload").mkdir(exist_ok=True)
        (self.root / "upload" / "cat.jpg").write_text("<?php echo 'this must never run';")
        (self.folder / "told").mkdir(exist_ok=True)
        give_to_web_user(self.folder / "told")
        user = f"user = {web_user()}\ngroup = {web_user()}" if web_user() else ""
        (self.folder / "fpm.conf").write_text(f"""\
[global]
error_log = {self.folder}/php-fpm.log
daemonize = no
[www]
{user}
listen = {self.socket}
listen.mode = 0666
pm = static
pm.max_children = {self.children}
pm.max_requests = {self.requests}
security.limit_extensions =
php_admin_value[post_max_size] = 128M
php_admin_value[upload_tmp_dir] = {self.folder}/told
php_admin_value[sys_temp_dir] = {self.folder}/told
php_admin_value[memory_limit] = 64M
php_admin_value[error_log] =
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
""")

    def start(self):  # pylint: disable=arguments-differ
        self.write()
        binary = program("php-fpm8.2")
        self.mark_log()
        super().start([binary, "-n", "-F", "-y", str(self.folder / "fpm.conf")], cwd=str(self.folder))
        deadline = time.monotonic() + 20
        while "ready to handle connections" not in self.log_since_mark():
            if not self.running or time.monotonic() > deadline:
                with contextlib.suppress(runner.Failure):
                    self.end(signal.SIGKILL)
                raise runner.Failure(f"PHP-FPM did not start:\n{tail(self.log_text())}")
            time.sleep(0.02)
        return self

    def stop(self):
        self.end(signal.SIGQUIT)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)


@contextlib.contextmanager
def running(folder, **more):
    fpm = Fpm(folder, **more).start()
    try:
        yield fpm
    finally:
        if fpm.running:
            fpm.stop()
