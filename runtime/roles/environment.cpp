#include "runtime/roles/environment.hpp"

#include <algorithm>

#include "runtime/roles/request.hpp"

namespace trivet::roles {
namespace {
/// What the pool keeps at most: more than that were open at once only for a while.
constexpr std::size_t most_free = 256;
}  // namespace

Environment::Environment(base::Loop& the_loop, log::Log& the_log, const base::Limits& the_limits,
                         const Router& the_router, SpoolStore& the_spools, Tally& the_tally)
    : loop(the_loop),
      log(the_log),
      limits(the_limits),
      router(the_router),
      spools(the_spools),
      tally(the_tally) {
  free_.reserve(most_free);
}

Environment::~Environment() {
  for (Request* request : free_) delete request;
}

Request* Environment::acquire() {
  tally.in_use(++in_use_);
  if (free_.empty()) return new Request(*this);
  Request* request = free_.back();
  free_.pop_back();
  return request;
}

void Environment::recycle(Request* request) noexcept {
  tally.in_use(--in_use_);
  if (free_.size() < most_free) {
    free_.push_back(request);
  } else {
    delete request;
  }
}

}  // namespace trivet::roles
