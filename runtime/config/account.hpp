#pragma once

#include <optional>

#include "runtime/config/config.hpp"
#include "runtime/config/table_reader.hpp"

namespace trivet::config {

/// Reads `user` and `group` and looks them up, as names or as numbers. `known` is what they were found to be
/// before: then nobody is asked. Nothing where `user` is absent or wrong.
///
/// Thread  [startup], or the one thread of a supervisor: the user database is read without locks.
[[nodiscard]] std::optional<Account> read_account(TableReader& reader, const Account* known);

}  // namespace trivet::config
