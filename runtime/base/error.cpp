#include "runtime/base/error.hpp"

#include <system_error>

namespace trivet::base {

Error system_error(const std::string& what, int errno_value) {
  return {ErrorCode::system_failure, what + ": " + std::generic_category().message(errno_value)};
}

}  // namespace trivet::base
