#pragma once

#include <string_view>

namespace trivet::base {

/// A name and its value: views into what they were decoded from.
struct Pair {
  std::string_view name;
  std::string_view value;

  friend bool operator==(const Pair&, const Pair&) = default;
};

}  // namespace trivet::base
