#include <array>
#include <charconv>

#include "runtime/cgi/http_date.hpp"
#include "runtime/cgi/media_type.hpp"
#include "runtime/cgi/request_info.hpp"
#include "runtime/protocol/name_value.hpp"
#include "runtime/roles/filtered_head.hpp"
#include "runtime/roles/request.hpp"

/// From complete parameters to a running chain: reading, routing, asking the guards.
namespace trivet::roles {

using namespace std::string_view_literals;

namespace {

constexpr std::uint32_t told_configuration = 1U << 0U;
constexpr std::uint32_t told_undeclared = 1U << 1U;
constexpr std::uint32_t told_dialect = 1U << 2U;

trivet_phase abi_phase(std::optional<config::Phase> phase) noexcept {
  if (!phase) return TRIVET_PHASE_NONE;
  switch (*phase) {
    case config::Phase::access_checker:
      return TRIVET_PHASE_ACCESS_CHECKER;
    case config::Phase::authenticator:
      return TRIVET_PHASE_AUTHENTICATOR;
    case config::Phase::authorizer:
      return TRIVET_PHASE_AUTHORIZER;
  }
  return TRIVET_PHASE_NONE;
}

/// How a guard's answer is told.
std::string told(const GuardAnswer& answer) {
  if (answer.guard == nullptr) return answer.reason;
  std::string text = "guard \"" + std::string(answer.guard->name) + "\"";
  const std::string& why = answer.failed != 0 ? answer.failure : answer.reason;
  if (!why.empty()) text += ": " + why;
  if (answer.is_remembered) text += " (remembered)";
  return text;
}

}  // namespace

void Request::start() {
  state_ = State::guards;
  if (env_.journal.access != nullptr) stamps_.params = env_.loop.now();
  if (!read_params()) return;
  take_id();
  if (env_.log.enabled(log::Level::trace)) {
    env_.log.write(log::Level::trace, "parameters",
                   {{"request", facts_.request_id}, {"params", listed(params_, env_.journal.redact)}});
  }
  if (!let_in()) return;
  if (guards_.routes().empty()) {
    guards_passed();
    return;
  }
  prepare_guards();
  if (guards_.start(facts_, method_)) judge_guards();
}

bool Request::read_params() {
  constexpr std::size_t batch = 64;  // Few requests have more.
  protocol::PairReader reader(params_block_.bytes(), &params_.names_before());
  for (std::size_t count = 0, read = batch; read == batch; count += read) {
    read = reader.next(params_.room(batch));
    params_.took(read);
    if (count + read > env_.limits.params_count) {
      env_.tally.limit_hit();
      refuse(431, "there are more parameters than params_count");
      return false;
    }
  }
  if (reader.broken()) {
    refuse(400, "the parameters end inside a name-value pair");
    return false;
  }
  if (base::count_zeros(params_block_.bytes()) != reader.zeros_in_lengths()) params_.note_nul();
  if (const auto refusal = params_.settle(reader.as_expected())) {
    refuse(refusal->status, refusal->reason);
    return false;
  }
  return true;
}

bool Request::let_in() {
  if (env_.stopping) {
    refuse(503, "the host is stopping");
    return false;
  }
  admit(role_, origin_.listener, origin_.accept_steering, params_, env_.router, scratch_, admission_);
  const Admission& admission = admission_;
  slice_ = admission.slice;
  route_ = admission.route;
  if (admission.dialect) dialect_ = admission.dialect->dialect;
  facts_.phase = abi_phase(admission.phase);
  facts_.path = admission.target.path;
  status_after_guards_ = admission.status_after_guards;
  env_.tally.request(route_, slice_);
  writer_.set_head_method(admission.client_method == "HEAD");
  constexpr std::string_view nginx = "nginx";
  if (role_ == protocol::Role::responder && !body_.ended &&
      params_.get(cgi::KnownParam("SERVER_SOFTWARE")).substr(0, nginx.size()) == nginx) {
    writer_.hold_unless_complete();
  }
  if (admission.status != 0) {
    if (admission.configuration_error)
      tell_once(told_configuration, "the route's configuration is wrong", admission.reason);
    refuse(admission.status, admission.reason, admission.allow);
    return false;
  }
  facts_.route = route_->config.name;
  facts_.column = route_->column;
  if (admission.dialect && admission.dialect->is_unknown) {
    tell_once(told_dialect, "TRIVET_DIALECT is unknown: answers have the form of the specification",
              params_.get(admission.dialect->by));
  }
  patience_.set(env_.loop, route_->config.timeout);
  method_ = admission.target.method;
  expect_input();
  if ((body_.over_limit() || data_.over_limit()) && state_ != State::over) {
    env_.tally.limit_hit();
    refuse(413, "the web server announced or sent more than the limit");
    return false;
  }
  if (admission.also_guarded_by != nullptr) guards_.add(*admission.also_guarded_by);
  if (route_->guarded_on(slice_)) guards_.add(*route_);
  return true;
}

void Request::expect_input() {
  const auto content_length = cgi::parse_length(params_.get(cgi::KnownParam("CONTENT_LENGTH")));
  facts_.content_length = content_length.value_or(UINT64_MAX);
  facts_.data_length = UINT64_MAX;
  if (slice_ == Slice::authorizer)
    return;  // Its CONTENT_LENGTH is the original request's: it says nothing here.
  body_.announce(content_length);
  body_.limit = env_.limits.body_bytes;
  if (role_ == protocol::Role::filter) {
    data_.announce(cgi::parse_length(params_.get("FCGI_DATA_LENGTH")));
    data_.limit = env_.limits.data_bytes;
    facts_.data_length = data_.announced.value_or(UINT64_MAX);
  } else if (slice_ == Slice::filter) {
    facts_.data_length = facts_.content_length;
  }
}

void Request::prepare_guards() {
  const bool from_apache =
      role_ == protocol::Role::authorizer && params_.find(cgi::KnownParam("FCGI_APACHE_ROLE")) != nullptr;
  if (!from_apache) {
    // Some web servers set these from an Authorization header that nobody has verified.
    for (const std::string_view name : {"REMOTE_USER"sv, "AUTH_TYPE"sv, "AUTH_USER"sv, "LOGON_USER"sv})
      params_.remove(name);
  }
}

void Request::judge_guards() {
  switch (guards_.outcome()) {
    case GuardPlan::Outcome::none:
      break;
    case GuardPlan::Outcome::allow:
      guards_passed();
      break;
    case GuardPlan::Outcome::deny:
      answer_deny();
      break;
    case GuardPlan::Outcome::broken: {
      const std::string why = guards_.problem();
      refuse(500, why);
      break;
    }
  }
}

void Request::on_guard_note(GuardPlan::Note note, const GuardAnswer& answer) {
  switch (note) {
    case GuardPlan::Note::shadow_allows:
      tell(log::Level::debug, "a shadow guard would allow", 0, told(answer));
      break;
    case GuardPlan::Note::shadow_denies:
      tell(log::Level::info, "a shadow guard would deny", answer.status(), told(answer));
      break;
    case GuardPlan::Note::failure_excused:
      tell(log::Level::warn, "a guard failed, and on_error lets the request go on", answer.failed,
           told(answer));
      break;
    case GuardPlan::Note::failure_passed_over:
      tell(log::Level::error, "a guard failed, and others decide", answer.failed, told(answer));
      break;
  }
}

void Request::on_undeclared_variable(std::string_view name) {
  tell_once(told_undeclared, "a guard set a variable that the route does not declare: it is not passed on",
            name);
}

void Request::answer_deny() {
  GuardAnswer& answer = guards_.answer();
  const std::string why = told(answer);
  if (answer.failed != 0) {
    if (slice_ != Slice::authorizer) env_.tally.decided(route_, Tally::Decision::error);
    refuse(answer.failed, why);
    return;
  }
  cgi::Verdict& verdict = answer.verdict;
  const int status = verdict.head().status();
  if (verdict.decision() != cgi::Verdict::Decision::deny || !cgi::is_denial(status)) {
    refuse(500, why);  // Whatever went wrong: it is no allow.
    return;
  }
  tell(log::Level::info, "denied", status, why);
  if (status >= 400 && verdict.body().empty() && !verdict.head().find("Content-Type")) {
    // A person sees this: better the reason phrase than an empty page.
    verdict.body().append(std::to_string(status) + " " + std::string(cgi::reason_phrase(status)) + "\n");
  }
  bool in_one_record = false;
  if (dialect_ != nullptr) {
    cgi::translate_denial(*dialect_, verdict.head());
    in_one_record = cgi::wants_one_record(*dialect_, verdict.head());
  }
  if (const auto wrong = writer_.deny(verdict.head(), verdict.body().bytes(), in_one_record);
      !wrong.empty()) {
    refuse(500, wrong);
    return;
  }
  env_.tally.decided(route_, Tally::Decision::deny);
  answered();
}

void Request::answer_allow() {
  if (!guards_.has_decided()) {
    refuse(403, "no guard has decided");
    return;
  }
  cgi::ResponseHead& cookies = guards_.collected().head();
  const auto carried = dialect_ == nullptr ? cgi::Dialect::Cookies::none : dialect_->cookies;
  if (carried == cgi::Dialect::Cookies::numbered) cgi::number_cookies(cookies);
  if (carried != cgi::Dialect::Cookies::none) writer_.add_to_head(&cookies);
  const auto find = [this](const std::string& name) { return guards_.collected().find_variable(name); };
  if (const auto wrong = writer_.allow(route_->config.variables, find); !wrong.empty()) {
    writer_.add_to_head(nullptr);
    refuse(500, wrong);
    return;
  }
  env_.tally.decided(route_, Tally::Decision::allow);
  answered();
}

void Request::guards_passed() {
  if (env_.journal.access != nullptr && !guards_.routes().empty()) stamps_.guards = env_.loop.exact_now();
  if (slice_ == Slice::authorizer) {
    answer_allow();
    return;
  }
  if (!guards_.routes().empty()) {
    if (guards_.has_decided()) env_.tally.decided(route_, Tally::Decision::allow);
    const cgi::Verdict& collected = guards_.collected();
    for (const Route* route : guards_.routes()) {
      for (const std::string& name : route->config.variables) params_.remove(name);
    }
    writer_.add_to_head(&collected.head());
    for (std::size_t i = 0; i < collected.variables(); ++i) {
      params_.set(collected.variable(i).name, collected.variable(i).value);
    }
  }
  if (status_after_guards_ != 0) {
    refuse(status_after_guards_, "the route has no respond");
    return;
  }
  run_chain();
}

void Request::hide_from_source() {
  const std::string_view method = params_.get(cgi::KnownParam("REQUEST_METHOD"));
  const bool reads = method == "GET" || method == "HEAD";
  source_params_.reset();
  for (const cgi::Param& each : params_.all()) {
    if (!is_hidden_from_source(each.name, reads)) source_params_.add(each.name, each.value);
  }
  source_facts_ = facts_;
  source_facts_.params = &source_params_;
}

/// What the web server says of the data: its type by a file's name, its length, its time.
std::string_view Request::fill_initial_head() {
  cgi::ResponseHead& head = chain_.initial_head();
  std::string_view file = params_.get("SCRIPT_FILENAME");
  if (file.empty()) file = params_.get("PATH_TRANSLATED");
  if (file.empty()) file = params_.get(cgi::KnownParam("SCRIPT_NAME"));
  if (const auto wrong = head.set("Content-Type", cgi::media_type(file)); !wrong.empty()) return wrong;
  if (facts_.data_length != UINT64_MAX) {
    std::array<char, 20> digits{};
    const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), facts_.data_length).ptr;
    const std::string_view length(digits.data(), static_cast<std::size_t>(end - digits.data()));
    if (const auto wrong = head.set("Content-Length", length); !wrong.empty()) return wrong;
  }
  // Seconds since 1970 (FastCGI 1.0, 6.4).
  if (const auto modified = cgi::parse_length(params_.get("FCGI_DATA_LAST_MOD"))) {
    const cgi::HttpDate date(static_cast<cgi::UnixSeconds>(*modified));
    if (!date.view().empty()) return head.set("Last-Modified", date.view());
  }
  return {};
}

void Request::run_chain() {
  state_ = State::running;
  const bool filter = slice_ == Slice::filter;
  const bool filter_role = role_ == protocol::Role::filter;
  const bool hides = !filter && !route_->filters.empty() && has_filters_for(route_->config, params_);
  if (hides) hide_from_source();
  chain_.build(*route_, !filter, filter_role, facts_, hides ? source_facts_ : facts_);
  if (filter) {
    if (const auto wrong = fill_initial_head(); !wrong.empty()) {
      refuse(500, wrong);
      return;
    }
  }
  body_.wanted = filter_role ? chain_.body_filter() != Chain::npos : true;
  data_.wanted = filter_role;
  if (!body_.wanted) body_.queue.clear();
  inside_ = true;
  chain_.start();
  inside_ = false;
  pump();
}

}  // namespace trivet::roles
