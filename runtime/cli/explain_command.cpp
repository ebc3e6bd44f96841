#include "runtime/cli/explain_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "runtime/base/error.hpp"
#include "runtime/cli/call_params.hpp"
#include "runtime/cli/output.hpp"
#include "runtime/config/load.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/roles/admission.hpp"
#include "runtime/roles/filtered_head.hpp"
#include "runtime/source/files.hpp"

namespace trivet::cli {
namespace {

constexpr std::size_t name_width = 12;

std::string padded(std::string text, std::size_t width = name_width) {
  if (text.size() < width) text.resize(width, ' ');
  return text + ' ';
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& each : texts) all += (all.empty() ? "" : ", ") + config::one_line(each);
  return all;
}

std::string at(const config::Place& place) {
  return config::one_line(place.file) + ":" + std::to_string(place.line);
}

std::string_view name_of(roles::Slice slice) {
  switch (slice) {
    case roles::Slice::responder:
      return "responder";
    case roles::Slice::authorizer:
      return "authorizer";
    case roles::Slice::filter:
      return "filter";
  }
  return "responder";
}

std::string_view name_of(config::Phase phase) {
  switch (phase) {
    case config::Phase::access_checker:
      return "access_checker";
    case config::Phase::authenticator:
      return "authenticator";
    case config::Phase::authorizer:
      return "authorizer";
  }
  return "authorizer";
}

/// Which responses a filter is for, where not for all.
std::string conditions_of(const config::FilterStage& stage) {
  std::string text;
  const auto add = [&text](std::string_view key, const std::string& value) {
    text += (text.empty() ? ", if " : "; ") + std::string(key) + " " + value;
  };
  if (!stage.types.empty()) add("type", joined(stage.types));
  if (!stage.methods.empty()) add("method", joined(stage.methods));
  if (!stage.status.empty()) {
    std::vector<std::string> numbers;
    for (const std::uint32_t status : stage.status) numbers.push_back(std::to_string(status));
    add("status", joined(numbers));
  }
  if (stage.min_size != 0) add("size from", config::format_size(stage.min_size));
  if (stage.on_encoded == config::FilterStage::OnEncoded::skip) add("not", "encoded");
  return text;
}

class Explaining {
 public:
  Explaining(const config::Config& config, const ExplainCommand& command)
      : config_(config), command_(command), router_(routes_of(config)) {
    const auto named = std::find_if(config.listen.begin(), config.listen.end(),
                                    [&](const auto& each) { return each.name == command.listener; });
    if (named != config.listen.end()) listener_ = static_cast<std::uint32_t>(named - config.listen.begin());
  }

  Explanation run() {
    CallCommand call;
    call.uri = command_.uri;
    call.role = command_.role;
    call.method = command_.method;
    call.params = command_.params;
    call.without = command_.without;
    const auto pairs = call_params(call, {});  // `params` only looks at them.
    cgi::Params params;
    for (const auto& [name, value] : pairs) params.add(name, value);
    if (const auto refusal = params.settle()) {
      refused(refusal->status, refusal->reason);
      return std::move(result_);
    }
    const config::Listen& listen = config_.listen[listener_];
    line("listener",
         config::one_line(listen.name) + (listen.name == listen.text ? "" : " (" + listen.text + ")"));
    roles::Admission admission;
    roles::admit(command_.role, listener_, listen.accept_steering, params, router_, scratch_, admission);
    line("slice", std::string(name_of(admission.slice)) +
                      (admission.phase ? ", phase " + std::string(name_of(*admission.phase)) : ""));
    if (admission.dialect) line("dialect", dialect(*admission.dialect, params));
    if (admission.route != nullptr) describe(admission);
    if (admission.status != 0) {
      refused(admission.status, admission.reason);
    } else {
      result_.taken = true;
    }
    if (params.get("TRIVET_ROUTE").empty() && admission.target.path != nullptr) passed_over(admission);
    return std::move(result_);
  }

 private:
  /// Without their plugins: what is decided before one runs looks at the configuration alone.
  static std::vector<std::unique_ptr<roles::Route>> routes_of(const config::Config& config) {
    std::vector<std::unique_ptr<roles::Route>> routes;
    for (const config::Route& each : config.routes) {
      routes.push_back(std::make_unique<roles::Route>(each));
      for (std::uint32_t number = 0; number < config.listen.size(); ++number) {
        const auto& names = each.listen;
        if (std::find(names.begin(), names.end(), config.listen[number].name) != names.end())
          routes.back()->listeners.push_back(number);
      }
    }
    return routes;
  }

  static std::string dialect(const cgi::ChosenDialect& chosen, const cgi::Params& params) {
    std::string text(chosen.dialect->name);
    if (chosen.is_unknown) {
      text += ": " + std::string(chosen.by) + " is " + config::in_quotes(params.get(chosen.by)) +
              ", which is none";
    } else if (!chosen.by.empty()) {
      text += ", by " + std::string(chosen.by);
    }
    if (chosen.dialect->knows_only_401_and_403)
      text += "; other 4xx and redirects go as 401 and X-Trivet-Status";
    if (chosen.dialect->cookies != cgi::Dialect::Cookies::none) text += "; an allow may set cookies";
    return text;
  }

  void line(std::string_view what, const std::string& text) {
    result_.text += padded(std::string(what)) + text + '\n';
  }

  void refused(int status, std::string_view reason) {
    line("answer", std::to_string(status) + ": " + config::one_line(reason));
  }

  [[nodiscard]] std::string plugin(const std::string& name) const {
    const auto found = std::find_if(config_.plugins.begin(), config_.plugins.end(),
                                    [&](const auto& each) { return each.name == name; });
    return found == config_.plugins.end() ? name : name + " (" + config::one_line(found->path) + ")";
  }

  static std::string application(const config::Application& is) {
    const std::string scripts = is.root.empty() ? "; the web server says which script"
                                                : ", scripts below " + config::one_line(is.root);
    return "FastCGI application at " + config::one_line(is.text) + scripts;
  }

  void describe_guards(const roles::Route& route, roles::Slice slice, const char* why) {
    if (!route.guarded_on(slice)) {
      if (!route.config.authorize.empty())
        line("guards", "none in this slice: `authorize_on` leaves it out, " + at(route.config.place));
      return;
    }
    for (const config::Guard& each : route.config.authorize) line("guard", guard(each) + why);
  }

  /// With what is in it.
  [[nodiscard]] std::string guard(const config::Guard& guard) const {
    using Kind = config::Guard::Kind;
    std::string text = guard.kind == Kind::plugin  ? plugin(guard.plugin)
                       : guard.kind == Kind::allow ? "allow (built in)"
                       : guard.kind == Kind::deny  ? "deny (built in)"
                       : guard.kind == Kind::all   ? "all of ["
                                                   : "any of [";
    for (const config::Guard& each : guard.guards) {
      if (&each != &guard.guards.front()) text += "; ";
      text += this->guard(each);
    }
    if (guard.kind == Kind::all || guard.kind == Kind::any) text += "]";
    if (!guard.methods.empty()) text += ", for " + joined(guard.methods) + " only";
    if (guard.shadow) text += ", a shadow";
    if (guard.allow_on_error) text += ", on_error allow";
    if (guard.cache) {
      text += ", remembered for " + config::format_duration(guard.cache->ttl) + ", a deny for " +
              config::format_duration(guard.cache->deny_ttl);
    }
    return text;
  }

  void describe(const roles::Admission& admission) {
    const config::Route& route = admission.route->config;
    line("route",
         config::one_line(route.name) + " (" + at(route.place) + "), path " + config::one_line(route.path));
    if (admission.also_guarded_by != nullptr) {
      const std::string why = ", for SCRIPT_NAME and PATH_INFO lead to the route " +
                              admission.also_guarded_by->config.name + " (" +
                              at(admission.also_guarded_by->config.place) + ")";
      describe_guards(*admission.also_guarded_by, admission.slice, why.c_str());
    }
    describe_guards(*admission.route, admission.slice, "");
    if (!route.variables.empty()) line("variables", joined(route.variables));
    if (admission.slice == roles::Slice::authorizer) return;
    if (admission.slice == roles::Slice::responder && route.respond) line("source", plugin(*route.respond));
    if (admission.slice == roles::Slice::responder && route.files) {
      line("source", "files " + config::one_line(route.files->root));
      line("file", config::one_line(source::explain_file(route, admission.target.path)));
    }
    if (admission.slice == roles::Slice::responder && route.fastcgi)
      line("source", application(*route.fastcgi));
    for (const config::FilterStage& each : route.filter) {
      const bool fits = roles::takes_method(each, admission.target.method);
      line("filter", plugin(each.plugin) + conditions_of(each) + (fits ? "" : ": left out for this method"));
    }
    if (admission.status_after_guards != 0)
      line("answer", std::to_string(admission.status_after_guards) +
                         " when the guards allow: the route has no `respond`");
  }

  [[nodiscard]] std::string why_not(const roles::Route& route, const roles::Target& target) const {
    const config::Route& is = route.config;
    switch (roles::mismatch(route, target)) {
      case roles::Mismatch::listener:
        return "listens on " + joined(is.listen);
      case roles::Mismatch::path:
        return "path " + config::one_line(is.path);
      case roles::Mismatch::host:
        return "hosts " + joined(is.hosts);
      case roles::Mismatch::phase: {
        std::vector<std::string> names;
        for (const config::Phase each : is.phases) names.emplace_back(name_of(each));
        return "phase " + joined(names);
      }
      case roles::Mismatch::method:
        return "methods " + joined(is.methods);
      case roles::Mismatch::none:
        break;
    }
    return {};
  }

  void passed_over(const roles::Admission& admission) {
    std::string text;
    for (const auto& each : router_.routes()) {
      if (each.get() == admission.route) break;
      const std::string why = why_not(*each, admission.target);
      if (why.empty()) continue;
      text +=
          "  " + padded(config::one_line(each->config.name)) + why + " (" + at(each->config.place) + ")\n";
    }
    if (!text.empty()) result_.text += "\nRoutes before it, and what of them does not fit:\n" + text;
  }

  const config::Config& config_;
  const ExplainCommand& command_;
  roles::Router router_;
  roles::AdmissionScratch scratch_;
  std::uint32_t listener_ = 0;
  Explanation result_;
};

}  // namespace

Explanation explain(const config::Config& config, const ExplainCommand& command) {
  return Explaining(config, command).run();
}

int run_explain(const ExplainCommand& command) {
  const config::Loaded loaded = config::load_file(command.config_file, {}, plugin::look_at);
  if (!loaded.diagnostics.empty()) static_cast<void>(write_all(STDERR_FILENO, config::render_all(loaded)));
  if (!loaded.config) return exit_configuration;
  std::vector<std::string_view> names;
  for (const config::Listen& each : loaded.config->listen) names.emplace_back(each.name);
  if (!command.listener.empty() && std::find(names.begin(), names.end(), command.listener) == names.end()) {
    say("explain: no listener " + config::in_quotes(command.listener) + ": " +
        config::did_you_mean(command.listener, names));
    return exit_usage;
  }
  const Explanation explanation = explain(*loaded.config, command);
  if (!write_all(STDOUT_FILENO, explanation.text)) {
    say(base::system_error("the result cannot be written", errno).message);
    return exit_failed;
  }
  return explanation.taken ? exit_ok : exit_failed;
}

}  // namespace trivet::cli
