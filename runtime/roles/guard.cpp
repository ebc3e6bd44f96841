#include "runtime/roles/guard.hpp"

#include "runtime/config/guards.hpp"

namespace trivet::roles {
namespace {

using Kind = config::Guard::Kind;

std::string_view name_of(const config::Guard& guard) noexcept {
  switch (guard.kind) {
    case Kind::plugin:
      return guard.plugin;
    case Kind::allow:
      return "allow";
    case Kind::deny:
      return "deny";
    case Kind::all:
      return "all";
    case Kind::any:
      return "any";
  }
  return {};
}

}  // namespace

std::vector<Guard> join_guards(const std::vector<config::Guard>& from,
                               const std::function<plugin::Plugin*(const config::Guard&)>& find,
                               const std::function<std::uint64_t()>& random) {
  std::vector<Guard> joined;
  joined.reserve(from.size());
  for (const config::Guard& each : from) {
    Guard& guard = joined.emplace_back();
    guard.kind = each.kind;
    guard.name = name_of(each);
    guard.methods = each.methods;
    guard.allow_on_error = each.allow_on_error;
    guard.shadow = each.shadow;
    guard.guards = join_guards(each.guards, find, random);
    guard.decides = config::decides(each);
    if (each.kind != Kind::plugin) continue;
    guard.plugin = find(each);
    if (each.cache) {
      const VerdictCache::Seed seed = {random(), random(), random(), random()};
      guard.cache = std::make_unique<VerdictCache>(*each.cache, seed);
    }
  }
  return joined;
}

}  // namespace trivet::roles
