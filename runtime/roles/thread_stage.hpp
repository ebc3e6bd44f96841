#pragma once

#include <atomic>

#include "runtime/base/buffer.hpp"
#include "runtime/roles/patience.hpp"
#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// A stage whose plugin is called as the bytes come, on plugin threads: each hook call is a job of its own,
/// so that no thread is held while the peer is slow, and chains cannot wait for each other's threads.
///
/// Memory is handed over, not shared: while a job is queued or runs, the buffers and the head inside the job
/// belong to its thread; otherwise to the loop.
class ThreadStage final : public Stage, private plugin::Job, private base::Task, private Patience::Owner {
 public:
  ThreadStage(StageSink& sink, std::size_t index, StageRole role, bool takes_body,
              const plugin::Plugin& plugin, const CallFacts& facts);
  ~ThreadStage() override;

  void start() override;
  void input(StageInput lane, base::Bytes bytes) override;
  void end_input(StageInput lane, trivet_end end) override;
  [[nodiscard]] bool has_room(StageInput lane) const noexcept override;
  [[nodiscard]] std::size_t kept() const noexcept override { return lanes_.size(); }
  void resume() override;
  void cancel() override;
  [[nodiscard]] bool busy() const noexcept override { return job_out_; }
  [[nodiscard]] bool waits_for_peer() const noexcept override { return !job_out_; }

 private:
  enum class State : std::uint8_t { created, open, over };

  class ThreadCall final : public BasicCall {
   public:
    explicit ThreadCall(ThreadStage& stage) : stage_(stage) {}
    [[nodiscard]] bool cancelled() const noexcept override { return stage_.cancelled_.load(); }
    trivet_status write(std::string_view bytes) override;
    trivet_status flush() override;
    trivet_status pass() override;

   private:
    cgi::ResponseHead* current_head() noexcept override;
    ThreadStage& stage_;
  };

  void run(void* instance, std::uint32_t thread) override;  // plugin::Job, on the plugin thread
  void run() override;                                      // base::Task, back on the loop
  void call_hooks(void* instance);
  void call_close(void* instance);
  void call_data_hooks(void* instance);
  void pump();
  void submit();
  void take_input();
  void step_aside();
  void on_patience_over(Patience& which) override;
  void give_up(StageFailure failure);

  StageSink* sink_;
  const plugin::Plugin* plugin_;
  const CallFacts* facts_;
  ThreadCall call_{*this};
  Patience patience_;
  std::size_t index_;
  StageRole role_;

  // The loop's.
  Lanes lanes_;
  bool started_ = false;
  bool answering_ = false;  ///< It has given output.
  bool given_up_ = false;   ///< The request was told that this stage is over: nothing more is told.
  bool job_out_ = false;
  bool pinned_ = false;

  // The job's, while it is out.
  struct Work {
    base::Buffer in;
    base::Buffer out;
    cgi::ResponseHead head;
    bool has_head = false;
    bool flush = false;
    bool produce = false;
    bool opens = false;   ///< `open` runs.
    bool opened = false;  ///< It ran, well.
    bool passes = false;  ///< It asked to leave the body as it is.
    StageInput lane = StageInput::body;
    trivet_end end = TRIVET_END_NOT_YET;
    trivet_status status = TRIVET_OK;
    bool done = false;
    Times times;
  } work_;
  State state_ = State::created;
  void* state_of_plugin_ = nullptr;
  std::uint32_t thread_ = 0;
  std::atomic<bool> cancelled_{false};
};

}  // namespace trivet::roles
