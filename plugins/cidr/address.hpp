#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/followed_file.hpp>
#include <variant>
#include <vector>

namespace cidr {

/// An IPv4 or IPv6 address. An IPv4 address that is mapped into IPv6 (::ffff:192.0.2.1) is the IPv4 address,
/// and all IPv4 addresses are less than all others, so that no IPv6 prefix covers one.
struct Address {
  bool six = false;
  std::uint64_t high = 0;
  std::uint64_t low = 0;  ///< Of IPv4 all 32 bits.

  /// Only what is an address and nothing else: no zone, no port, no brackets, no leading zeros.
  [[nodiscard]] static std::optional<Address> read(std::string_view text) noexcept;
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// What is odd about a text that is no address, in a few words.
[[nodiscard]] std::string_view why_no_address(std::string_view text) noexcept;

/// From one address to another, both included.
struct Range {
  Address first;
  Address last;

  /// An address, or address/length. A text when it is neither: what is wrong.
  [[nodiscard]] static std::variant<Range, std::string> read(std::string_view text);
};

/// Any number of ranges. Looking one up takes as many steps as the number of ranges has binary digits.
class Ranges {
 public:
  Ranges() = default;
  explicit Ranges(std::vector<Range> ranges);
  [[nodiscard]] bool has(const Address& address) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] const std::vector<Range>& all() const noexcept { return ranges_; }

 private:
  std::vector<Range> ranges_;  ///< Sorted; none touches another.
};

/// A file of prefixes, one a line; `#` and `;` begin a comment.
struct ListFile {
  Ranges last_good;                   ///< What the last version said of which no line was wrong.
  std::optional<Ranges> while_wrong;  ///< What counts in its place while lines are wrong.

  [[nodiscard]] bool has(const Address& address) const noexcept {
    return (while_wrong ? *while_wrong : last_good).has(address);
  }

  /// Of who may come in: a line that is wrong lets nobody in.
  [[nodiscard]] static ListFile read_allowed(std::string_view text, trivet::Remarks& remarks);
  /// Of who may not come in. While lines are wrong nobody knows whom they meant: what the last version
  /// without wrong lines kept out stays out too. Throws where there is no such version.
  [[nodiscard]] static ListFile read_denied(std::string_view text, const ListFile* before,
                                            trivet::Remarks& remarks);
};

}  // namespace cidr
