#include "runtime/cli/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string_view>

#include "runtime/cli/version.hpp"

namespace trivet::cli {
namespace {

constexpr std::string_view not_served[] = {"explain",   "bench",  "reload", "status",  "stop",   "drain",
                                           "log-level", "attach", "plugin", "snippet", "upgrade"};
constexpr const char* default_config = "/etc/trivet/trivet.toml";

/// The number of single-character edits between two words.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// Wrong usage that CLI11 would tell less well: a word that is no command, or one that is not served yet.
bool refuse_command(std::string_view word) {
  if (word.empty() || word.front() == '-') return false;
  static constexpr std::string_view commands[] = {"serve", "check", "call"};
  if (std::find(std::begin(commands), std::end(commands), word) != std::end(commands)) return false;
  std::cerr << "trivet: ";
  if (std::find(std::begin(not_served), std::end(not_served), word) != std::end(not_served)) {
    std::cerr << "`" << word << "` is not served by this version yet (served: serve, check, call)\n";
    return true;
  }
  std::cerr << "there is no command `" << word << "`";
  const auto* closest = std::min_element(std::begin(commands), std::end(commands), [&](auto a, auto b) {
    return distance(word, a) < distance(word, b);
  });
  if (distance(word, *closest) <= 2) {
    std::cerr << ": did you mean `" << *closest << "`?\n";
  } else {
    std::cerr << " (there are: serve, check, call; `trivet --help` shows more)\n";
  }
  return true;
}

/// "250ms", "5s", "2m".
std::optional<std::chrono::milliseconds> read_duration(const std::string& text) {
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits > 9 || digits == std::string::npos) return std::nullopt;
  const std::int64_t number = std::stoll(text.substr(0, digits));
  const std::string unit = text.substr(digits);
  if (unit == "ms") return std::chrono::milliseconds(number);
  if (unit == "s") return std::chrono::seconds(number);
  if (unit == "m") return std::chrono::minutes(number);
  return std::nullopt;
}

class Reader {
 public:
  Reader() {
    app_.set_version_flag("--version", std::string("trivet ") + std::string(version));
    app_.require_subcommand(1);
    app_.footer(
        "Examples:\n"
        "  trivet check -c trivet.toml\n"
        "  trivet serve -c trivet.toml\n"
        "  trivet call unix:/run/trivet/trivet.sock /hello\n\n"
        "`trivet COMMAND --help` shows what each command takes.\n"
        "Exit codes: 0 ok, 1 failed, 64 usage, 69 not reachable, 70 internal, 78 configuration invalid.");
    add_serve();
    add_check();
    add_call();
  }

  Command read(int argc, const char* const* argv) {
    if (argc > 1 && refuse_command(argv[1])) return Finished{exit_usage};
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const bool wanted = error.get_exit_code() == 0;  // --help, --version
      app_.exit(error, std::cout, std::cerr);
      return Finished{wanted ? exit_ok : exit_usage};
    }
    if (serve_->parsed()) {
      if (processes_ >= 0) serving_.processes = static_cast<std::uint32_t>(processes_);
      return serving_;
    }
    if (check_->parsed()) return finish_check();
    return finish_call();
  }

 private:
  void add_serve() {
    serve_ = app_.add_subcommand("serve", "Run the host until SIGTERM");
    serve_->add_option("-c,--config", serving_.config_file, "The configuration")->default_str(default_config);
    serving_.config_file = default_config;
    serve_->add_option(
        "--listen", serving_.listen,
        "Listen here instead of on every [[listen]]: unix:PATH, tcp:HOST:PORT or fd:N; may be repeated");
    serve_->add_option("--processes", processes_, "Worker processes; 0: everything in this one")
        ->check(CLI::Range(0, 4096));
    serve_->footer(
        "Writes one line with `ready` to standard error when every plugin is loaded and every socket "
        "listens.\n"
        "SIGTERM, SIGINT, SIGQUIT, SIGUSR1: finish what runs, at most shutdown_grace, then exit with 0.");
  }

  void add_check() {
    check_ = app_.add_subcommand(
        "check", "Tell everything that is wrong with a configuration, running no plugin code");
    check_->add_option("-c,--config", checking_.config_file, "The configuration")
        ->default_str(default_config);
    checking_.config_file = default_config;
    check_->add_option("--format", format_, "text (to standard error) or json (to standard output)")
        ->check(CLI::IsMember({"text", "json"}));
    check_->add_flag("--load", load_, "Also initialise the plugins (not served by this version yet)");
  }

  void add_call() {
    call_ = app_.add_subcommand("call",
                                "Send one FastCGI request, in any of the three roles, and show the answer");
    call_->add_option("ADDRESS", calling_.address, "unix:PATH or tcp:HOST:PORT")->required();
    call_->add_option("URI", calling_.uri, "What is asked for, with its query")->default_str("/");
    call_->add_option("--role", role_, "responder, authorizer or filter")
        ->check(CLI::IsMember({"responder", "authorizer", "filter"}));
    call_->add_option("-X,--method", calling_.method,
                      "The request method; GET, or POST when there is a body");
    call_
        ->add_option("-p,--param", params_,
                     "NAME=VALUE sets a CGI parameter, -NAME leaves a usual one out; may be repeated")
        ->allow_extra_args(false);
    call_->add_option("-d,--body", body_,
                      "The request body (FCGI_STDIN): TEXT, @FILE, or @- for standard input");
    call_->add_option("--data", data_, "What to filter (FCGI_DATA): TEXT, @FILE, or - for standard input");
    call_->add_flag("-i,--head", calling_.show_head, "Show the head of the answer before its body");
    call_->add_flag("-f,--fail", calling_.fail_on_status,
                    "Exit with 1 for a Status of 400 and above, as authorizer for anything but 200");
    call_->add_flag("--trace", calling_.trace, "Show every record on standard error");
    call_->add_option("--timeout", timeout_, "Give up when no byte moves for this long, e.g. 500ms, 30s")
        ->default_str("30s");
    call_->footer(
        "The body of the answer goes to standard output, FCGI_STDERR to standard error.\n"
        "Examples:\n"
        "  trivet call unix:/run/trivet/trivet.sock '/hello?name=x' -i\n"
        "  trivet call tcp:127.0.0.1:9000 /secret --role authorizer -p HTTP_X_API_KEY=k -i -f\n"
        "  trivet call tcp:127.0.0.1:9000 /shout --role filter --data @README.md\n"
        "  trivet call tcp:127.0.0.1:9000 /upload -d @big.bin > answer");
  }

  Command finish_check() {
    if (load_) {
      std::cerr << "trivet: `check --load` is not served by this version yet\n";
      return Finished{exit_usage};
    }
    checking_.json = format_ == "json";
    return checking_;
  }

  Command finish_call() {
    if (role_ == "authorizer") calling_.role = protocol::Role::authorizer;
    if (role_ == "filter") calling_.role = protocol::Role::filter;
    if (call_->count("--body") != 0) calling_.body = body_;
    if (call_->count("--data") != 0) calling_.data = data_;
    if (calling_.data && calling_.role != protocol::Role::filter) {
      std::cerr << "trivet: --data is for --role filter (a request body is -d)\n";
      return Finished{exit_usage};
    }
    for (const std::string& param : params_) {
      const std::size_t equals = param.find('=');
      if (equals == std::string::npos && param.size() > 1 && param.front() == '-') {
        calling_.without.push_back(param.substr(1));
      } else if (equals == std::string::npos || equals == 0) {
        std::cerr << "trivet: -p takes NAME=VALUE, or -NAME to leave one out, not `" << param << "`\n";
        return Finished{exit_usage};
      } else {
        calling_.params.emplace_back(param.substr(0, equals), param.substr(equals + 1));
      }
    }
    const auto timeout = read_duration(timeout_);
    if (!timeout || timeout->count() == 0) {
      std::cerr << "trivet: --timeout takes a duration such as 500ms or 30s, not `" << timeout_ << "`\n";
      return Finished{exit_usage};
    }
    calling_.timeout = *timeout;
    return calling_;
  }

  CLI::App app_{"Trivet answers web servers over FastCGI, in all three roles, with plugins.", "trivet"};
  CLI::App* serve_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* call_ = nullptr;
  ServeCommand serving_;
  CheckCommand checking_;
  CallCommand calling_;
  int processes_ = -1;
  bool load_ = false;
  std::string format_ = "text";
  std::string role_ = "responder";
  std::string body_;
  std::string data_;
  std::string timeout_ = "30s";
  std::vector<std::string> params_;
};

}  // namespace

Command read_arguments(int argc, const char* const* argv) { return Reader().read(argc, argv); }

}  // namespace trivet::cli
