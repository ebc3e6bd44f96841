#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace htpasswd {

/// A password while it is looked at: on the stack, and wiped when it goes.
class Secret {
 public:
  /// What libcrypt takes, without its NUL.
  static constexpr std::size_t most = 511;

  Secret() = default;
  ~Secret() { ::explicit_bzero(bytes_.data(), bytes_.size()); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  /// False, and nothing kept, when it is longer than `most`.
  bool set(std::string_view text) noexcept {
    if (text.size() > most) return false;
    text.copy(bytes_.data(), text.size());
    bytes_[text.size()] = '\0';
    size_ = text.size();
    return true;
  }
  [[nodiscard]] const char* c_str() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, most + 1> bytes_{};
  std::size_t size_ = 0;
};

enum class Scheme : std::uint8_t {
  bcrypt,
  yescrypt,
  sha512,
  sha256,
  apr1,
  sha1,   ///< {SHA}, as `htpasswd -s` makes it: without salt.
  md5,    ///< $1$
  des,    ///< 13 characters without a mark; of a password the first 8 count.
  plain,  ///< {PLAIN}
};

/// Which scheme a field of a password file is of; nothing when it is of none, or not whole: each scheme but
/// `plain` has one length, so what was cut off is not taken for a hash.
[[nodiscard]] std::optional<Scheme> scheme_of(std::string_view field) noexcept;

/// Scheme and cost, without the salt: fields of which this is the same take the same time.
[[nodiscard]] std::string_view kind_of(std::string_view field) noexcept;

/// Whether the password is the one that `field` was made of. Takes what the scheme takes, and compares
/// without an early exit.
///
/// Thread  [any]
/// Memory  32 KiB, and what the scheme needs (yescrypt: 16 MiB and more); wiped.
/// Errors  std::bad_alloc.
[[nodiscard]] bool matches(const Secret& password, const std::string& field);

}  // namespace htpasswd
