#include "password_hash.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

namespace htpasswd {
namespace {

bool fits(std::string_view password, const std::string& field) {
  Secret secret;
  EXPECT_TRUE(secret.set(password));
  return matches(secret, field);
}

/// Fields that other programs made of the password `correct horse`.
struct Field {
  const char* name;
  const char* text;
  Scheme scheme;
  const char* kind;
};
void PrintTo(const Field& field, std::ostream* out) { *out << field.name; }

constexpr Field fields[] = {
    // htpasswd -nb and -B, -m, -s, -d, -5, -2
    {"HtpasswdBcrypt", "$2y$04$hQ.QJFWXo2zoOsYF47Zj8e/R9PlaAG0HpzMQ.r9oR8Ye626VttFWu", Scheme::bcrypt,
     "$2y$04$"},
    {"HtpasswdMd5", "$apr1$V.tTCDWy$S9UcX4bcKV7tjfkoAii7N1", Scheme::apr1, "$apr1$"},
    {"HtpasswdSha", "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=", Scheme::sha1, "{SHA}"},
    {"HtpasswdCrypt", "K37Ny/kNGCCsY", Scheme::des, ""},
    {"HtpasswdSha512",
     "$6$JpSc9yol3RKgQI6j$LXXHthEhZTKKvUgFFR4eLwXf49/Q9zR8RQVOzi0AIfwLH/"
     "P0IFPC9DIBxwxlFWOSgLntp4ZUzHByMpFrKkw8C0",
     Scheme::sha512, "$6$"},
    {"HtpasswdSha256", "$5$tJSj.vGfLjy20OM2$PXJaBBFPP5gVCOoRXsTaCqbUf/hPrOeMiDHS/DAPOk.", Scheme::sha256,
     "$5$"},
    // mkpasswd -m, the last with -R
    {"MkpasswdYescrypt", "$y$j75$GORl7bI4JIJGr7P5Svhi0/$zZdF9YJ/xxD/jXBjlraOaMCP5PHIf/hLZS6EmCgoSL3",
     Scheme::yescrypt, "$y$j75$"},
    {"MkpasswdBcrypt", "$2b$05$pZ5Pvoi6tfwJdSEWfCFVVOfTTWj3GmrjvYakfaLIq6lnc/3uZ/NWa", Scheme::bcrypt,
     "$2b$05$"},
    {"MkpasswdBcryptA", "$2a$05$dF92JN90JQbw1sY8yk.TnuOc06sOqohr1FiFsZWcedrU98/MXCWTS", Scheme::bcrypt,
     "$2a$05$"},
    {"MkpasswdMd5", "$1$F5B0oD1V$3CRhs12Sge4qg.q.UZwvf/", Scheme::md5, "$1$"},
    {"MkpasswdRounds", "$5$rounds=1000$bpX8jYKwSTAOruIt$wqY35Sf9q1pZwW3cUG2OlvBvy1h97AugY5sKqzMAas7",
     Scheme::sha256, "$5$rounds=1000$"},
    // openssl passwd
    {"OpensslApr1", "$apr1$GE.a7AWm$c23fITl2UleuKUp02EFZ10", Scheme::apr1, "$apr1$"},
    {"Plain", "{PLAIN}correct horse", Scheme::plain, "{PLAIN}"},
};

class HashesOfOthers : public testing::TestWithParam<Field> {};

TEST_P(HashesOfOthers, AreKnownByTheirForm) {
  EXPECT_EQ(scheme_of(GetParam().text), GetParam().scheme);
  EXPECT_EQ(kind_of(GetParam().text), GetParam().kind);
}

TEST_P(HashesOfOthers, FitTheirPasswordAndNoOther) {
  EXPECT_TRUE(fits("correct horse", GetParam().text));
  for (const char* wrong : {"", "c", "correct", "cOrrect horse", "Correct horse", "correct\thorse"})
    EXPECT_FALSE(fits(wrong, GetParam().text)) << wrong;
  const bool only_eight_count = GetParam().scheme == Scheme::des;
  for (const char* close : {"correct hors", "correct horses"})
    EXPECT_EQ(fits(close, GetParam().text), only_eight_count) << close;
  EXPECT_FALSE(fits(GetParam().text, GetParam().text)) << "the field itself is no password";
}

TEST_P(HashesOfOthers, AreNoneWhenTheyAreCutOrGoOn) {
  const std::string whole = GetParam().text;
  if (GetParam().scheme == Scheme::plain) return;  // Whatever is left is a password: UserFile sees to that.
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    EXPECT_EQ(scheme_of(cut), std::nullopt) << cut;
    EXPECT_FALSE(fits("correct horse", cut)) << cut;
  }
  for (const char more : {'a', '$', '=', ' '}) EXPECT_EQ(scheme_of(whole + more), std::nullopt) << more;
}

TEST_P(HashesOfOthers, FitNoMoreOnceALetterOfTheHashIsAnother) {
  const std::string whole = GetParam().text;
  for (const std::size_t from_end : {2U, 9U}) {
    std::string other = whole;
    char& letter = other[other.size() - from_end];
    letter = letter == 'a' ? 'b' : 'a';
    EXPECT_FALSE(fits("correct horse", other)) << other;
  }
}

INSTANTIATE_TEST_SUITE_P(Schemes, HashesOfOthers, testing::ValuesIn(fields),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PasswordHash, KnowsNoOtherForms) {
  const std::string bcrypt = fields[0].text;
  const std::string sha = fields[2].text;
  for (const std::string& odd : {
           std::string(),
           std::string("correct horse!"),
           std::string("*"),
           std::string("!"),
           std::string("x"),
           "$2x$" + bcrypt.substr(4),     // the variant with a flaw
           "$2$" + bcrypt.substr(4),      // the one before
           "$2y$03$" + bcrypt.substr(7),  // less than bcrypt knows
           "$2y$32$" + bcrypt.substr(7),  // more
           "$2y$4$0" + bcrypt.substr(7),  // a digit alone
           bcrypt.substr(0, 59) + "!",    // no letter of bcrypt's
           bcrypt.substr(0, 30) + "\n" + bcrypt.substr(31),
           "{sha}" + sha.substr(5),
           "{SSHA}" + sha.substr(5),
           std::string("{PLAIN}"),
           std::string("$5$rounds=999$abc$") + std::string(43, 'a'),
           std::string("$5$rounds=0999$abc$") + std::string(43, 'a'),
           std::string("$5$rounds=1000000000$abc$") + std::string(43, 'a'),
           std::string("$5$rounds=12x4$abc$") + std::string(43, 'a'),
           std::string("$5$12345678901234567$") + std::string(43, 'a'),  // a salt of 17
           std::string("$apr1$123456789$") + std::string(22, 'a'),       // a salt of 9
           std::string("$7$CU..../....abc$") + std::string(43, 'a'),
           std::string("$gy$j9T$abc$") + std::string(43, 'a'),
       }) {
    EXPECT_EQ(scheme_of(odd), std::nullopt) << odd;
    EXPECT_FALSE(fits("correct horse", odd)) << odd;
  }
}

TEST(PasswordHash, LetsTheFirst72BytesCountForBcrypt) {
  // htpasswd -nbB -C 4 ann "$(printf 'a%.0s' $(seq 72))"
  const std::string field = "$2y$04$7lc12lc3J6S7Wi/q7ZC0xeqEXfzYeZnHIP5LWYCBJmpssgIZrzKnG";
  EXPECT_TRUE(fits(std::string(72, 'a'), field));
  EXPECT_TRUE(fits(std::string(73, 'a'), field)) << "as everybody's bcrypt has it";
  EXPECT_FALSE(fits(std::string(71, 'a'), field));
}

TEST(PasswordHash, LetsTheFirst8BytesCountForDes) {
  EXPECT_TRUE(fits("correct ox", "K37Ny/kNGCCsY"));
  EXPECT_FALSE(fits("correcT ox", "K37Ny/kNGCCsY"));
}

TEST(PasswordHash, TakesPasswordsInAnyEncoding) {
  // htpasswd -nbs ann $'gr\xc3\xbc\xc3\x9fe'
  EXPECT_TRUE(
      fits("gr\xc3\xbc\xc3\x9f"
           "e",
           "{SHA}zVbLCsRWkHMa/td/9mZV39+Fdto="));
  EXPECT_FALSE(
      fits("gr\xfc\xdf"
           "e",
           "{SHA}zVbLCsRWkHMa/td/9mZV39+Fdto="))
      << "the same letters in another encoding";
}

TEST(Secret, RefusesWhatIsTooLongForLibcryptAndKeepsNothing) {
  Secret secret;
  EXPECT_TRUE(secret.set(std::string(Secret::most, 'x')));
  EXPECT_EQ(secret.view().size(), Secret::most);
  EXPECT_EQ(std::strlen(secret.c_str()), Secret::most);
  Secret other;
  EXPECT_FALSE(other.set(std::string(Secret::most + 1, 'x')));
  EXPECT_EQ(other.view(), "");
}

TEST(Secret, IsWipedWhenItGoes) {
  alignas(Secret) unsigned char place[sizeof(Secret)];
  auto* const secret = new (place) Secret;
  secret->set("correct horse");
  ASSERT_NE(::memmem(place, sizeof place, "correct horse", 13), nullptr);
  secret->~Secret();
  // The compiler may not think that nobody looks at it any more.
  const volatile unsigned char* const looked_at = place;
  std::string left;
  for (std::size_t at = 0; at < sizeof place; ++at) left += static_cast<char>(looked_at[at]);
  EXPECT_EQ(left.find("correct horse"), std::string::npos);
}

}  // namespace
}  // namespace htpasswd
