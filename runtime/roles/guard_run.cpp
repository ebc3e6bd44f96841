#include "runtime/roles/guard_run.hpp"

#include <utility>

#include "runtime/plugin/current.hpp"

namespace trivet::roles {
namespace {
constexpr std::size_t longest_reason = 256;
}

GuardRun::GuardRun(Owner& owner) : owner_(owner) {}
GuardRun::~GuardRun() = default;

trivet_status GuardRun::GuardCall::info(trivet_request_info& info) {
  run_.reads_.info();
  return BasicCall::info(info);
}

trivet_status GuardRun::GuardCall::param(std::string_view name, trivet_text& value) {
  if (run_.guard_->cache != nullptr) run_.reads_.param(name);
  return BasicCall::param(name, value);
}

trivet_status GuardRun::GuardCall::params(const trivet_param*& first, std::size_t& count) {
  run_.reads_.everything();
  return BasicCall::params(first, count);
}

trivet_status GuardRun::GuardCall::set_status(std::uint32_t status) {
  speak();
  return BasicCall::set_status(status);
}

trivet_status GuardRun::GuardCall::add_header(std::string_view name, std::string_view value) {
  speak();
  return BasicCall::add_header(name, value);
}

trivet_status GuardRun::GuardCall::set_header(std::string_view name, std::string_view value) {
  speak();
  return BasicCall::set_header(name, value);
}

trivet_status GuardRun::GuardCall::cache_for(std::uint64_t lifetime) {
  run_.lifetime_ = lifetime;
  return TRIVET_OK;
}

trivet_status GuardRun::GuardCall::write(std::string_view bytes) {
  speak();
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
  speak();
  const std::string_view wrong = run_.verdict_.allow();
  return wrong.empty() ? TRIVET_OK : refused("allow", wrong);
}

trivet_status GuardRun::GuardCall::set_variable(std::string_view name, std::string_view value) {
  speak();
  const std::string_view wrong = run_.verdict_.set_variable(name, value);
  return wrong.empty() ? TRIVET_OK : refused("variable \"" + std::string(name) + "\"", wrong);
}

trivet_status GuardRun::GuardCall::deny(std::uint32_t status, std::string_view reason) {
  speak();
  run_.reason_ = reason.substr(0, longest_reason);
  const std::string_view wrong =
      status > 599 ? "a status is three digits" : run_.verdict_.deny(static_cast<int>(status));
  return wrong.empty() ? TRIVET_OK : refused("deny " + std::to_string(status), wrong);
}

bool GuardRun::start(const Guard& guard, const CallFacts& facts, bool may_outlive) {
  guard_ = &guard;
  facts_ = &facts;
  may_outlive_ = may_outlive;
  verdict_.clear();
  reason_.clear();
  call_failure_.clear();
  reads_.clear();
  failure_.clear();
  failed_ = 0;
  status_ = TRIVET_OK;
  lifetime_ = UINT64_MAX;
  over_ = waits_ = is_remembered_ = is_excusable_ = false;
  has_spoken_.store(false);
  cancelled_.store(false);
  switch (guard.kind) {
    case config::Guard::Kind::plugin:
      return guard.cache != nullptr ? ask(true) : call();
    case config::Guard::Kind::allow:
      if (!verdict_.allow().empty()) set_failure(500, "allow was refused");
      break;
    case config::Guard::Kind::deny:
      if (!verdict_.deny(403).empty()) set_failure(500, "deny was refused");
      reason_ = "deny";
      break;
    case config::Guard::Kind::all:
    case config::Guard::Kind::any:
      set_failure(500, "a group is not asked itself");
      break;
  }
  over_ = true;
  return true;
}

/// By what is remembered, by another request's call, or by its own.
bool GuardRun::ask(bool may_join) {
  plugin::Plugin& plugin = *guard_->plugin;
  if (guard_->cache->find(*facts_, keys_, verdict_, reason_)) {
    plugin.usage().remembered();
    is_remembered_ = over_ = true;
    return true;
  }
  // A call on the loop is over before anybody could wait for it.
  const bool waits = may_join && plugin.threads() != nullptr &&
                     guard_->cache->join(keys_, *this, plugin.timeout().has_value());
  if (!waits) {
    waits_ = false;
    plugin.usage().not_remembered();
    return call();
  }
  if (!waits_) {
    patience_.set(*facts_->loop, plugin.timeout());
    patience_.run();
  }
  waits_ = true;
  return false;
}

bool GuardRun::call() {
  plugin::Plugin& plugin = *guard_->plugin;
  if (plugin.is_suspended()) {
    over_ = true;
    set_failure(500, "plugin \"" + plugin.name() +
                         "\" is not called for a while: it ended one worker after the other");
    return true;
  }
  asked_ = facts_->loop->now();
  plugin::Workers* threads = plugin.threads();
  if (threads == nullptr) {
    call_.set_up(*facts_, plugin, TRIVET_ROLE_AUTHORIZER);
    plugin.usage().began();
    over_ = true;
    const plugin::CallScope scope(plugin.current(), facts_->route, facts_->column);
    judge(plugin.authorizer()->check(plugin.loop_instance(), call_.handle()));
    return true;
  }
  if (may_outlive_) {
    own_params_.borrow(*facts_->params);
    own_facts_ = *facts_;
    own_facts_.params = &own_params_;
    facts_ = &own_facts_;
  }
  call_.set_up(*facts_, plugin, TRIVET_ROLE_AUTHORIZER);
  job_out_ = true;
  if (!threads->submit(*this)) {
    plugin.usage().refused();
    job_out_ = false;
    over_ = true;
    set_failure(503, "the queue of plugin \"" + plugin.name() + "\" is full");
    is_excusable_ = true;
    return true;
  }
  plugin.usage().began();
  if (guard_->cache != nullptr) guard_->cache->lead(keys_, *this);
  patience_.set(*facts_->loop, plugin.timeout());
  patience_.run();
  return false;
}

void GuardRun::run(void* instance, std::uint32_t /*thread*/) {
  const plugin::RouteScope route(facts_->route, facts_->column);
  status_ =
      cancelled_.load() ? TRIVET_E_CANCELLED : guard_->plugin->authorizer()->check(instance, call_.handle());
  times_ = times();
  facts_->loop->post(*this);
}

void GuardRun::run() {
  job_out_ = false;
  guard_->plugin->usage().took(times_, plugin::Usage::Part::first);
  if (over_) {
    owner_.on_guard_done(*this);
    return;
  }
  judge(status_);
  done();
}

void GuardRun::done() {
  over_ = true;
  waits_ = false;
  patience_.stop();
  owner_.on_guard_done(*this);
}

void GuardRun::set_failure(int status, std::string text) {
  failed_ = status;
  failure_ = std::move(text);
}

void GuardRun::judge(trivet_status status) {
  if (status != TRIVET_OK) {
    set_failure(500, call_.failure_text(status));
    is_excusable_ = true;
  } else if (!call_failure_.empty()) {
    set_failure(
        500, "plugin \"" + guard_->plugin->name() + "\" gave a verdict that does not hold: " + call_failure_);
  } else if (verdict_.decision() == cgi::Verdict::Decision::none) {
    set_failure(500, "plugin \"" + guard_->plugin->name() + "\" returned without a verdict");
  } else if (verdict_.decision() == cgi::Verdict::Decision::deny &&
             !cgi::is_denial(verdict_.head().status())) {
    // set_status() after deny(): as an answer to an authorizer's request it would be an allow.
    set_failure(500, "plugin \"" + guard_->plugin->name() + "\" denied with status " +
                         std::to_string(verdict_.head().status()));
  }
  if (failed_ != 0) {
    guard_->plugin->usage().failed();
    end_call(VerdictCache::Fate::failed);
  } else if (guard_->cache != nullptr) {
    const bool is_kept = guard_->cache->remember(reads_, *facts_, verdict_, reason_, lifetime_, asked_);
    end_call(is_kept ? VerdictCache::Fate::remembered : VerdictCache::Fate::not_remembered);
  }
}

void GuardRun::end_call(VerdictCache::Fate fate) {
  if (guard_->cache != nullptr) guard_->cache->end(*this, fate, *facts_->loop);
}

void GuardRun::on_call_over(bool may_join) {
  if (ask(may_join)) done();
}

void GuardRun::on_patience_over(Patience& /*which*/) {
  if (over_) return;
  if (waits_) {
    VerdictCache::leave(*this);
    waits_ = false;
    guard_->plugin->usage().not_remembered();
    if (call()) done();
    return;
  }
  cancelled_.store(true);
  guard_->plugin->usage().timed_out();
  if (guard_->plugin->threads()->withdraw(*this)) {
    job_out_ = false;
    set_failure(504, "plugin \"" + guard_->plugin->name() + "\" was not free within its timeout");
  } else {
    set_failure(504, "plugin \"" + guard_->plugin->name() + "\" did not answer within its timeout");
  }
  is_excusable_ = true;
  end_call(VerdictCache::Fate::failed);
  done();
}

void GuardRun::cancel() {
  patience_.stop();
  if (waits_) VerdictCache::leave(*this);
  if (!over_ && job_out_) end_call(VerdictCache::Fate::cancelled);
  waits_ = false;
  over_ = true;
  cancelled_.store(true);
  if (job_out_ && guard_->plugin->threads()->withdraw(*this)) job_out_ = false;
}

void GuardRun::give(GuardAnswer& answer) {
  answer.guard = guard_;
  answer.failed = failed_;
  answer.is_remembered = is_remembered_;
  if (failed_ != 0) {
    // The verdict may still be the plugin's, which was not waited for.
    answer.failure.swap(failure_);
    return;
  }
  answer.reason.swap(reason_);
  if (allows()) {
    answer.verdict.clear();  // It was collected: nobody looks at it any more.
  } else {
    std::swap(answer.verdict, verdict_);
  }
}

}  // namespace trivet::roles
