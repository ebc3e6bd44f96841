#pragma once

#include <string>
#include <string_view>

#include "password_hash.hpp"

namespace htpasswd {

/// Who somebody says he is, by HTTP's scheme Basic (RFC 7617).
struct Credentials {
  std::string name;
  Secret password;

  /// From the header Authorization. Gives what is wrong with it, for the log, without quoting any of it;
  /// empty when all is well.
  [[nodiscard]] std::string_view read_header(std::string_view header, std::size_t most_password);
  /// From a server that took them apart.
  [[nodiscard]] std::string_view read_parts(std::string_view given_name, std::string_view given_password,
                                            std::size_t most_password);
};

}  // namespace htpasswd
