#include "runtime/roles/guard_plan.hpp"

#include <algorithm>
#include <utility>

#include "runtime/cgi/text.hpp"

namespace trivet::roles {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

GuardPlan::GuardPlan(Owner& owner) : owner_(owner) {}
GuardPlan::~GuardPlan() = default;

void GuardPlan::clear() noexcept {
  count_ = at_route_ = depth_ = 0;
  outcome_ = Outcome::none;
  has_decided_ = false;
  asked_ = nullptr;
  collected_.clear();
}

bool GuardPlan::start(const CallFacts& facts, std::string_view method) {
  facts_ = &facts;
  method_ = method;
  next_route();
  proceed();
  return outcome_ != Outcome::none;
}

void GuardPlan::next_route() {
  if (at_route_ == count_) {
    outcome_ = Outcome::allow;
    return;
  }
  enter(routes_[at_route_]->guards, nullptr);
}

void GuardPlan::enter(const std::vector<Guard>& guards, const Guard* group) {
  if (depth_ == levels_.size()) levels_.emplace_back();
  const Level* const around = depth_ == 0 ? nullptr : &levels_[depth_ - 1];
  Level& level = levels_[depth_++];
  level.guards = &guards;
  level.group = group;
  level.at = 0;
  level.variables = collected_.variables();
  level.cookies = collected_.head().size();
  level.is_any = group != nullptr && group->kind == config::Guard::Kind::any;
  level.is_shadow = (around != nullptr && around->is_shadow) || (group != nullptr && group->shadow);
  level.may_go_on = (around != nullptr && around->may_go_on) || level.is_any || level.is_shadow;
  level.was_asked = level.has_answer = false;
}

void GuardPlan::proceed() {
  while (outcome_ == Outcome::none) {
    Level& level = top();
    if (level.at == level.guards->size()) {
      end_level();
      continue;
    }
    const Guard& guard = (*level.guards)[level.at];
    if (!applies(guard)) continue;
    if (guard.is_group()) {
      enter(guard.guards, &guard);
      continue;
    }
    GuardRun& run = free_run();
    asked_ = &run;
    if (!run.start(guard, *facts_, level.may_go_on || guard.allow_on_error || guard.shadow)) return;
    judge(run);
  }
}

/// Whether the guard is asked. Otherwise what that means has happened.
bool GuardPlan::applies(const Guard& guard) {
  if (guard.methods.empty()) return true;
  if (method_.empty()) {
    // Left out, it would let in whom it is there to stop; asked, it would let in whom it is not there for.
    refuse_unasked(&guard, "it is for some methods only, and the request names none");
    said(false);
    return false;
  }
  const bool fits = std::any_of(guard.methods.begin(), guard.methods.end(), [this](const std::string& each) {
    return each == method_ || (each == "GET" && method_ == "HEAD");
  });
  if (!fits) ++top().at;
  return fits;
}

GuardRun& GuardPlan::free_run() {
  if (!first_run_.busy()) return first_run_;
  for (const auto& each : more_runs_) {
    if (!each->busy()) return *each;
  }
  GuardRun::Owner& self = *this;
  more_runs_.push_back(std::make_unique<GuardRun>(self));
  return *more_runs_.back();
}

void GuardPlan::judge(GuardRun& run) {
  asked_ = nullptr;
  const Guard& guard = run.guard();
  const bool is_shadow = guard.shadow || top().is_shadow;
  bool allows = run.allows();
  if (is_shadow && guard.plugin != nullptr) guard.plugin->usage().shadowed(allows);
  if (allows && !is_shadow && !collect(run.verdict())) {
    outcome_ = Outcome::broken;
    return;
  }
  const bool is_excused = !allows && guard.allow_on_error && run.is_excusable();
  run.give(answer_);
  if (is_excused) {
    owner_.on_guard_note(Note::failure_excused, answer_);
    allows = true;
  }
  said(allows);
}

/// What the guard or group says whose turn it is; a deny is in answer_.
void GuardPlan::said(bool allows) {
  Level& level = top();
  const Guard& guard = (*level.guards)[level.at];
  if (guard.shadow) {
    if (allows && guard.is_group()) answer_.guard = &guard;
    owner_.on_guard_note(allows ? Note::shadow_allows : Note::shadow_denies, answer_);
    ++level.at;
    return;
  }
  level.was_asked = true;
  if (!level.is_shadow && allows) has_decided_ = true;
  if (allows == level.is_any) {
    leave(allows);
    return;
  }
  if (level.is_any) keep_deny();
  ++level.at;
}

/// Of two answers of guards of which any may allow, the one for the client.
void GuardPlan::keep_deny() {
  Level& level = top();
  const bool is_better = !level.has_answer || level.answer.guard == nullptr ||
                         (answer_.guard != nullptr && !level.answer.is_challenge());
  if (!is_better) {
    drop(answer_);
    return;
  }
  if (level.has_answer) drop(level.answer);
  std::swap(level.answer, answer_);
  level.has_answer = true;
}

void GuardPlan::drop(GuardAnswer& answer) {
  if (answer.failed != 0) owner_.on_guard_note(Note::failure_passed_over, answer);
}

/// Nobody ended it.
void GuardPlan::end_level() {
  Level& level = top();
  if (level.has_answer) {
    leave(false);
  } else if (level.was_asked) {
    leave(!level.is_any);
  } else if (!level.guards->empty() && std::none_of(level.guards->begin(), level.guards->end(),
                                                    [](const Guard& each) { return each.decides; })) {
    leave_out();
  } else {
    refuse_unasked(nullptr, "no guard is for the method \"" + std::string(method_) + "\"");
    leave(false);
  }
}

void GuardPlan::refuse_unasked(const Guard* guard, std::string reason) {
  answer_.guard = guard;
  answer_.failed = 0;
  answer_.is_remembered = false;
  answer_.verdict.clear();
  (void)answer_.verdict.deny(403);
  answer_.reason = std::move(reason);
}

/// Nothing in it decides: shadows.
void GuardPlan::leave_out() {
  --depth_;
  if (depth_ != 0) {
    ++top().at;
    return;
  }
  ++at_route_;
  next_route();
}

void GuardPlan::leave(bool allows) {
  Level& level = top();
  if (!allows) {
    collected_.keep_variables(level.variables);
    collected_.head().keep(level.cookies);
  }
  if (level.has_answer) {
    if (allows) {
      drop(level.answer);
    } else {
      std::swap(level.answer, answer_);
    }
  }
  --depth_;
  if (depth_ != 0) {
    said(allows);
  } else if (allows) {
    ++at_route_;
    next_route();
  } else {
    outcome_ = Outcome::deny;
  }
}

bool GuardPlan::collect(const cgi::Verdict& verdict) {
  const Route& route = *routes_[at_route_];
  for (std::size_t i = 0; i < verdict.variables(); ++i) {
    const cgi::Verdict::Variable& variable = verdict.variable(i);
    if (const auto* before = collected_.find_variable(variable.name);
        before != nullptr && before->value != variable.value) {
      problem_ = "two guards set the variable " + variable.name + " to different values";
      return false;
    }
    const bool is_known = variable.name == "REMOTE_USER" || variable.name == "AUTH_TYPE";
    if (!is_known && !contains(route.config.variables, variable.name)) {
      owner_.on_undeclared_variable(variable.name);
      continue;
    }
    if (const auto wrong = collected_.set_variable(variable.name, variable.value); !wrong.empty()) {
      problem_ = wrong;
      return false;
    }
  }
  return collect_cookies(verdict.head());
}

bool GuardPlan::collect_cookies(const cgi::ResponseHead& head) {
  constexpr std::string_view name = "Set-Cookie";
  for (std::size_t i = 0; i < head.size(); ++i) {
    const cgi::ResponseHead::Field field = head.at(i);
    if (!cgi::equals_ignoring_case(field.name, name)) continue;
    if (const auto wrong = collected_.head().add(name, field.value); !wrong.empty()) {
      problem_ = wrong;
      return false;
    }
  }
  return true;
}

void GuardPlan::on_guard_done(GuardRun& which) {
  if (&which != asked_) {
    owner_.on_guards_idle();
    return;
  }
  judge(which);
  proceed();
  if (outcome_ != Outcome::none) owner_.on_guards_done();
}

void GuardPlan::give_up() {
  asked_ = nullptr;
  first_run_.cancel();
  for (const auto& each : more_runs_) each->cancel();
}

bool GuardPlan::is_any_busy() const noexcept {
  return first_run_.busy() ||
         std::any_of(more_runs_.begin(), more_runs_.end(), [](const auto& each) { return each->busy(); });
}

}  // namespace trivet::roles
