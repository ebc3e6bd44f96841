#pragma once

#include "runtime/base/buffer.hpp"
#include "runtime/plugin/current.hpp"
#include "runtime/roles/stage.hpp"

namespace trivet::roles {

/// A stage whose plugin runs on the loop: hooks are called with the bytes as they come, output goes straight
/// on.
class LoopStage final : public Stage {
 public:
  LoopStage();
  LoopStage(const LoopStage&) = delete;
  LoopStage& operator=(const LoopStage&) = delete;
  ~LoopStage() override;

  void set_up(StageSink& sink, std::size_t index, StageRole role, bool takes_body,
              const plugin::Plugin& plugin, const CallFacts& facts);
  void start() override;
  void input(StageInput lane, base::Bytes bytes) override;
  void end_input(StageInput lane, trivet_end end) override;
  [[nodiscard]] bool has_room(StageInput lane) const noexcept override {
    return lanes_.lane(lane).waiting.empty();
  }
  [[nodiscard]] std::size_t kept() const noexcept override { return lanes_.size(); }
  void resume() override;
  void cancel() override;
  [[nodiscard]] bool busy() const noexcept override { return false; }
  [[nodiscard]] bool waits_for_peer() const noexcept override { return true; }

 private:
  /// created -> open -> over; a responder with `handle` goes from created to over, a filter that passes
  /// leaves open at once.
  enum class State : std::uint8_t { created, open, over };

  class LoopCall final : public BasicCall {
   public:
    explicit LoopCall(LoopStage& stage) : stage_(stage) {}
    [[nodiscard]] bool cancelled() const noexcept override { return stage_.cancelled_; }
    trivet_status write(std::string_view bytes) override;
    trivet_status flush() override;
    trivet_status pass() override;

   private:
    cgi::ResponseHead* current_head() noexcept override;
    LoopStage& stage_;
  };

  void pump();
  void produce();
  [[nodiscard]] plugin::CallScope scope_of_call() const noexcept;
  trivet_status give(StageInput lane, base::Bytes bytes, trivet_end end);
  [[nodiscard]] bool may_call() const noexcept;
  bool drain(Lanes::Lane& lane, StageInput which);
  void over(trivet_status status);
  void close();

  StageSink* sink_ = nullptr;
  const plugin::Plugin* plugin_ = nullptr;
  LoopCall call_{*this};
  Lanes lanes_;  ///< Input that came while there was no room after this stage.
  void* state_of_plugin_ = nullptr;
  std::size_t index_ = 0;
  StageRole role_ = StageRole::responder;
  State state_ = State::created;
  bool inside_ = false;  ///< A hook runs: no other is called from within.
  bool cancelled_ = false;
  bool wrote_ = false;
  bool passes_ = false;
};

}  // namespace trivet::roles
