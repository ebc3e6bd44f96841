#include "runtime/cli/arguments.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <sstream>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/base/version.hpp"
#include "runtime/cli/bench_arguments.hpp"
#include "runtime/cli/conform_arguments.hpp"
#include "runtime/cli/control_arguments.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/cli/snippet_arguments.hpp"
#include "runtime/cli/usage.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"

namespace trivet::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view not_served[] = {"plugin"};
constexpr auto longest_timeout = 24h;

constexpr const char* exit_codes =
    "Exit codes: 0 ok, 1 failed, 64 wrong command line, 69 not reachable, 70 internal error,\n"
    "78 configuration invalid.";

constexpr const char* call_footer =
    "The body of the answer goes to standard output, FCGI_STDERR and all messages to standard error.\n"
    "\n"
    "ADDRESS may also be a path (/run/x.sock, ./x.sock) or HOST:PORT; HOST is numeric or localhost.\n"
    "Parameters: REQUEST_METHOD, REQUEST_URI, SCRIPT_NAME (the whole path, decoded; there is no PATH_INFO),\n"
    "QUERY_STRING, SERVER_*, REMOTE_ADDR, HTTP_HOST, GATEWAY_INTERFACE; with a body CONTENT_TYPE and, where "
    "it\n"
    "is known, CONTENT_LENGTH; for a filter FCGI_DATA_LAST_MOD and, where it is known, FCGI_DATA_LENGTH: of\n"
    "texts and files, not of pipes. An authorizer is sent neither SCRIPT_NAME nor CONTENT_*. `-p "
    "NAME=VALUE`\n"
    "takes the place of one or adds one, given twice it is sent twice; `-p NAME=` sends it empty; `-p "
    "-NAME`\n"
    "leaves it out.\n"
    "\n"
    "Exit codes: 0 the request ended with REQUEST_COMPLETE and application status 0, whatever its Status "
    "(but\n"
    "see -f); 1 it did not, or the answer is malformed; 64 wrong command line; 69 nobody answers at "
    "ADDRESS.\n"
    "\n"
    "Examples:\n"
    "  trivet call unix:/run/trivet/trivet.sock '/hello?name=x' -i\n"
    "  trivet call tcp:127.0.0.1:9000 /secret --role authorizer -p HTTP_X_API_KEY=k -i -f\n"
    "  trivet call tcp:127.0.0.1:9000 /shout --role filter --data @README.md --trace\n"
    "  trivet call tcp:127.0.0.1:9000 /upload -X PUT -d @big.bin > answer";

/// CLI11 takes the next word for the value of `--data=`. Two words say the same, and mean the empty value.
std::vector<std::string> with_empty_values(int argc, const char* const* argv) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--data=" || word == "--body=" || word == "--method=") {
      words.emplace_back(word.substr(0, word.size() - 1));
      words.emplace_back();
    } else {
      words.emplace_back(word);
    }
  }
  return words;
}

class Reader {
 public:
  Reader() {
    app_.set_version_flag("--version", std::string("trivet ") + std::string(base::version));
    app_.require_subcommand(1);
    app_.footer(
        "Examples:\n"
        "  trivet check -c trivet.toml\n"
        "  trivet serve -c trivet.toml\n"
        "  trivet call unix:/run/trivet/trivet.sock /hello\n\n"
        "`trivet COMMAND --help` shows what each command takes.\n" +
        std::string(exit_codes));
    add_serve();
    add_check();
    add_explain();
    add_call();
    conform_.add_to(app_);
    add_params(conform_.command());
    bench_.add_to(app_);
    add_role(bench_.command());
    add_params(bench_.command());
    control_.add_to(app_);
    snippet_.add_to(app_);
  }

  Command read(int argc, const char* const* argv) {
    std::vector<std::string> words = with_empty_values(argc, argv);
    if (words.empty()) return usage("", "which command? " + all_commands());
    if (const auto refused = refuse_command(words.front())) return *refused;
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the end.
    try {
      app_.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
      return refuse(error);
    }
    if (serve_->parsed()) return finish_serve();
    if (check_->parsed()) return finish_check();
    if (explain_->parsed()) return finish_explain();
    if (call_->parsed()) return finish_call();
    if (bench_.command().parsed()) return finish_bench();
    if (control_.parsed()) return control_.finish();
    if (snippet_.parsed()) return snippet_.finish();
    return finish_conform();
  }

 private:
  void add_serve() {
    serve_ = app_.add_subcommand("serve", "Run the host until SIGTERM");
    serve_
        ->add_option("-c,--config", serving_.config_file,
                     "The configuration; " + serving_.config_file + " if not given")
        ->option_text("FILE");
    serve_
        ->add_option("--listen", serving_.listen,
                     "Listen here instead of on every [[listen]]: unix:PATH, tcp:HOST:PORT, systemd:NAME or "
                     "fd:N; may be repeated")
        ->allow_extra_args(false)
        ->option_text("ADDRESS");
    serve_
        ->add_option(
            "--processes", processes_,
            "Worker processes, in place of `processes` of the configuration; 0: everything in this one")
        ->check(CLI::Range(0, 1024))
        ->option_text("NUMBER");
    serve_->footer(
        "Writes one line with `ready` to standard error when every plugin is loaded and every socket\n"
        "listens. SIGTERM, SIGINT, SIGQUIT, SIGUSR1: finish what runs, at most shutdown_grace, then exit\n"
        "with 0.\n\n" +
        std::string(exit_codes) +
        "\n\n"
        "Example:\n"
        "  trivet serve -c trivet.toml --listen tcp:127.0.0.1:9000");
  }

  void add_check() {
    check_ = app_.add_subcommand(
        "check", "Tell everything that is wrong with a configuration, and with its plugins' files");
    check_
        ->add_option("-c,--config", checking_.config_file,
                     "The configuration; " + checking_.config_file + " if not given")
        ->option_text("FILE");
    check_->add_option("--format", format_, "text (to standard error) or json (to standard output)")
        ->check(CLI::IsMember({"text", "json"}))
        ->option_text("FORMAT");
    check_->add_flag(
        "--load", checking_.load,
        "Also load the plugins and let them read their settings; without it no plugin code runs");
    check_->footer(
        "Exit codes: 0 the configuration can be served (there may be warnings), 78 it cannot, 1 a plugin "
        "cannot run.\n\n"
        "Examples:\n"
        "  trivet check -c trivet.toml --load\n"
        "  trivet check -c trivet.toml --format json");
  }

  void add_explain() {
    explain_ = app_.add_subcommand(
        "explain", "Tell which route a request takes, and why the others do not, running no plugin code");
    explain_
        ->add_option("-c,--config", explaining_.config_file,
                     "The configuration; " + explaining_.config_file + " if not given")
        ->option_text("FILE");
    explain_->add_option("METHOD", explaining_.method, "The request method")->required()->option_text(" ");
    explain_->add_option("URI", explaining_.uri, "What is asked for, with its query")
        ->required()
        ->option_text(" ");
    add_role(*explain_);
    explain_
        ->add_option("--listener", explaining_.listener,
                     "The name of the [[listen]] it comes to; the first if not given")
        ->option_text("NAME");
    add_params(*explain_);
    explain_->footer(
        "The request has the parameters that `trivet call` sends; `trivet call --help` names them.\n\n"
        "Exit codes: 0 a route takes it, 1 it is refused before any plugin is asked, 78 the configuration "
        "is\n"
        "invalid.\n\n"
        "Examples:\n"
        "  trivet explain -c trivet.toml GET /private/x\n"
        "  trivet explain GET /x --role authorizer -p TRIVET_ROUTE=private\n"
        "  trivet explain GET /x -p HTTP_HOST=example.org -p SCRIPT_NAME=/index.php -p PATH_INFO=/x");
  }

  void add_role(CLI::App& command) {
    command.add_option("--role", role_, "responder (if not given), authorizer or filter")
        ->check(CLI::IsMember({"responder", "authorizer", "filter"}))
        ->option_text("ROLE");
  }

  void add_params(CLI::App& command) {
    command
        .add_option("-p,--param", params_,
                    "NAME=VALUE sets a CGI parameter, -NAME leaves a usual one out; may be repeated")
        ->allow_extra_args(false)
        ->option_text("PARAM");
  }

  void add_call() {
    call_ = app_.add_subcommand("call",
                                "Send one FastCGI request, in any of the three roles, and show the answer");
    call_->add_option("ADDRESS", calling_.address, "unix:PATH or tcp:HOST:PORT")
        ->required()
        ->option_text(" ");
    call_->add_option("URI", calling_.uri, "What is asked for, with its query; / if not given")
        ->option_text(" ");
    add_role(*call_);
    call_->add_option("-X,--method", calling_.method, "The request method; GET, or POST when there is a body")
        ->option_text("METHOD");
    add_params(*call_);
    call_
        ->add_option("-d,--body", body_,
                     "The request body (FCGI_STDIN): TEXT, @FILE, or @- for standard input")
        ->option_text("BODY");
    call_
        ->add_option("--data", data_,
                     "What to filter (FCGI_DATA): TEXT, @FILE, or - for standard input; empty if not given")
        ->option_text("DATA");
    call_->add_flag("-i,--head", calling_.show_head, "Show the head of the answer before its body");
    call_->add_flag("-f,--fail", calling_.fail_on_status,
                    "Exit with 1 for a Status of 400 and above, as authorizer for anything but 200");
    call_->add_flag("--trace", calling_.trace, "Show every record on standard error");
    call_
        ->add_option("--timeout", timeout_,
                     "Give up when no byte moves for this long, e.g. 500ms; 30s if not given")
        ->option_text("TIME");
    call_->footer(call_footer);
  }

  /// The command that was being read, as messages begin with it.
  [[nodiscard]] const CLI::App& current() const {
    const auto read = app_.get_subcommands([](const CLI::App* each) { return each->parsed(); });
    return read.empty() ? app_ : *read.front();
  }
  [[nodiscard]] std::string name() const {
    return &current() == &app_ ? std::string() : current().get_name() + ": ";
  }

  [[nodiscard]] std::string all_commands() const {
    std::string all;
    for (const CLI::App* each : app_.get_subcommands([](const CLI::App*) { return true; }))
      all += (all.empty() ? "" : ", ") + each->get_name();
    return all;
  }

  /// A word that is no command, or one that is not served yet: CLI11 would only say that a command is
  /// missing.
  [[nodiscard]] std::optional<Finished> refuse_command(std::string_view word) const {
    std::vector<std::string_view> commands;
    for (const CLI::App* each : app_.get_subcommands([](const CLI::App*) { return true; }))
      commands.emplace_back(each->get_name());
    if (word.starts_with('-') || std::find(commands.begin(), commands.end(), word) != commands.end()) {
      return std::nullopt;
    }
    if (std::find(std::begin(not_served), std::end(not_served), word) != std::end(not_served)) {
      say("`" + std::string(word) + "` is not served by this version yet (served: " + all_commands() + ")");
      return Finished{exit_usage};
    }
    return usage("", "there is no command " + config::in_quotes(word) + ": " +
                         config::did_you_mean(word, commands, "`"));
  }

  /// Help and version, which CLI11 reports as errors too, or what is wrong.
  Finished refuse(const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {
      std::ostringstream text;
      app_.exit(error, text, text);
      if (write_all(STDOUT_FILENO, text.str())) return {exit_ok};
      say(base::system_error("the text cannot be written", errno).message);
      return {exit_failed};
    }
    // A word nobody knows is more likely the mistake than what seems to be missing because of it.
    for (const std::string& word : current().remaining()) {
      if (word.size() > 1 && word.front() == '-') return refuse_option(word);
    }
    const auto words = current().remaining();
    if (!words.empty()) return usage(name(), "what is " + config::in_quotes(words.front()) + "?");
    std::string text = config::one_line(error.what());
    return usage(name(), text);
  }

  Finished refuse_option(const std::string& word) {
    std::vector<std::string> names;
    for (const CLI::Option* option : current().get_options()) {
      for (const std::string& each : option->get_lnames()) names.push_back("--" + each);
    }
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string_view without_value = std::string_view(word).substr(0, word.find('='));
    const auto meant = config::closest(without_value, known);
    return usage(name(), "there is no option " + config::in_quotes(without_value) +
                             (meant ? ": did you mean `" + std::string(*meant) + "`?" : ""));
  }

  Command finish_serve() {
    for (const std::string& each : serving_.listen) {
      const auto address = config::parse_address(each);
      if (const auto* problem = std::get_if<std::string>(&address)) {
        return usage("serve: ", "--listen: " + *problem);
      }
    }
    if (processes_ >= 0) serving_.processes = static_cast<std::uint32_t>(processes_);
    return serving_;
  }

  Command finish_check() {
    checking_.json = format_ == "json";
    return checking_;
  }

  [[nodiscard]] protocol::Role role() const {
    return role_ == "authorizer" ? protocol::Role::authorizer
           : role_ == "filter"   ? protocol::Role::filter
                                 : protocol::Role::responder;
  }

  Command finish_explain() {
    explaining_.role = role();
    if (const auto wrong = take_params(explaining_)) return usage("explain: ", *wrong);
    return explaining_;
  }

  Command finish_call() {
    calling_.role = role();
    if (call_->count("--body") != 0) calling_.body = body_;
    if (call_->count("--data") != 0) calling_.data = data_;
    if (calling_.data && calling_.role != protocol::Role::filter) {
      return usage("call: ", "--data is for --role filter; a request body is -d");
    }
    if (calling_.body == "@-" && (calling_.data == "-" || calling_.data == "@-")) {
      return usage("call: ", "standard input cannot be both the body and the data");
    }
    if (const auto wrong = take_params(calling_)) return usage("call: ", *wrong);
    const auto timeout = config::parse_duration(timeout_);
    if (!timeout || *timeout <= 0ms || *timeout > longest_timeout) {
      return usage("call: ",
                   "--timeout takes 1ms to 24h, such as 500ms or 30s, not " + config::in_quotes(timeout_));
    }
    calling_.timeout = *timeout;
    return calling_;
  }

  Command finish_conform() {
    if (const auto wrong = take_params(conform_.taken())) return usage("conform: ", *wrong);
    return conform_.finish();
  }

  Command finish_bench() {
    bench_.taken().role = role();
    if (const auto wrong = take_params(bench_.taken())) return usage("bench: ", *wrong);
    return bench_.finish();
  }

  /// Those of -p; or what is wrong with one.
  template <class Taking>
  std::optional<std::string> take_params(Taking& taking) const {
    for (const std::string& param : params_) {
      const std::size_t equals = param.find('=');
      if (equals == std::string::npos && param.size() > 1 && param.front() == '-') {
        taking.without.push_back(param.substr(1));
      } else if (equals == std::string::npos || equals == 0) {
        return "-p takes NAME=VALUE, or -NAME to leave one out, not " + config::in_quotes(param);
      } else {
        taking.params.emplace_back(param.substr(0, equals), param.substr(equals + 1));
      }
    }
    return std::nullopt;
  }

  CLI::App app_{"Trivet answers web servers over FastCGI, in all three roles, with plugins.", "trivet"};
  CLI::App* serve_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* explain_ = nullptr;
  CLI::App* call_ = nullptr;
  ServeCommand serving_;
  CheckCommand checking_;
  ExplainCommand explaining_;
  CallCommand calling_;
  int processes_ = -1;
  std::string format_ = "text";
  std::string role_ = "responder";
  std::string body_;
  std::string data_;
  std::string timeout_ = "30s";
  std::vector<std::string> params_;
  ConformArguments conform_;
  BenchArguments bench_;
  ControlArguments control_;
  SnippetArguments snippet_;
};

}  // namespace

Command read_arguments(int argc, const char* const* argv) { return Reader().read(argc, argv); }

}  // namespace trivet::cli
