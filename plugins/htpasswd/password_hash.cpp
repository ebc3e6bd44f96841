#include "password_hash.hpp"

#include <apr_md5.h>
#include <apr_sha1.h>
#include <crypt.h>

#include <algorithm>
#include <memory>
#include <new>
#include <trivet/basic.hpp>

namespace htpasswd {
namespace {

constexpr std::string_view crypt_letters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view digits = "0123456789";

bool consists_of(std::string_view text, std::string_view letters) noexcept {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

/// What stands before the next `$`, which is taken off too; nothing when there is none.
std::optional<std::string_view> take_part(std::string_view& rest) noexcept {
  const std::size_t end = rest.find('$');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

/// `rest` is salt$hash.
bool is_salted(std::string_view rest, std::size_t most_salt, std::size_t hash_size) noexcept {
  const auto salt = take_part(rest);
  return salt && salt->size() <= most_salt && consists_of(*salt, crypt_letters) && rest.size() == hash_size &&
         consists_of(rest, crypt_letters);
}

bool is_bcrypt(std::string_view rest) noexcept {
  const auto cost = take_part(rest);
  return cost && cost->size() == 2 && consists_of(*cost, digits) && *cost >= "04" && *cost <= "31" &&
         rest.size() == 53 && consists_of(rest, crypt_letters);
}

bool is_yescrypt(std::string_view rest) noexcept {
  const auto parameters = take_part(rest);
  return parameters && !parameters->empty() && consists_of(*parameters, crypt_letters) &&
         is_salted(rest, 86, 43);
}

bool is_sha_crypt(std::string_view rest, std::size_t hash_size) noexcept {
  constexpr std::string_view mark = "rounds=";
  if (rest.starts_with(mark)) {
    rest.remove_prefix(mark.size());
    const auto rounds = take_part(rest);
    // Others are changed by libcrypt, so that no password would ever fit.
    if (!rounds || rounds->size() < 4 || rounds->size() > 9 || !consists_of(*rounds, digits) ||
        rounds->front() == '0')
      return false;
  }
  return is_salted(rest, 16, hash_size);
}

bool is_sha1(std::string_view rest) noexcept {
  return rest.size() == 28 && rest.back() == '=' && consists_of(rest.substr(0, 27), base64_letters);
}

struct Form {
  Scheme scheme;
  std::string_view mark;
  bool (*is_whole)(std::string_view rest) noexcept;
};

constexpr std::array forms{
    Form{Scheme::bcrypt, "$2y$", &is_bcrypt},
    Form{Scheme::bcrypt, "$2b$", &is_bcrypt},
    Form{Scheme::bcrypt, "$2a$", &is_bcrypt},
    Form{Scheme::yescrypt, "$y$", &is_yescrypt},
    Form{Scheme::sha512, "$6$", [](std::string_view rest) noexcept { return is_sha_crypt(rest, 86); }},
    Form{Scheme::sha256, "$5$", [](std::string_view rest) noexcept { return is_sha_crypt(rest, 43); }},
    Form{Scheme::apr1, "$apr1$", [](std::string_view rest) noexcept { return is_salted(rest, 8, 22); }},
    Form{Scheme::md5, "$1$", [](std::string_view rest) noexcept { return is_salted(rest, 8, 22); }},
    Form{Scheme::sha1, "{SHA}", &is_sha1},
    Form{Scheme::plain, "{PLAIN}", [](std::string_view rest) noexcept { return !rest.empty(); }},
};

const Form* form_of(std::string_view field) noexcept {
  const auto* const found = std::find_if(forms.begin(), forms.end(),
                                         [&](const Form& form) { return field.starts_with(form.mark); });
  return found == forms.end() ? nullptr : found;
}

bool equals(std::string_view made, const std::string& field) noexcept {
  return trivet::same_secret(made, field);
}

bool crypt_matches(const Secret& password, const std::string& field) {
  struct Wiped {
    void operator()(crypt_data* data) const noexcept {
      ::explicit_bzero(data, sizeof *data);
      delete data;
    }
  };
  const std::unique_ptr<crypt_data, Wiped> data(new crypt_data{});
  errno = 0;
  const char* const made = ::crypt_rn(password.c_str(), field.c_str(), data.get(), sizeof *data);
  if (made == nullptr && errno == ENOMEM) throw std::bad_alloc();
  return made != nullptr && equals(made, field);
}

bool apr1_matches(const Secret& password, const std::string& field) noexcept {
  std::array<char, 120> made{};
  if (::apr_md5_encode(password.c_str(), field.c_str(), made.data(), made.size()) != APR_SUCCESS)
    return false;
  return equals(made.data(), field);
}

bool sha1_matches(const Secret& password, const std::string& field) noexcept {
  std::array<char, 64> made{};  // The mark, 28 characters and a NUL.
  ::apr_sha1_base64(password.c_str(), static_cast<int>(password.view().size()), made.data());
  const bool fits = equals(made.data(), field);
  ::explicit_bzero(made.data(), made.size());
  return fits;
}

}  // namespace

std::optional<Scheme> scheme_of(std::string_view field) noexcept {
  if (const Form* const form = form_of(field)) {
    if (!form->is_whole(field.substr(form->mark.size()))) return std::nullopt;
    return form->scheme;
  }
  if (field.size() == 13 && consists_of(field, crypt_letters)) return Scheme::des;
  return std::nullopt;
}

std::string_view kind_of(std::string_view field) noexcept {
  const Form* const form = form_of(field);
  if (form == nullptr) return {};
  std::string_view rest = field.substr(form->mark.size());
  const bool has_cost =
      form->scheme == Scheme::bcrypt || form->scheme == Scheme::yescrypt || rest.starts_with("rounds=");
  if (!has_cost) return form->mark;
  static_cast<void>(take_part(rest));
  return field.substr(0, field.size() - rest.size());
}

bool matches(const Secret& password, const std::string& field) {
  const std::optional<Scheme> scheme = scheme_of(field);
  if (!scheme) return false;
  switch (*scheme) {
    case Scheme::bcrypt:
    case Scheme::yescrypt:
    case Scheme::sha512:
    case Scheme::sha256:
    case Scheme::md5:
    case Scheme::des:
      return crypt_matches(password, field);
    case Scheme::apr1:
      return apr1_matches(password, field);
    case Scheme::sha1:
      return sha1_matches(password, field);
    case Scheme::plain:
      return trivet::same_secret(password.view(), std::string_view(field).substr(7));
  }
  return false;
}

}  // namespace htpasswd
