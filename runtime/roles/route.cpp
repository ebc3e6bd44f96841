#include "runtime/roles/route.hpp"

#include "runtime/config/guards.hpp"
#include "runtime/log/meaning.hpp"

namespace trivet::roles {
namespace {

bool is_guarded(const config::Route& route, Slice slice) noexcept {
  switch (slice) {
    case Slice::responder:
      return route.guarded_on(config::Slice::responder);
    case Slice::authorizer:
      return route.guarded_on(config::Slice::authorizer);
    case Slice::filter:
      return route.guarded_on(config::Slice::filter);
  }
  return true;
}

}  // namespace

Route::Route(const config::Route& from)
    : config(from), has_bare_name(log::stands_bare(from.name)), pattern(from.path) {
  Situation at;
  at.route_found = true;
  at.has_guards = !from.authorize.empty();
  at.guards_decide = !at.has_guards || config::some_decide(from.authorize);
  at.has_source = from.has_source();
  at.has_filters = !from.filter.empty();
  for (const Slice slice : {Slice::responder, Slice::authorizer, Slice::filter}) {
    at.slice = slice;
    at.guards_apply = is_guarded(from, slice);
    in_slices_[static_cast<std::size_t>(slice)] = {at.guards_apply, decide(at)};
  }
}

}  // namespace trivet::roles
