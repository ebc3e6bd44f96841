#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <trivet/media_type.hpp>
#include <vector>

/// The content codings that this plugin writes.
enum class Coding : std::uint8_t { gzip, br, zstd };
constexpr std::array<std::string_view, 3> coding_names = {"gzip", "br", "zstd"};

[[nodiscard]] constexpr std::string_view name_of(Coding coding) noexcept {
  return coding_names[static_cast<std::size_t>(coding)];
}

/// What a client says in Accept-Encoding (RFC 9110, 12.5.3). A quality is kept in thousandths. Items that are
/// not what the grammar wants are left out, so nothing is sent that the client may not have asked for; of two
/// for one coding the first counts.
///
/// Lifetime  Keeps nothing of the text it is made from.
class AcceptEncoding {
 public:
  explicit AcceptEncoding(std::string_view field) noexcept {
    while (!field.empty()) {
      const std::size_t comma = field.find(',');
      read_item(field.substr(0, comma));
      if (comma == std::string_view::npos) break;
      field.remove_prefix(comma + 1);
    }
  }

  /// The coding that the client likes best, among equals the first of `preferred`; none: the body goes out as
  /// it is.
  [[nodiscard]] std::optional<Coding> choose(const std::vector<Coding>& preferred) const noexcept {
    std::optional<Coding> best;
    // What does not name identity takes it, but rather has a coding that it names.
    int quality = identity_.value_or(0);
    for (const Coding coding : preferred) {
      const int wanted = codings_[static_cast<std::size_t>(coding)].value_or(any_.value_or(0));
      if (wanted > quality || (!best && wanted > 0 && wanted == quality)) {
        best = coding;
        quality = wanted;
      }
    }
    return best;
  }

  /// "identity;q=0", or "*;q=0" where identity is not named.
  [[nodiscard]] bool refuses_identity() const noexcept { return identity_.value_or(any_.value_or(1)) == 0; }

 private:
  static std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && trivet::sdk::is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && trivet::sdk::is_blank(text.back())) text.remove_suffix(1);
    return text;
  }
  static bool same(std::string_view text, std::string_view lower_case) noexcept {
    if (text.size() != lower_case.size()) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (trivet::sdk::lower(text[at]) != lower_case[at]) return false;
    }
    return true;
  }

  /// qvalue: "0" or "1" with up to three digits behind a point, of "1" only zeros.
  static std::optional<int> thousandths(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int value = text[0] - '0';
    for (std::size_t at = 2; at < 5; ++at) {
      const char digit = at < text.size() ? text[at] : '0';
      if (digit < '0' || digit > '9') return std::nullopt;
      value = value * 10 + (digit - '0');
    }
    if (value > 1000) return std::nullopt;
    return value;
  }

  void read_item(std::string_view item) noexcept {
    const std::size_t semicolon = item.find(';');
    const std::string_view name = trimmed(item.substr(0, semicolon));
    int quality = 1000;
    if (semicolon != std::string_view::npos) {
      const std::string_view weight = trimmed(item.substr(semicolon + 1));
      if (weight.size() < 2 || trivet::sdk::lower(weight[0]) != 'q' || weight[1] != '=') return;
      const std::optional<int> read = thousandths(weight.substr(2));
      if (!read) return;
      quality = *read;
    }
    const auto note = [&](std::optional<int>& where) {
      if (!where) where = quality;
    };
    if (name == "*") {
      note(any_);
    } else if (same(name, "identity")) {
      note(identity_);
    } else if (same(name, "gzip") || same(name, "x-gzip")) {
      note(codings_[static_cast<std::size_t>(Coding::gzip)]);
    } else if (same(name, "br")) {
      note(codings_[static_cast<std::size_t>(Coding::br)]);
    } else if (same(name, "zstd")) {
      note(codings_[static_cast<std::size_t>(Coding::zstd)]);
    }
  }

  std::array<std::optional<int>, coding_names.size()> codings_;
  std::optional<int> identity_;
  std::optional<int> any_;
};
