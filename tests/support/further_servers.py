"""Caddy, h2o, Yaws and Jetty, like those of servers.py: in a temporary folder, on loopback ports, never as a daemon."""

import os
import pathlib
import signal

from support import runner
from support.servers import WebServer, me, program


class Caddy(WebServer):
    """Caddy with `site` as the inside of its only site block."""

    def __init__(self, folder, port, site):
        super().__init__("caddy", folder, port)
        self.program = program("caddy")
        (self.folder / "Caddyfile").write_text(f"""\
{{
  admin off
  auto_https off
  log {{
    output stderr
    level WARN
  }}
}}
http://:{port} {{
  bind 127.0.0.1
{site}
}}
""")

    def start(self):  # pylint: disable=arguments-differ
        # It keeps what it stores below these, also where it stores nothing.
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder / "caddy-data"),
                       "XDG_CONFIG_HOME": str(self.folder / "caddy-config")}
        super().start([self.program, "run", "--adapter", "caddyfile", "--config", str(self.folder / "Caddyfile")],
                      environment, cwd=str(self.folder))
        return self.wait_until_it_listens()


class H2o(WebServer):
    """h2o with `hosts` as YAML below its key of that name, `top` as more keys beside it."""

    def __init__(self, folder, port, hosts, top=""):
        super().__init__("h2o", folder, port)
        self.program = program("h2o")
        (self.folder / "h2o.yaml").write_text(f"""\
listen: {{ host: 127.0.0.1, port: {port} }}
user: {me()}
num-threads: 2
error-log: {self.log}
temp-buffer-path: {folder}
{top}
hosts:
{hosts}
""")

    def start(self):  # pylint: disable=arguments-differ
        super().start([self.program, "-m", "worker", "-c", str(self.folder / "h2o.yaml")], cwd=str(self.folder))
        return self.wait_until_it_listens()


class Yaws(WebServer):
    """Yaws with `server` as the inside of its <server>; an application is reached over TCP only."""

    def __init__(self, folder, port, server):
        super().__init__("yaws", folder, port)
        self.program = program("yaws")
        for each in ("yaws-log", "yaws-www"):
            (self.folder / each).mkdir(exist_ok=True)
        (self.folder / "yaws.conf").write_text(f"""\
logdir = {folder}/yaws-log
keepalive_timeout = 2000
<server localhost>
  port = {port}
  listen = 127.0.0.1
  docroot = {folder}/yaws-www
{server}
</server>
""")

    def start(self):  # pylint: disable=arguments-differ
        # In the foreground, which its interactive mode is; without a terminal its shell has to be told to be quiet.
        environment = {**os.environ, "HOME": str(self.folder)}
        super().start([self.program, "-i", "--nodebug", "--conf", str(self.folder / "yaws.conf"), "--id", f"trivet_{self.port}",
                       "--erlarg", "-noinput"], environment, cwd=str(self.folder))
        return self.wait_until_it_listens(30)

    def stop(self):
        # Told to stop it waits for its processes, also for those that died with an odd request.
        self.end(signal.SIGKILL)


JARS = pathlib.Path("/usr/share/java")


class Jetty(WebServer):
    """Jetty 9 with its FastCGIProxyServlet for every path; `init` are more of its init parameters."""

    NEEDED = ("server", "servlet", "http", "io", "util", "security", "client", "proxy", "fcgi-client", "fcgi-server", "xml")

    def __init__(self, folder, port, to_port, init=None):
        super().__init__("jetty", folder, port)
        self.program = program("java")
        self.jars = [JARS / "servlet-api.jar", *(JARS / f"jetty9-{each}.jar" for each in self.NEEDED)]
        if not all(each.exists() for each in self.jars):
            runner.skip("Jetty 9 is not installed (apt-get install libjetty9-extra-java)")
        settings = {"proxyTo": f"http://127.0.0.1:{to_port}", "prefix": "/", "scriptRoot": str(folder), **(init or {})}
        given = "\n".join(f'<Call name="setInitParameter"><Arg>{name}</Arg><Arg>{value}</Arg></Call>'
                          for name, value in settings.items())
        (self.folder / "jetty.xml").write_text(f"""\
<?xml version="1.0"?>
<!DOCTYPE Configure PUBLIC "-//Jetty//Configure//EN" "http://www.eclipse.org/jetty/configure_9_3.dtd">
<Configure id="server" class="org.eclipse.jetty.server.Server">
  <Call name="addConnector"><Arg><New class="org.eclipse.jetty.server.ServerConnector">
    <Arg name="server"><Ref refid="server"/></Arg>
    <Set name="host">127.0.0.1</Set><Set name="port">{port}</Set>
  </New></Arg></Call>
  <Set name="handler"><New class="org.eclipse.jetty.servlet.ServletContextHandler">
    <Call name="addServlet">
      <Arg type="java.lang.String">org.eclipse.jetty.fcgi.server.proxy.FastCGIProxyServlet</Arg><Arg>/*</Arg>
      {given}
    </Call>
  </New></Set>
</Configure>
""")

    def start(self):  # pylint: disable=arguments-differ
        super().start([self.program, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                       ":".join(map(str, self.jars)), "org.eclipse.jetty.xml.XmlConfiguration",
                       str(self.folder / "jetty.xml")], cwd=str(self.folder))
        return self.wait_until_it_listens(40)

    def stop(self):
        # The Java machine says that it was ended by SIGTERM.
        runner.one_of(self.end(), (0, 128 + signal.SIGTERM), "exit code of jetty")
