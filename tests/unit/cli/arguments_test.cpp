#include "runtime/cli/arguments.hpp"

#include <gtest/gtest.h>

namespace trivet::cli {
namespace {

struct Read {
  Command command;
  std::string out;
  std::string err;
};

Read read(std::vector<const char*> words) {
  words.insert(words.begin(), "trivet");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Command command = read_arguments(static_cast<int>(words.size()), words.data());
  return {std::move(command), testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

template <class T>
T read_as(const std::vector<const char*>& words) {
  const Read got = read(words);
  EXPECT_EQ(got.err, "");
  if (const T* command = std::get_if<T>(&got.command)) return *command;
  ADD_FAILURE() << "another command was read";
  return T();
}

TEST(Arguments, ServeHasDefaults) {
  const auto serve = read_as<ServeCommand>({"serve"});
  EXPECT_EQ(serve.config_file, "/etc/trivet/trivet.toml");
  EXPECT_TRUE(serve.listen.empty());
  EXPECT_EQ(serve.processes, std::nullopt);
}

TEST(Arguments, ServeTakesListenersAndProcesses) {
  const auto serve = read_as<ServeCommand>(
      {"serve", "--listen", "fd:3", "-c", "x.toml", "--processes", "0", "--listen=unix:/a"});
  EXPECT_EQ(serve.config_file, "x.toml");
  EXPECT_EQ(serve.listen, (std::vector<std::string>{"fd:3", "unix:/a"}));
  EXPECT_EQ(serve.processes, 0U);
}

TEST(Arguments, ExplainTakesARequest) {
  const auto plain = read_as<ExplainCommand>({"explain", "GET", "/x?y"});
  EXPECT_EQ(plain.config_file, "/etc/trivet/trivet.toml");
  EXPECT_EQ(plain.method, "GET");
  EXPECT_EQ(plain.uri, "/x?y");
  EXPECT_EQ(plain.listener, "");
  EXPECT_EQ(plain.role, protocol::Role::responder);

  const auto full = read_as<ExplainCommand>({"explain", "-c", "x.toml", "PUT", "/", "--role", "filter",
                                             "--listener", "web", "-p", "A=1=2", "-p", "-HTTP_HOST"});
  EXPECT_EQ(full.config_file, "x.toml");
  EXPECT_EQ(full.listener, "web");
  EXPECT_EQ(full.role, protocol::Role::filter);
  EXPECT_EQ(full.params, (std::vector<std::pair<std::string, std::string>>{{"A", "1=2"}}));
  EXPECT_EQ(full.without, std::vector<std::string>{"HTTP_HOST"});
}

TEST(Arguments, ServeRefusesWhatIsNoAddress) {
  for (const char* each : {"nowhere", "tcp:1", "unix:", "fd:x", ""}) {
    const Read got = read({"serve", "--listen", "unix:/a", "--listen", each});
    const auto* finished = std::get_if<Finished>(&got.command);
    ASSERT_TRUE(finished) << each;
    EXPECT_EQ(finished->code, exit_usage);
    EXPECT_TRUE(got.err.starts_with("trivet: serve: --listen: ")) << got.err;
  }
}

TEST(Arguments, CheckTakesAFormat) {
  EXPECT_FALSE(read_as<CheckCommand>({"check"}).json);
  EXPECT_FALSE(read_as<CheckCommand>({"check", "--format", "text"}).json);
  EXPECT_TRUE(read_as<CheckCommand>({"check", "--format", "json"}).json);
}

TEST(Arguments, CallTakesAnAddressAndMuchElse) {
  const auto plain = read_as<CallCommand>({"call", "unix:/a"});
  EXPECT_EQ(plain.address, "unix:/a");
  EXPECT_EQ(plain.uri, "/");
  EXPECT_EQ(plain.role, protocol::Role::responder);
  EXPECT_FALSE(plain.body || plain.data || plain.show_head || plain.fail_on_status || plain.trace);

  const auto full = read_as<CallCommand>(
      {"call", "unix:/a", "/x?y", "--role", "filter", "-X", "PUT", "-p", "A=1=2",   "-p",        "-HTTP_HOST",
       "-p",   "B=",      "-d",   "@f",     "--data", "-",  "-i",  "-f", "--trace", "--timeout", "500ms"});
  EXPECT_EQ(full.uri, "/x?y");
  EXPECT_EQ(full.role, protocol::Role::filter);
  EXPECT_EQ(full.method, "PUT");
  EXPECT_EQ(full.params, (std::vector<std::pair<std::string, std::string>>{{"A", "1=2"}, {"B", ""}}));
  EXPECT_EQ(full.without, (std::vector<std::string>{"HTTP_HOST"}));
  EXPECT_EQ(full.body, "@f");
  EXPECT_EQ(full.data, "-");
  EXPECT_TRUE(full.show_head && full.fail_on_status && full.trace);
  EXPECT_EQ(full.timeout, std::chrono::milliseconds(500));
}

TEST(Arguments, AnEmptyBodyIsABody) {
  EXPECT_EQ(read_as<CallCommand>({"call", "unix:/a", "-d", ""}).body, "");
  EXPECT_EQ(read_as<CallCommand>({"call", "unix:/a", "--body="}).body, "");
  EXPECT_EQ(read_as<CallCommand>({"call", "unix:/a", "--role", "filter", "--data="}).data, "");
}

struct AdminCase {
  std::vector<const char*> words;
  const char* line;
};

TEST(Arguments, WhatARunningHostIsAskedIsALine) {
  const AdminCase cases[] = {
      {{"reload"}, "trivet/1 reload\n"},
      {{"upgrade"}, "trivet/1 upgrade\n"},
      {{"status"}, "trivet/1 status text\n"},
      {{"status", "--json"}, "trivet/1 status json\n"},
      {{"status", "--format", "json"}, "trivet/1 status json\n"},
      {{"stop"}, "trivet/1 stop\n"},
      {{"stop", "--now", "--no-wait"}, "trivet/1 stop now no-wait\n"},
      {{"drain"}, "trivet/1 drain\n"},
      {{"drain", "--no-wait"}, "trivet/1 drain no-wait\n"},
      {{"log-level", "debug"}, "trivet/1 log-level debug\n"},
  };
  for (const AdminCase& each : cases) {
    const auto command = read_as<AdminCommand>(each.words);
    EXPECT_EQ(host::pack(command.request), each.line);
    EXPECT_EQ(command.address, "");
    EXPECT_EQ(command.config_file, "");
  }
  EXPECT_EQ(read_as<AdminCommand>({"status", "--admin", "unix:/a"}).address, "unix:/a");
  EXPECT_EQ(read_as<AdminCommand>({"stop", "-c", "x.toml"}).config_file, "x.toml");
}

TEST(Arguments, AttachTakesAnAddress) {
  EXPECT_EQ(read_as<AttachCommand>({"attach"}).address, "unix:/run/trivet/attach.sock");
  EXPECT_EQ(read_as<AttachCommand>({"attach", "/a"}).address, "/a");
}

TEST(Arguments, ConformTakesWhatItAsksFor) {
  const auto command =
      read_as<ConformCommand>({"conform",        "unix:/a", "--responder", "/r",  "--authorizer", "/p",
                               "--grant",        "A=b=c",   "--filter",    "/f",  "-p",           "X=y",
                               "--only",         "G01",     "--only",      "A02", "--timeout",    "500ms",
                               "--idle-timeout", "5s",      "--pid",       "7",   "--no-memory"});
  EXPECT_EQ(command.address, "unix:/a");
  EXPECT_EQ(command.responder, "/r");
  EXPECT_EQ(command.authorizer, "/p");
  EXPECT_EQ(command.grant, (std::vector<std::pair<std::string, std::string>>{{"A", "b=c"}}));
  EXPECT_EQ(command.filter, "/f");
  EXPECT_EQ(command.params, (std::vector<std::pair<std::string, std::string>>{{"X", "y"}}));
  EXPECT_EQ(command.only, (std::vector<std::string>{"G01", "A02"}));
  EXPECT_EQ(command.timeout.count(), 500);
  EXPECT_EQ(command.idle_timeout->count(), 5000);
  EXPECT_EQ(command.process, 7);
  EXPECT_FALSE(command.look_at_memory);
  const auto plain = read_as<ConformCommand>({"conform", "unix:/a"});
  EXPECT_EQ(plain.responder, "/");
  EXPECT_TRUE(plain.look_at_memory);
  EXPECT_FALSE(plain.idle_timeout.has_value());
  EXPECT_TRUE(read_as<ConformCommand>({"conform", "--list"}).list);
}

TEST(Arguments, BenchTakesWhatItAsksFor) {
  const auto command =
      read_as<BenchCommand>({"bench",  "unix:/a", "/x",         "--role",    "filter", "-c",
                             "4",      "--mux",   "8",          "-d",        "250ms",  "-n",
                             "1000",   "--rate",  "5000/s",     "-X",        "PUT",    "--body",
                             "64KiB",  "--data",  "1MiB",       "-p",        "A=b",    "-p",
                             "-HTTPS", "--json",  "--any-body", "--timeout", "3s",     "--expect-status",
                             "404"});
  EXPECT_EQ(command.address, "unix:/a");
  EXPECT_EQ(command.uri, "/x");
  EXPECT_EQ(command.role, protocol::Role::filter);
  EXPECT_EQ(command.connections, 4U);
  EXPECT_EQ(command.at_a_time, 8U);
  EXPECT_FALSE(command.new_connections);
  EXPECT_EQ(command.duration->count(), 250);
  EXPECT_EQ(command.requests, 1000U);
  EXPECT_EQ(command.per_second, 5000U);
  EXPECT_EQ(command.method, "PUT");
  EXPECT_EQ(command.body, 65536U);
  EXPECT_EQ(command.data, 1048576U);
  EXPECT_EQ(command.params, (std::vector<std::pair<std::string, std::string>>{{"A", "b"}}));
  EXPECT_EQ(command.without, (std::vector<std::string>{"HTTPS"}));
  EXPECT_TRUE(command.json && command.any_body);
  EXPECT_EQ(command.timeout.count(), 3000);
  EXPECT_EQ(command.expect_status, 404);
}

TEST(Arguments, SnippetTakesAServer) {
  const auto plain = read_as<SnippetCommand>({"snippet", "nginx"});
  EXPECT_EQ(plain.server, "nginx");
  EXPECT_EQ(plain.config_file, "/etc/trivet/trivet.toml");
  const auto full = read_as<SnippetCommand>(
      {"snippet", "apache-mod_fcgid", "-c", "x.toml", "--host", "WWW.example.org", "--listener", "web"});
  EXPECT_EQ(full.config_file, "x.toml");
  EXPECT_EQ(full.host, "www.example.org");
  EXPECT_EQ(full.listener, "web");
}

TEST(Arguments, BenchEndsByItselfWhateverIsGiven) {
  EXPECT_EQ(read_as<BenchCommand>({"bench", "unix:/a"}).duration->count(), 10'000);
  const auto counted = read_as<BenchCommand>({"bench", "unix:/a", "-n", "5", "--new-conn", "--rate", "7"});
  EXPECT_FALSE(counted.duration.has_value());
  EXPECT_TRUE(counted.new_connections);
  EXPECT_EQ(counted.requests, 5U);
  EXPECT_EQ(counted.per_second, 7U);
  EXPECT_FALSE(counted.body.has_value());
}

struct WrongCase {
  std::vector<const char*> words;
  const char* told;
};

TEST(Arguments, AWrongCommandLineIsToldWithACureAndGives64) {
  const WrongCase cases[] = {
      {{},
       "which command? serve, check, explain, call, conform, bench, reload, status, stop, drain, log-level, "
       "upgrade, attach, snippet"},
      {{"sreve"}, "there is no command \"sreve\": did you mean `serve`?"},
      {{"x"}, "there is no command \"x\""},
      {{"plugin"}, "`plugin` is not served by this version yet (served: serve, "},
      {{"snippet"}, "snippet: SERVER is required"},
      {{"snippet", "ngnix"},
       "snippet: there is no snippet for \"ngnix\": did you mean `nginx`? There are apache-mod_fcgid, "},
      {{"snippet", "apache"},
       "snippet: there is no snippet for \"apache\": there are apache-mod_fcgid, apache-authnz, "
       "apache-proxy, nginx, "
       "lighttpd, caddy, haproxy, h2o"},
      {{"snippet", "nginx", "--host", "a:80"}, "snippet: --host takes a name without a port, not \"a:80\""},
      {{"snippet", "nginx", "--host", ""}, "snippet: --host takes a name without a port, not \"\""},
      {{"snippet", "nginx", "--host", "a b"}, "snippet: --host takes a name"},
      {{"snippet", "nginx", "--host", "a\nb"}, "snippet: --host takes a name"},
      {{"snippet", "nginx", "h2o"}, "snippet: what is \"h2o\"?"},
      {{"relaod"}, "there is no command \"relaod\": did you mean `reload`?"},
      {{"reload", "--now"}, "reload: there is no option \"--now\""},
      {{"stop", "now"}, "stop: what is \"now\"?"},
      {{"status", "--format", "xml"}, "status: "},
      {{"status", "--admin", "tcp:127.0.0.1:1"}, "status: --admin takes the path of a unix socket"},
      {{"status", "--admin", "nowhere:"}, "status: --admin: "},
      {{"drain", "--admin", "unix:/a", "-c", "x.toml"}, "drain: --admin and -c both name the admin socket"},
      {{"log-level"}, "log-level: "},
      {{"log-level", "loud"}, "log-level: "},
      {{"attach", "--socket"}, "attach: there is no option \"--socket\""},
      {{"serve", "--lisen", "fd:3"}, "serve: there is no option \"--lisen\": did you mean `--listen`?"},
      {{"serve", "extra"}, "serve: what is \"extra\"?"},
      {{"serve", "--processes", "many"}, "serve: "},
      {{"serve", "--processes", "-1"}, "serve: "},
      {{"check", "--format", "xml"}, "check: "},
      {{"conform"}, "conform: ADDRESS is required"},
      {{"conform", "unix:/a", "--grant", "x"}, "--grant takes NAME=VALUE, not \"x\""},
      {{"conform", "unix:/a", "--timeout", "soon"}, "--timeout takes 1ms to 24h"},
      {{"conform", "unix:/a", "--idle-timeout", "soon"}, "--idle-timeout takes 0s to 24h"},
      {{"bench"}, "bench: "},
      {{"bench", "unix:/a", "-c", "0"}, "bench: "},
      {{"bench", "unix:/a", "-c", "100001"}, "bench: "},
      {{"bench", "unix:/a", "-c", "-1"}, "bench: "},
      {{"bench", "unix:/a", "--mux", "65536"}, "bench: "},
      {{"bench", "unix:/a", "-c", "1001", "--mux", "1000"}, "bench: -c times --mux is at most 1000000"},
      {{"bench", "unix:/a", "--mux", "2", "--new-conn"},
       "bench: --mux needs connections that are kept, --new-conn keeps none"},
      {{"bench", "unix:/a", "-n", "0"}, "bench: "},
      {{"bench", "unix:/a", "-n", "1e9"}, "bench: "},
      {{"bench", "unix:/a", "-d", "10"},
       "bench: --duration takes 1ms to 24h, such as 500ms or 30s, not \"10\""},
      {{"bench", "unix:/a", "-d", "0s"}, "--duration takes 1ms to 24h"},
      {{"bench", "unix:/a", "-d", "25h"}, "--duration takes 1ms to 24h"},
      {{"bench", "unix:/a", "--timeout", "0ms"}, "--timeout takes 1ms to 24h"},
      {{"bench", "unix:/a", "--rate", "0/s"},
       "bench: --rate takes 1/s to 10000000/s, such as 5000/s, not \"0/s\""},
      {{"bench", "unix:/a", "--rate", "10000001"}, "--rate takes 1/s to"},
      {{"bench", "unix:/a", "--rate", "5/m"}, "--rate takes 1/s to"},
      {{"bench", "unix:/a", "--rate", "-5"}, "bench: "},
      {{"bench", "unix:/a", "--body", "64k"},
       "bench: --body takes a size up to 1024GiB, such as 64KiB, not \"64k\": did you mean `64KiB`?"},
      {{"bench", "unix:/a", "--body", "1025GiB"}, "--body takes a size up to 1024GiB"},
      {{"bench", "unix:/a", "--data", "1MiB"}, "--data is for --role filter; a request body is --body"},
      {{"bench", "unix:/a", "--role", "filter", "--data", "much"}, "--data takes a size"},
      {{"bench", "unix:/a", "--expect-status", "99"}, "bench: "},
      {{"bench", "unix:/a", "-p", "NAME"}, "bench: -p takes NAME=VALUE"},
      {{"bench", "unix:/a", "--rte", "5"}, "bench: there is no option \"--rte\": did you mean `--rate`?"},
      {{"call"}, "call: "},
      {{"call", "unix:/a", "--role", "admin"}, "call: "},
      {{"call", "unix:/a", "-p", "NAME"}, "-p takes NAME=VALUE, or -NAME to leave one out, not \"NAME\""},
      {{"call", "unix:/a", "-p", "=x"}, "-p takes NAME=VALUE"},
      {{"call", "unix:/a", "--data", "x"}, "--data is for --role filter; a request body is -d"},
      {{"call", "unix:/a", "--role", "filter", "-d", "@-", "--data", "-"},
       "standard input cannot be both the body and the data"},
      {{"call", "unix:/a", "--timeout", "soon"},
       "--timeout takes 1ms to 24h, such as 500ms or 30s, not \"soon\""},
      {{"call", "unix:/a", "--timeout", "0s"}, "--timeout takes"},
      {{"call", "unix:/a", "--timeout", "25h"}, "--timeout takes"},
  };
  for (const WrongCase& each : cases) {
    const Read got = read(each.words);
    const std::string words = testing::PrintToString(each.words.size()) + " words: " + each.told;
    ASSERT_TRUE(std::holds_alternative<Finished>(got.command)) << words;
    EXPECT_EQ(std::get<Finished>(got.command).code, exit_usage) << words;
    EXPECT_EQ(got.out, "") << words;
    EXPECT_TRUE(got.err.starts_with("trivet: ")) << got.err;
    EXPECT_NE(got.err.find(each.told), std::string::npos) << got.err << words;
    EXPECT_EQ(got.err.find('\n'), got.err.size() - 1) << got.err;
  }
}

TEST(Arguments, HelpGoesToStandardOutputAndNamesWhatAStrangerNeeds) {
  const std::pair<std::vector<const char*>, std::vector<const char*>> cases[] = {
      {{"--help"}, {"serve", "check", "call", "Exit codes", "trivet call unix:"}},
      {{"serve", "--help"}, {"--config", "--listen", "SIGTERM", "ready"}},
      {{"check", "--help"}, {"--format", "78"}},
      {{"reload", "--help"}, {"--admin", "SIGHUP", "69", "78"}},
      {{"stop", "--help"}, {"--now", "--no-wait", "shutdown_grace"}},
      {{"attach", "--help"}, {"mod_fcgid", "30 seconds", "69"}},
      {{"call", "--help"}, {"--role", "--data", "--trace", "@FILE", "-p,--param", "69", "--role authorizer"}},
      {{"--version"}, {"trivet 0."}},
  };
  for (const auto& [words, wanted] : cases) {
    const Read got = read(words);
    ASSERT_TRUE(std::holds_alternative<Finished>(got.command));
    EXPECT_EQ(std::get<Finished>(got.command).code, exit_ok);
    EXPECT_EQ(got.err, "");
    for (const char* each : wanted)
      EXPECT_NE(got.out.find(each), std::string::npos) << each << " in\n" << got.out;
  }
}

}  // namespace
}  // namespace trivet::cli
