#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/base/limits.hpp"
#include "runtime/base/loop.hpp"
#include "runtime/log/log.hpp"
#include "runtime/roles/input_queue.hpp"
#include "runtime/roles/journal.hpp"
#include "runtime/roles/router.hpp"

namespace trivet::roles {

class Request;

/// What happened, for statistics. One writer: the loop.
class Tally {
 public:
  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  virtual ~Tally() = default;

  virtual void request(Slice slice) noexcept = 0;
  virtual void response(int status) noexcept = 0;
  virtual void allowed() noexcept = 0;
  virtual void denied() noexcept = 0;
  virtual void limit_hit() noexcept = 0;
};

/// What the requests of one worker share.
///
/// Thread    [loop].
/// Lifetime  Outlives every request, also those that only a plugin thread still holds.
struct Environment {
  Environment(base::Loop& the_loop, log::Log& the_log, const base::Limits& the_limits,
              const Router& the_router, SpoolStore& the_spools, Tally& the_tally);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment();

  /// A request from the pool, and back to it.
  Request* acquire();
  void recycle(Request* request) noexcept;
  /// Requests that plugin threads still hold although their connection is gone.
  [[nodiscard]] std::size_t in_use() const noexcept { return in_use_; }

  base::Loop& loop;
  log::Log& log;
  const base::Limits& limits;
  const Router& router;
  SpoolStore& spools;
  Tally& tally;
  Journal journal;
  bool stopping = false;
  std::uint64_t requests_begun = 0;
  std::uint32_t id_seed = 0;  ///< Makes request ids differ between workers and restarts.

 private:
  std::vector<Request*> free_;
  std::size_t in_use_ = 0;
};

}  // namespace trivet::roles
