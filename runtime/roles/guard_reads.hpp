#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trivet::roles {

/// What a guard has looked at of one request: what its verdict can depend on.
///
/// Thread    One at a time: the plugin's while it runs.
/// Memory    Up to `most` names; a guard that reads more has read everything. clear() keeps what was grown.
class GuardReads {
 public:
  static constexpr std::size_t most = 48;
  static constexpr std::size_t longest_name = 256;

  void clear() noexcept {
    count_ = 0;
    has_info_ = is_everything_ = false;
  }
  void param(std::string_view name) {
    const auto read = names();
    if (is_everything_ || std::find(read.begin(), read.end(), name) != read.end()) return;
    if (count_ == most || name.size() > longest_name) {
      is_everything_ = true;
      return;
    }
    is_everything_ = true;  // Should there be no memory for the name.
    if (count_ == names_.size()) names_.emplace_back();
    names_[count_] = name;
    ++count_;
    is_everything_ = false;
  }
  /// What the request is: its phase, its lengths, its route.
  void info() noexcept { has_info_ = true; }
  /// All parameters.
  void everything() noexcept { is_everything_ = true; }

  /// Each once, there or not.
  [[nodiscard]] std::span<const std::string> names() const noexcept { return {names_.data(), count_}; }
  [[nodiscard]] bool has_info() const noexcept { return has_info_; }
  [[nodiscard]] bool is_everything() const noexcept { return is_everything_; }

 private:
  std::vector<std::string> names_;  ///< Those beyond count_ wait to be used again.
  std::size_t count_ = 0;
  bool has_info_ = false;
  bool is_everything_ = false;
};

}  // namespace trivet::roles
