#include "runtime/io/descriptor_limit.hpp"

#include <algorithm>
#include <cerrno>

namespace trivet::io {

std::size_t connections_within(std::size_t wanted, rlim_t hard_limit, std::size_t each) noexcept {
  if (hard_limit == RLIM_INFINITY) return wanted;
  const rlim_t room =
      hard_limit > 2 * reserved_descriptors ? hard_limit - reserved_descriptors : hard_limit / 2;
  return static_cast<std::size_t>(std::clamp<rlim_t>(wanted, 1, std::max<rlim_t>(room / each, 1)));
}

base::Result<std::size_t> raise_descriptor_limit(std::size_t wanted, std::size_t each) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return base::system_error("cannot read RLIMIT_NOFILE", errno);
  const std::size_t connections = connections_within(wanted, limit.rlim_max, each);
  const rlim_t needed = std::min<rlim_t>(connections * each + reserved_descriptors, limit.rlim_max);
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = needed;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
      return base::system_error("cannot raise RLIMIT_NOFILE", errno);
  }
  return connections;
}

}  // namespace trivet::io
