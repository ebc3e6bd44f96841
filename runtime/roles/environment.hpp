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

/// What happened, for statistics. One writer: the loop. `route` is null where none was found.
class Tally {
 public:
  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  virtual ~Tally() = default;

  /// How a question was decided: by guards, or because it could not come to them.
  enum class Decision : std::uint8_t {
    allow,
    deny,
    error,  ///< Somebody failed: a deny too.
  };

  virtual void request(const Route* route, Slice slice) noexcept = 0;
  /// `to_head`: from the first byte of the request to the head of the answer.
  virtual void response(const Route* route, int status, base::Duration to_head) noexcept = 0;
  virtual void decided(const Route* route, Decision decision) noexcept = 0;
  virtual void limit_hit() noexcept = 0;
  /// How many requests there are now.
  virtual void in_use(std::size_t requests) noexcept = 0;
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
  /// Makes request ids differ between workers and restarts. Set before the first request.
  std::uint32_t id_seed = 0;

 private:
  std::vector<Request*> free_;
  std::size_t in_use_ = 0;
};

}  // namespace trivet::roles
