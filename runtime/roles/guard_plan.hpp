#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/roles/guard_run.hpp"
#include "runtime/roles/route.hpp"

namespace trivet::roles {

/// The guards that one request has to pass, asked one after the other in the order they are written.
///
///   all   the first deny ends it
///   any   the first allow ends it; if there is none, the answer that says how to get in (401, a redirect),
///   else
///         the last one
///
/// A guard or group whose `methods` do not hold the request's is left out; a group of which all were left out
/// denies, and so does whatever is for some methods only where the request says none. A failure is a deny,
/// unless the guard has on_error = "allow". What a shadow says is told and counted, and is as if it were not
/// there. Only the variables and cookies of guards that the decision rests on are collected.
///
/// Thread    [loop].
/// Lifetime  Part of its Request; clear() only when it is not busy.
/// Memory    Nothing is allocated in steady state. As many runs as guards that were given up at once, plus
///           one.
/// Errors    outcome(), once; nothing is allowed before that.
class GuardPlan final : private GuardRun::Owner {
 public:
  enum class Outcome : std::uint8_t {
    none,  ///< Not yet, or not any more.
    allow,
    deny,    ///< With answer().
    broken,  ///< The guards contradict each other: problem().
  };
  /// What happened to a guard whose answer is not the request's.
  enum class Note : std::uint8_t { shadow_allows, shadow_denies, failure_excused, failure_passed_over };

  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    /// There is an outcome.
    virtual void on_guards_done() = 0;
    /// A plugin that was not waited for is back: look at busy().
    virtual void on_guards_idle() = 0;
    virtual void on_guard_note(Note note, const GuardAnswer& answer) = 0;
    virtual void on_undeclared_variable(std::string_view name) = 0;
  };

  explicit GuardPlan(Owner& owner);
  ~GuardPlan() override;

  void clear() noexcept;
  /// All guards of this route have to allow, after those of the route that was added before. At most two.
  void add(const Route& route) noexcept { routes_[count_++] = &route; }
  [[nodiscard]] std::span<const Route* const> routes() const noexcept { return {routes_.data(), count_}; }

  /// True when there is an outcome at once; otherwise on_guards_done() follows. `method` may be empty:
  /// unknown. Both outlive the plan's work.
  [[nodiscard]] bool start(const CallFacts& facts, std::string_view method);
  void cancel() {
    if (count_ != 0) give_up();
  }
  [[nodiscard]] bool busy() const noexcept { return count_ != 0 && is_any_busy(); }

  [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
  [[nodiscard]] GuardAnswer& answer() noexcept { return answer_; }
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// Some guard that is no shadow allowed.
  [[nodiscard]] bool has_decided() const noexcept { return has_decided_; }
  /// The variables that the guards set, and in head() their Set-Cookie lines alone. A cookie is no secret of
  /// the guard, and what it is for depends on the client's having it; the rest of an allow's head is dropped.
  [[nodiscard]] cgi::Verdict& collected() noexcept { return collected_; }

 private:
  /// A group, or all guards of a route, while they are asked.
  struct Level {
    const std::vector<Guard>* guards = nullptr;
    const Guard* group = nullptr;  ///< Null: a route's.
    std::size_t at = 0;
    std::size_t variables = 0;  ///< How many were collected before it.
    std::size_t cookies = 0;    ///< Likewise.
    bool is_any = false;
    bool is_shadow = false;   ///< It, or what it is part of.
    bool may_go_on = false;   ///< A failure inside does not end the request.
    bool was_asked = false;   ///< Some guard in it had its say.
    bool has_answer = false;  ///< Of any: a deny so far.
    GuardAnswer answer;
  };

  void give_up();
  [[nodiscard]] bool is_any_busy() const noexcept;
  void on_guard_done(GuardRun& which) override;
  void proceed();
  void enter(const std::vector<Guard>& guards, const Guard* group);
  void next_route();
  [[nodiscard]] bool applies(const Guard& guard);
  void judge(GuardRun& run);
  void said(bool allows);
  void keep_deny();
  void end_level();
  void leave(bool allows);
  void leave_out();
  void refuse_unasked(const Guard* guard, std::string reason);
  void drop(GuardAnswer& answer);
  [[nodiscard]] bool collect(const cgi::Verdict& verdict);
  [[nodiscard]] bool collect_cookies(const cgi::ResponseHead& head);
  [[nodiscard]] GuardRun& free_run();
  [[nodiscard]] Level& top() noexcept { return levels_[depth_ - 1]; }

  Owner& owner_;
  const CallFacts* facts_ = nullptr;
  std::string_view method_;
  std::array<const Route*, 2> routes_{};
  std::size_t count_ = 0;
  std::size_t at_route_ = 0;
  Outcome outcome_ = Outcome::none;
  bool has_decided_ = false;
  std::vector<Level> levels_;  ///< Those from depth_ on wait to be used again.
  std::size_t depth_ = 0;
  GuardRun first_run_{*this};
  std::vector<std::unique_ptr<GuardRun>> more_runs_;
  GuardRun* asked_ = nullptr;  ///< Whose answer is waited for.
  GuardAnswer answer_;         ///< The latest deny.
  std::string problem_;
  cgi::Verdict collected_;
};

}  // namespace trivet::roles
