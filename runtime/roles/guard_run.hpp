#pragma once

#include <atomic>
#include <string>

#include "runtime/cgi/verdict.hpp"
#include "runtime/roles/patience.hpp"
#include "runtime/roles/route.hpp"
#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// One guard asked about one request. The verdict is read only after the plugin returned; without one it is a
/// failure.
///
/// Thread    [loop].
/// Lifetime  Part of its Request; not reused before busy() is false.
/// Memory    A deny's body is kept up to the window; a larger one is a failure of the plugin.
class GuardRun final : private plugin::Job, private base::Task, private Patience::Owner {
 public:
  class Owner {
   public:
    Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;
    virtual ~Owner() = default;
    /// The guard decided or failed: read outcome(). Also comes after cancel(), to say that it is not busy any
    /// more.
    virtual void on_guard_done() = 0;
  };

  explicit GuardRun(Owner& owner);
  ~GuardRun() override;

  /// Asks; true when the answer is there at once, otherwise on_guard_done() follows.
  [[nodiscard]] bool start(const Guard& guard, const CallFacts& facts);
  void cancel();
  [[nodiscard]] bool busy() const noexcept { return job_out_; }

  /// 0: the verdict counts. Otherwise the status of the failure, with failure().
  [[nodiscard]] int failed() const noexcept { return failed_; }
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
  [[nodiscard]] cgi::Verdict& verdict() noexcept { return verdict_; }
  [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

 private:
  class GuardCall final : public BasicCall {
   public:
    explicit GuardCall(GuardRun& run) : run_(run) {}
    [[nodiscard]] bool cancelled() const noexcept override { return run_.cancelled_.load(); }
    trivet_status write(std::string_view bytes) override;
    trivet_status allow() override;
    trivet_status set_variable(std::string_view name, std::string_view value) override;
    trivet_status deny(std::uint32_t status, std::string_view reason) override;

   private:
    cgi::ResponseHead* current_head() noexcept override { return &run_.verdict_.head(); }
    trivet_status refused(std::string_view what, std::string_view why);
    GuardRun& run_;
  };

  void run(void* instance, std::uint32_t thread) override;  // plugin::Job, on the plugin thread
  void run() override;                                      // base::Task, back on the loop
  void on_patience_over(Patience& which) override;
  void judge(trivet_status status);
  void set_failure(int status, std::string text);

  Owner& owner_;
  const Guard* guard_ = nullptr;
  const CallFacts* facts_ = nullptr;
  GuardCall call_{*this};
  Patience patience_{*this};
  bool job_out_ = false;
  bool over_ = true;  ///< The owner was told, or does not want to know.
  int failed_ = 0;
  std::string failure_;

  // The plugin's while it runs.
  cgi::Verdict verdict_;
  std::string reason_;
  std::string call_failure_;
  trivet_status status_ = TRIVET_OK;
  Times times_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace trivet::roles
