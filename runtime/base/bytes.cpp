#include "runtime/base/bytes.hpp"

#include <algorithm>
#include <cstring>

namespace trivet::base {

std::size_t count_zeros(Bytes bytes) noexcept {
  constexpr std::size_t few = 32;
  std::size_t zeros = 0;
  while (!bytes.empty()) {
    const void* const found = std::memchr(bytes.data(), 0, bytes.size());
    if (found == nullptr) return zeros;
    bytes =
        bytes.subspan(static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data()) + 1);
    if (++zeros == few) break;
  }
  return zeros + static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), 0));
}

}  // namespace trivet::base
