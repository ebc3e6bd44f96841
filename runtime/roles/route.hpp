#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/cgi/request_path.hpp"
#include "runtime/config/config.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/roles/decision.hpp"
#include "runtime/roles/guard.hpp"
#include "runtime/roles/source.hpp"

namespace trivet::roles {

/// A route as requests use it: the configuration with its plugins found.
///
/// Lifetime  Immutable but for `told`, which belongs to the loop; outlives every request.
struct Route {
  explicit Route(const config::Route& from);

  config::Route config;
  bool has_bare_name;  ///< As the access log writes names.
  cgi::PathPattern pattern;
  std::vector<std::uint32_t> listeners;  ///< Indices; empty: all.
  std::vector<Guard> guards;             ///< All have to allow.
  plugin::Plugin* source = nullptr;      ///< Of this and the next at most one is there.
  std::unique_ptr<Source> own_source;    ///< Files, another application.
  std::vector<plugin::Plugin*> filters;
  std::uint32_t column = 0;        ///< In statistics: its place among the routes of the configuration.
  mutable std::uint32_t told = 0;  ///< Bits of what was logged once.

  [[nodiscard]] bool has_source() const noexcept { return source != nullptr || own_source != nullptr; }
  [[nodiscard]] bool guarded_on(Slice slice) const noexcept { return in_slice(slice).is_guarded; }
  /// What happens to a request that comes to it.
  [[nodiscard]] const Decision& decision_in(Slice slice) const noexcept { return in_slice(slice).decision; }

 private:
  /// What its configuration says for one slice.
  struct InSlice {
    bool is_guarded = true;
    Decision decision;
  };
  [[nodiscard]] const InSlice& in_slice(Slice slice) const noexcept {
    return in_slices_[static_cast<std::size_t>(slice)];
  }

  std::array<InSlice, 3> in_slices_;
};

}  // namespace trivet::roles
