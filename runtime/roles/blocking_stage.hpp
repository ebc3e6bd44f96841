#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "runtime/base/buffer.hpp"
#include "runtime/roles/patience.hpp"
#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// A responder that answers in one call on a plugin thread, reading and writing as it likes: read() waits for
/// the web server, write() waits for the client.
///
/// What the thread wrote is taken by the loop when the window is full, on flush, at the end, and every 20 ms
/// while there is something; so a small answer costs one wake-up.
class BlockingStage final : public Stage, private plugin::Job, private base::Task, private Patience::Owner {
 public:
  BlockingStage(StageSink& sink, std::size_t index, const plugin::Plugin& plugin, const CallFacts& facts);
  ~BlockingStage() override;

  void start() override;
  void input(StageInput lane, base::Bytes bytes) override;
  void end_input(StageInput lane, trivet_end end) override;
  [[nodiscard]] bool has_room(StageInput lane) const noexcept override;
  [[nodiscard]] std::size_t kept() const noexcept override;
  void resume() override;
  void cancel() override;
  [[nodiscard]] bool busy() const noexcept override { return job_out_; }
  [[nodiscard]] bool waits_for_peer() const noexcept override;

 private:
  class BlockingCall final : public BasicCall {
   public:
    explicit BlockingCall(BlockingStage& stage) : stage_(stage) {}
    [[nodiscard]] bool cancelled() const noexcept override { return stage_.cancelled_.load(); }
    trivet_status read(trivet_text& chunk, trivet_end& end) override { return stage_.read(chunk, end); }
    trivet_status write(std::string_view bytes) override { return stage_.write(bytes); }
    trivet_status flush() override;

   private:
    cgi::ResponseHead* current_head() noexcept override;
    BlockingStage& stage_;
  };

  void run(void* instance, std::uint32_t thread) override;  // plugin::Job, on the plugin thread
  void run() override;                                      // base::Task, back on the loop
  trivet_status read(trivet_text& chunk, trivet_end& end);
  trivet_status write(std::string_view bytes);
  void tell_loop();  ///< With mutex_ held.
  void take();
  void on_peek(base::TimePoint now);
  void on_patience_over(Patience& which) override;
  void on_stall();
  void give_up(StageFailure failure);

  StageSink* sink_;
  const plugin::Plugin* plugin_;
  const CallFacts* facts_;
  BlockingCall call_{*this};
  Patience patience_;
  base::MemberTimer<BlockingStage, &BlockingStage::on_peek> peek_{*this};
  std::size_t index_;
  bool given_up_ = false;
  bool job_out_ = false;
  bool head_taken_ = false;  ///< The loop's view: output has gone on.

  // The thread's alone.
  cgi::ResponseHead head_;
  base::Buffer reading_;
  bool wrote_ = false;
  base::Duration idle_{};  ///< What it waited for web server and client.

  std::atomic<bool> cancelled_{false};

  // Shared, under mutex_.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  base::Buffer in_;
  base::Buffer out_;
  trivet_end end_ = TRIVET_END_NOT_YET;
  trivet_status status_ = TRIVET_OK;
  base::Duration waited_{};  ///< For the web server's bytes, since last asked.
  Times times_;              ///< Once finished.
  base::TimePoint waiting_since_{};
  bool waiting_ = false;
  bool moved_ = false;  ///< It was given bytes, or wrote some, that were not taken yet.
  bool flush_ = false;
  bool finished_ = false;
  bool posted_ = false;
  bool tell_next_write_ = false;
};

}  // namespace trivet::roles
