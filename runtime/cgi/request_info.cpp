#include "runtime/cgi/request_info.hpp"

#include <algorithm>

#include "runtime/cgi/text.hpp"

namespace trivet::cgi {

Steering read_steering(const Params& params) noexcept {
  Steering steering;
  const auto slot = [&](std::string_view name) -> std::string_view* {
    if (name == "ROLE") return &steering.role;
    if (name == "ROUTE") return &steering.route;
    if (name == "PATH") return &steering.path;
    if (name == "HOST") return &steering.host;
    if (name == "METHOD") return &steering.method;
    if (name == "DIALECT") return &steering.dialect;
    return nullptr;
  };
  for (const Param& param : params.steering()) {
    if (param.name.substr(0, steering_prefix.size()) != steering_prefix) continue;
    steering.any = true;
    std::string_view* known = slot(param.name.substr(steering_prefix.size()));
    if (known == nullptr) {
      steering.unknown = param.name;
    } else if (param.value.empty()) {
      steering.empty = param.name;
    } else {
      *known = param.value;
    }
  }
  return steering;
}

std::string_view host_for_matching(std::string_view host) noexcept {
  for (std::size_t at = host.size(); at > 0; --at) {
    const char c = host[at - 1];
    if (c == ']') break;  // What comes before is an address of IPv6.
    if (c != ':') continue;
    host = host.substr(0, at - 1);
    break;
  }
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  return host;
}

bool equals_lower(std::string_view text, std::string_view lower_case) noexcept {
  return text.size() == lower_case.size() && std::equal(text.begin(), text.end(), lower_case.begin(),
                                                        [](char a, char b) { return lower(a) == b; });
}

bool is_method(std::string_view text) noexcept {
  constexpr std::size_t longest = 32;
  return text.size() <= longest && is_token(text);
}

}  // namespace trivet::cgi
