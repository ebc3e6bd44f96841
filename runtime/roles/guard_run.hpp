#pragma once

#include <atomic>
#include <string>

#include "runtime/cgi/verdict.hpp"
#include "runtime/roles/guard.hpp"
#include "runtime/roles/guard_reads.hpp"
#include "runtime/roles/patience.hpp"
#include "runtime/roles/stage.hpp"
#include "runtime/roles/verdict_cache.hpp"

namespace trivet::roles {

/// One guard, no group, asked about one request. The verdict of a plugin is read only after it returned;
/// without one it is a failure. A guard with a cache is asked only where no verdict for such a request is
/// remembered.
///
/// Thread    [loop].
/// Lifetime  Part of its Request; not reused before busy() is false. A plugin that is not waited for any more
///           may still look at the parameters: where the request goes on without it (`may_outlive`) they are
///           its own.
/// Memory    A deny's body is kept up to the window; a larger one is a failure of the plugin.
class GuardRun final : private plugin::Job,
                       private base::Task,
                       private Patience::Owner,
                       private VerdictCache::Caller {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    /// The guard decided or failed: read outcome(). Also comes after that, and after cancel(), to say that it
    /// is not busy any more.
    virtual void on_guard_done(GuardRun& which) = 0;
  };

  explicit GuardRun(Owner& owner);
  ~GuardRun() override;

  /// Asks; true when the answer is there at once, otherwise on_guard_done() follows. `may_outlive`: whatever
  /// becomes of it, the request goes on.
  [[nodiscard]] bool start(const Guard& guard, const CallFacts& facts, bool may_outlive);
  void cancel();
  [[nodiscard]] bool busy() const noexcept { return job_out_; }

  [[nodiscard]] const Guard& guard() const noexcept { return *guard_; }
  /// 0: the verdict counts. Otherwise the status of the failure.
  [[nodiscard]] int failed() const noexcept { return failed_; }
  [[nodiscard]] bool allows() const noexcept {
    return failed_ == 0 && verdict_.decision() == cgi::Verdict::Decision::allow;
  }
  /// It failed, and has not begun to say anything else: what on_error = "allow" is for.
  [[nodiscard]] bool is_excusable() const noexcept { return is_excusable_ && !has_spoken_.load(); }
  [[nodiscard]] const cgi::Verdict& verdict() const noexcept { return verdict_; }
  /// Moves what it said. After that only busy() is to be asked.
  void give(GuardAnswer& answer);

 private:
  class GuardCall final : public BasicCall {
   public:
    explicit GuardCall(GuardRun& run) : run_(run) {}
    [[nodiscard]] bool cancelled() const noexcept override { return run_.cancelled_.load(); }
    trivet_status info(trivet_request_info& info) override;
    trivet_status param(std::string_view name, trivet_text& value) override;
    trivet_status params(const trivet_param*& first, std::size_t& count) override;
    trivet_status set_status(std::uint32_t status) override;
    trivet_status add_header(std::string_view name, std::string_view value) override;
    trivet_status set_header(std::string_view name, std::string_view value) override;
    trivet_status write(std::string_view bytes) override;
    trivet_status allow() override;
    trivet_status set_variable(std::string_view name, std::string_view value) override;
    trivet_status deny(std::uint32_t status, std::string_view reason) override;
    trivet_status cache_for(std::uint64_t lifetime) override;

   private:
    cgi::ResponseHead* current_head() noexcept override { return &run_.verdict_.head(); }
    trivet_status refused(std::string_view what, std::string_view why);
    void speak() noexcept { run_.has_spoken_.store(true); }
    GuardRun& run_;
  };

  [[nodiscard]] bool ask(bool may_join);
  [[nodiscard]] bool call();
  void run(void* instance, std::uint32_t thread) override;  // plugin::Job, on the plugin thread
  void run() override;                                      // base::Task, back on the loop
  void on_patience_over(Patience& which) override;
  void on_call_over(bool may_join) override;  // VerdictCache::Caller
  void judge(trivet_status status);
  void end_call(VerdictCache::Fate fate);
  void done();
  void set_failure(int status, std::string text);

  Owner& owner_;
  const Guard* guard_ = nullptr;
  const CallFacts* facts_ = nullptr;
  bool may_outlive_ = false;
  cgi::Params own_params_;  ///< Of a guard on a thread that the request may go on without.
  CallFacts own_facts_;
  GuardCall call_{*this};
  Patience patience_{*this};
  bool job_out_ = false;
  bool over_ = true;    ///< The owner was told, or does not want to know.
  bool waits_ = false;  ///< For another request's call.
  bool is_remembered_ = false;
  bool is_excusable_ = false;
  int failed_ = 0;
  std::string failure_;
  VerdictCache::Keys keys_;
  base::TimePoint asked_{};

  // The plugin's while it runs.
  cgi::Verdict verdict_;
  std::string reason_;
  std::string call_failure_;
  GuardReads reads_;
  std::uint64_t lifetime_ = UINT64_MAX;
  trivet_status status_ = TRIVET_OK;
  Times times_;
  std::atomic<bool> has_spoken_{false};
  std::atomic<bool> cancelled_{false};
};

}  // namespace trivet::roles
