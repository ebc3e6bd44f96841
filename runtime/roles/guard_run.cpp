#include "runtime/roles/guard_run.hpp"

#include "runtime/plugin/current.hpp"

namespace trivet::roles {
namespace {
constexpr std::size_t longest_reason = 256;
}

GuardRun::GuardRun(Owner& owner) : owner_(owner) {}
GuardRun::~GuardRun() = default;

trivet_status GuardRun::GuardCall::write(std::string_view bytes) {
  base::Buffer& body = run_.verdict_.body();
  if (body.size() + bytes.size() > facts().window) {
    run_.call_failure_ = "the body of its answer is larger than the window";
    return TRIVET_E_LIMIT;
  }
  body.append(bytes);
  return TRIVET_OK;
}

trivet_status GuardRun::GuardCall::refused(std::string_view what, std::string_view why) {
  run_.call_failure_ = std::string(what) + ": " + std::string(why);
  return TRIVET_E_ARGUMENT;
}

trivet_status GuardRun::GuardCall::allow() {
  const std::string_view wrong = run_.verdict_.allow();
  return wrong.empty() ? TRIVET_OK : refused("allow", wrong);
}

trivet_status GuardRun::GuardCall::set_variable(std::string_view name, std::string_view value) {
  const std::string_view wrong = run_.verdict_.set_variable(name, value);
  return wrong.empty() ? TRIVET_OK : refused("variable \"" + std::string(name) + "\"", wrong);
}

trivet_status GuardRun::GuardCall::deny(std::uint32_t status, std::string_view reason) {
  run_.reason_ = reason.substr(0, longest_reason);
  const std::string_view wrong =
      status > 599 ? "a status is three digits" : run_.verdict_.deny(static_cast<int>(status));
  return wrong.empty() ? TRIVET_OK : refused("deny " + std::to_string(status), wrong);
}

bool GuardRun::start(const Guard& guard, const CallFacts& facts) {
  guard_ = &guard;
  facts_ = &facts;
  verdict_.clear();
  reason_.clear();
  call_failure_.clear();
  failure_.clear();
  failed_ = 0;
  status_ = TRIVET_OK;
  over_ = false;
  cancelled_.store(false);
  if (guard.kind != config::Guard::Kind::plugin) {
    over_ = true;
    if (guard.kind == config::Guard::Kind::allow) {
      if (!verdict_.allow().empty()) set_failure(500, "allow was refused");
    } else {
      if (!verdict_.deny(403).empty()) set_failure(500, "deny was refused");
      reason_ = "deny";
    }
    return true;
  }
  if (guard.plugin->is_suspended()) {
    over_ = true;
    set_failure(500, "plugin \"" + guard.plugin->name() +
                         "\" is not called for a while: it ended one worker after the other");
    return true;
  }
  call_.set_up(facts, *guard.plugin, TRIVET_ROLE_AUTHORIZER);
  plugin::Workers* threads = guard.plugin->threads();
  if (threads == nullptr) {
    guard.plugin->usage().began();
    over_ = true;
    const plugin::CurrentScope scope(guard.plugin->current());
    const plugin::RouteScope route(facts.route);
    judge(guard.plugin->authorizer()->check(guard.plugin->loop_instance(), call_.handle()));
    return true;
  }
  job_out_ = true;
  if (!threads->submit(*this)) {
    guard.plugin->usage().refused();
    job_out_ = false;
    over_ = true;
    set_failure(503, "the queue of plugin \"" + guard.plugin->name() + "\" is full");
    return true;
  }
  guard.plugin->usage().began();
  patience_.set(*facts.loop, guard.plugin->timeout());
  patience_.run();
  return false;
}

void GuardRun::run(void* instance, std::uint32_t /*thread*/) {
  const plugin::RouteScope route(facts_->route);
  status_ =
      cancelled_.load() ? TRIVET_E_CANCELLED : guard_->plugin->authorizer()->check(instance, call_.handle());
  times_ = times();
  facts_->loop->post(*this);
}

void GuardRun::run() {
  job_out_ = false;
  guard_->plugin->usage().took(times_, plugin::Usage::Part::first);
  if (!over_) {
    over_ = true;
    patience_.stop();
    judge(status_);
  }
  owner_.on_guard_done();
}

void GuardRun::set_failure(int status, std::string text) {
  failed_ = status;
  failure_ = std::move(text);
}

void GuardRun::judge(trivet_status status) {
  if (status != TRIVET_OK) {
    set_failure(500, call_.failure_text(status));
  } else if (!call_failure_.empty()) {
    set_failure(
        500, "plugin \"" + guard_->plugin->name() + "\" gave a verdict that does not hold: " + call_failure_);
  } else if (verdict_.decision() == cgi::Verdict::Decision::none) {
    set_failure(500, "plugin \"" + guard_->plugin->name() + "\" returned without a verdict");
  }
  if (failed_ != 0) guard_->plugin->usage().failed();
}

void GuardRun::on_patience_over(Patience& /*which*/) {
  if (over_) return;
  over_ = true;
  cancelled_.store(true);
  guard_->plugin->usage().timed_out();
  if (guard_->plugin->threads()->withdraw(*this)) {
    job_out_ = false;
    set_failure(504, "plugin \"" + guard_->plugin->name() + "\" was not free within its timeout");
  } else {
    set_failure(504, "plugin \"" + guard_->plugin->name() + "\" did not answer within its timeout");
  }
  owner_.on_guard_done();
}

void GuardRun::cancel() {
  patience_.stop();
  over_ = true;
  cancelled_.store(true);
  if (job_out_ && guard_->plugin->threads()->withdraw(*this)) job_out_ = false;
}

}  // namespace trivet::roles
