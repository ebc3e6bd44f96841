#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/limits.hpp"
#include "runtime/base/loop.hpp"
#include "runtime/cgi/params.hpp"
#include "runtime/cgi/request_path.hpp"
#include "runtime/cgi/response_head.hpp"
#include "runtime/log/log.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/roles/journal.hpp"
#include "runtime/roles/lanes.hpp"

namespace trivet::roles {

class SpoolStore;

/// What every plugin call of one request may read.
///
/// Thread    [any] while a call runs: nothing in it changes then.
/// Lifetime  Part of the Request, which outlives its calls.
struct CallFacts {
  const cgi::Params* params = nullptr;
  log::Log* log = nullptr;
  const Journal* journal = nullptr;
  std::string_view route;
  std::uint32_t column = 0;  ///< The route's place in the configuration.
  std::string_view request_id;
  std::uint64_t number = 0;
  std::uint64_t content_length = UINT64_MAX;
  std::uint64_t data_length = UINT64_MAX;
  trivet_phase phase = TRIVET_PHASE_NONE;
  base::Loop* loop = nullptr;
  std::size_t window = 0;
  /// What the route was matched by. Null: TRIVET_ROUTE named it, and the request has no path.
  const cgi::RequestPath* path = nullptr;
  const base::Limits* limits = nullptr;
  SpoolStore* spools = nullptr;  ///< [loop]
};

/// Why a stage gave up: the status of the answer, if it can still be given, and a text for the log.
struct StageFailure {
  int status = 500;
  std::string text;
};

/// What the stages of a request tell it. `index` is the stage's place in the chain.
///
/// Thread  [loop].
class StageSink {
 public:
  StageSink() = default;
  StageSink(const StageSink&) = delete;
  StageSink& operator=(const StageSink&) = delete;
  virtual ~StageSink() = default;

  /// The head as it stands, while it is this stage's to change: from its start to its first output. Else
  /// null.
  virtual cgi::ResponseHead* head(std::size_t index) noexcept = 0;
  /// A filter's `open` is done, well. `passes`: it leaves the body as it is, and was closed: it is told of
  /// nothing any more, and what it was given meanwhile comes as its output. Before its first output.
  virtual void on_open(std::size_t /*index*/, bool /*passes*/) {}
  virtual void on_output(std::size_t index, base::Bytes bytes) = 0;
  virtual void on_flush(std::size_t index) = 0;
  /// It ended well: no more output comes.
  virtual void on_done(std::size_t index) = 0;
  virtual void on_failed(std::size_t index, StageFailure failure) = 0;
  /// Everything after this stage can take more.
  [[nodiscard]] virtual bool has_room_after(std::size_t index) const noexcept = 0;
  /// It can take input again, or what it was doing on a thread is over: the request looks at itself.
  virtual void on_progress(std::size_t index) = 0;
};

/// One plugin at work on one request: a responder, or a filter in the chain after it.
///
///   start -> input* -> end_input, and output on the sink all the while; cancel() at any point
///
/// Thread    [loop].
/// Lifetime  Owned by its Request. After cancel(), or when it is done, it may still be busy on a plugin
/// thread: it is
///           not destroyed before busy() is false, which on_progress() tells.
/// Memory    Takes every input it is given; has_room() says when to stop giving.
/// Errors    on_failed(), once; nothing else comes after it but the last on_progress().
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  virtual void start() = 0;
  virtual void input(StageInput lane, base::Bytes bytes) = 0;
  virtual void end_input(StageInput lane, trivet_end end) = 0;
  [[nodiscard]] virtual bool has_room(StageInput lane) const noexcept = 0;
  /// What it keeps of its input, in bytes.
  [[nodiscard]] virtual std::size_t kept() const noexcept = 0;
  /// There is room after it again.
  virtual void resume() = 0;
  virtual void cancel() = 0;
  [[nodiscard]] virtual bool busy() const noexcept = 0;
  /// Its plugin holds a call that waits for bytes that the web server has not sent: clocks stand still.
  [[nodiscard]] virtual bool waits_for_peer() const noexcept = 0;
};

/// The part of a plugin call that is alike everywhere: reading the request, the head, the texts.
///
/// Thread    The thread that runs the hook.
class BasicCall : public plugin::Call {
 public:
  void set_up(const CallFacts& facts, const plugin::Plugin& plugin, trivet_role role) noexcept {
    facts_ = &facts;
    plugin_ = &plugin;
    role_ = role;
    listed_.clear();
    failure_.clear();
  }

  trivet_status info(trivet_request_info& info) override;
  trivet_status param(std::string_view name, trivet_text& value) override;
  trivet_status params(const trivet_param*& first, std::size_t& count) override;
  trivet_status read(trivet_text& chunk, trivet_end& end) override;
  trivet_status set_status(std::uint32_t status) override;
  trivet_status add_header(std::string_view name, std::string_view value) override;
  trivet_status set_header(std::string_view name, std::string_view value) override;
  trivet_status remove_header(std::string_view name) override;
  trivet_status get_status(std::uint32_t& status) override;
  trivet_status get_header(std::string_view name, trivet_text& value) override;
  trivet_status flush() override { return TRIVET_OK; }
  trivet_status allow() override { return TRIVET_E_STATE; }
  trivet_status set_variable(std::string_view, std::string_view) override { return TRIVET_E_STATE; }
  trivet_status deny(std::uint32_t, std::string_view) override { return TRIVET_E_STATE; }
  trivet_status cache_for(std::uint64_t) override { return TRIVET_E_STATE; }
  trivet_status pass() override { return TRIVET_E_STATE; }
  void fail(std::string_view what) override;
  void log(trivet_level level, std::string_view line) override;

  /// What fail() said, or a text that says that nothing was said.
  [[nodiscard]] std::string failure_text(trivet_status status) const;
  [[nodiscard]] const CallFacts& facts() const noexcept { return *facts_; }

 protected:
  /// The head while it may be changed, else null.
  [[nodiscard]] virtual cgi::ResponseHead* current_head() noexcept = 0;

 private:
  trivet_status refused_field(std::string_view why, std::string_view name);

  const CallFacts* facts_ = nullptr;
  const plugin::Plugin* plugin_ = nullptr;
  trivet_role role_ = TRIVET_ROLE_RESPONDER;
  std::vector<trivet_param> listed_;
  std::string failure_;
};

}  // namespace trivet::roles
