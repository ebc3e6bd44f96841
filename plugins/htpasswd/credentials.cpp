#include "credentials.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "user_file.hpp"

namespace htpasswd {
namespace {

/// A name, a colon and a password, decoded; wiped when it goes.
class Decoded {
 public:
  static constexpr std::size_t most = most_name + 1 + Secret::most;

  Decoded() = default;
  ~Decoded() { ::explicit_bzero(bytes_.data(), bytes_.size()); }
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;

  /// Takes the one way in which base64 (RFC 4648) writes some bytes, and no other.
  bool decode(std::string_view text) noexcept {
    if (text.empty() || text.size() % 4 != 0) return false;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    std::uint32_t bits = 0;
    for (std::size_t at = 0; at < text.size() - padding; ++at) {
      const std::optional<std::uint32_t> value = value_of(text[at]);
      if (!value) return false;
      bits = bits << 6U | *value;
      // Of each four letters the second, third and fourth complete a byte.
      if (at % 4 == 0) continue;
      const auto left = static_cast<unsigned>(6 - 2 * (at % 4));
      if (size_ == bytes_.size()) return false;
      bytes_[size_++] = static_cast<char>(bits >> left & 0xFFU);
      bits &= (1U << left) - 1;
    }
    return bits == 0;
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  static std::optional<std::uint32_t> value_of(char letter) noexcept {
    if (letter >= 'A' && letter <= 'Z') return letter - 'A';
    if (letter >= 'a' && letter <= 'z') return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9') return letter - '0' + 52;
    if (letter == '+') return 62;
    if (letter == '/') return 63;
    return std::nullopt;
  }

  std::array<char, most> bytes_{};
  std::size_t size_ = 0;
};

/// What follows `Basic` and spaces; nothing for another scheme.
std::optional<std::string_view> token_of(std::string_view header) noexcept {
  constexpr std::string_view scheme = "basic";
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t at = 0; at < scheme.size(); ++at) {
    const char lower = static_cast<char>(static_cast<unsigned char>(header[at]) | 0x20U);
    if (lower != scheme[at]) return std::nullopt;
  }
  header.remove_prefix(scheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header.substr(0, header.find_last_not_of(" \t") + 1);
}

/// RFC 7617 allows none of them, and libcrypt would stop at a NUL.
bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

}  // namespace

std::string_view Credentials::read_parts(std::string_view given_name, std::string_view given_password,
                                         std::size_t most_password) {
  if (given_name.empty()) return "a user without a name";
  if (given_name.size() > most_name) return "the user's name is too long";
  if (given_name.find(':') != std::string_view::npos) return "a colon in the user's name";
  if (has_control(given_name)) return "control characters in the user's name";
  if (given_password.empty()) return "an empty password";
  if (has_control(given_password)) return "control characters in the password";
  if (given_password.size() > most_password || !password.set(given_password))
    return "the password is too long";
  name = given_name;
  return {};
}

std::string_view Credentials::read_header(std::string_view header, std::size_t most_password) {
  if (header.empty()) return "no credentials";
  const std::optional<std::string_view> token = token_of(header);
  if (!token) return "credentials of another scheme than Basic";
  if (token->size() > (Decoded::most + 2) / 3 * 4) return "credentials that are too long";
  Decoded decoded;
  if (!decoded.decode(*token)) return "credentials that are no base64";
  const std::string_view text = decoded.view();
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return "credentials without a colon";
  return read_parts(text.substr(0, colon), text.substr(colon + 1), most_password);
}

}  // namespace htpasswd
