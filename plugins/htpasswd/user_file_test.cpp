#include "user_file.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace htpasswd {
namespace {

// SHA-1 and MD5 of "open" and "sesame"; they cost the tests nothing.
const std::string open_sha = "{SHA}X8fji//gDKRq3YkUVGSi6vdZ1cI=";
const std::string sesame_sha = "{SHA}CEo1Ae3vaEXy8eQZjsOiuBz1xrw=";
const std::string open_apr1 = "$apr1$GE.a7AWm$4WUuunzYocYEydgJAGJbN1";

UserFile read(const std::string& text, std::vector<std::string>* told = nullptr,
              const std::set<Scheme>& weak = {}) {
  trivet::Remarks remarks("/f");
  UserFile file = UserFile::read(text, weak, remarks);
  if (told != nullptr) *told = remarks.lines();
  return file;
}

bool accepts(const UserFile& file, std::string_view name, std::string_view password) {
  Secret secret;
  secret.set(password);
  return file.accepts(name, secret);
}

using Lines = std::vector<std::string>;

TEST(UserFile, AcceptsEachUserWithHisOwnPassword) {
  Lines told;
  const UserFile file = read("ann:" + open_sha + "\nbob:" + sesame_sha + "\n", &told);
  EXPECT_EQ(told, Lines{});
  EXPECT_TRUE(accepts(file, "ann", "open"));
  EXPECT_TRUE(accepts(file, "bob", "sesame"));
  for (const auto& [name, password] : {std::pair("ann", "sesame"),
                                       {"bob", "open"},
                                       {"eve", "open"},
                                       {"", "open"},
                                       {"ann", ""},
                                       {"Ann", "open"},
                                       {"ann ", "open"},
                                       {"an", "open"}})
    EXPECT_FALSE(accepts(file, name, password)) << name << " " << password;
}

TEST(UserFile, AcceptsNobodyWhoIsNotInIt) {
  for (const char* text : {"", "\n", "# nobody\n"}) {
    const UserFile file = read(text);
    EXPECT_EQ(file.size(), 0U);
    EXPECT_FALSE(accepts(file, "ann", "open"));
  }
  // A name that is not there takes the password of another one: it must not get in by it.
  const UserFile file = read("ann:" + open_sha + "\n");
  for (int number = 0; number < 1000; ++number)
    EXPECT_FALSE(accepts(file, "name" + std::to_string(number), "open"));
}

TEST(UserFile, SkipsCommentsEmptyLinesBlanksAndWhatFollowsAColon) {
  Lines told;
  const UserFile file = read("# ann:" + open_sha + "\n\n  \t\n  bob:" + sesame_sha +
                                 ":Bob B.:/home/bob  \r\nann:" + open_sha + "\r\n",
                             &told);
  EXPECT_EQ(told, Lines{});
  EXPECT_EQ(file.size(), 2U);
  EXPECT_TRUE(accepts(file, "bob", "sesame"));
  EXPECT_TRUE(accepts(file, "ann", "open"));
}

TEST(UserFile, TellsEachWrongLineByItsNumberAndQuotesNone) {
  Lines told;
  const UserFile file =
      read("ann\n:" + open_sha + "\nbob:\ncid:secret\ndan:" + open_sha.substr(0, 20) + "\n" +
               std::string(256, 'x') + ":" + open_sha + "\nann:" + open_sha + "\nann:" + sesame_sha +
               "\ne\x01:" + open_sha +
               "\nfay:K37Ny/kNGCCsY\ngil:$1$F5B0oD1V$3CRhs12Sge4qg.q.UZwvf/\nhal:{PLAIN}open\n",
           &told);
  EXPECT_EQ(told, (Lines{"/f:1: has no colon: a line is name:hash", "/f:2: has no name",
                         "/f:3: is no hash of a known scheme, or not a whole one",
                         "/f:4: is no hash of a known scheme, or not a whole one",
                         "/f:5: is no hash of a known scheme, or not a whole one",
                         "/f:6: has a name of more than 255 bytes",
                         "/f:8: has a name that was there before; the first line counts",
                         "/f:9: has control characters in its name",
                         "/f:10: is of a scheme that protects nobody; weak = [\"des\"] would allow it",
                         "/f:11: is of a scheme that protects nobody; weak = [\"md5\"] would allow it",
                         "/f: 1 more lines are wrong"}));
  EXPECT_EQ(file.size(), 1U);
  EXPECT_TRUE(accepts(file, "ann", "open"));
  EXPECT_FALSE(accepts(file, "ann", "sesame"));
  EXPECT_FALSE(accepts(file, "cid", "secret"));
  EXPECT_FALSE(accepts(file, "fay", "correct horse"));
  EXPECT_FALSE(accepts(file, "hal", "open"));
}

TEST(UserFile, TakesWeakSchemesWhereItIsTold) {
  const std::string text =
      "fay:K37Ny/kNGCCsY\ngil:$1$F5B0oD1V$3CRhs12Sge4qg.q.UZwvf/\nhal:{PLAIN}correct horse\n";
  Lines told;
  const UserFile file = read(text, &told, {Scheme::des, Scheme::md5, Scheme::plain});
  EXPECT_EQ(told, Lines{});
  for (const char* name : {"fay", "gil", "hal"}) EXPECT_TRUE(accepts(file, name, "correct horse")) << name;
  EXPECT_EQ(read(text, nullptr, {Scheme::md5}).size(), 1U) << "one does not open the door to the others";
}

TEST(UserFile, NeverTakesAPartOfAPlainPassword) {
  Lines told;
  const UserFile file = read("ann:{PLAIN}open:sesame\nbob:{PLAIN}open", &told, {Scheme::plain});
  EXPECT_EQ(told, (Lines{"/f:1: has a colon in its password",
                         "/f:2: has no end: a password may be cut off there"}));
  EXPECT_EQ(file.size(), 0U);
}

TEST(UserFile, GrantsNothingWrongWhereverItIsCut) {
  const std::string whole = "ann:" + open_apr1 + "\nbob:" + sesame_sha + "\ncid:" + open_sha + "\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const UserFile file = read(whole.substr(0, size));
    for (const auto& [name, password] : {std::pair("ann", "sesame"),
                                         {"bob", "open"},
                                         {"cid", "sesame"},
                                         {"an", "open"},
                                         {"bo", "sesame"},
                                         {"", ""}})
      EXPECT_FALSE(accepts(file, name, password)) << size << " " << name;
  }
}

TEST(UserFile, TakesAMillionBytesOfAnything) {
  std::string text;
  unsigned seed = 7;
  for (int at = 0; at < 1'000'000; ++at) text += static_cast<char>((seed = seed * 1103515245 + 12345) >> 16U);
  Lines told;
  EXPECT_EQ(read(text, &told).size(), 0U);
  EXPECT_EQ(told.size(), trivet::Remarks::most_told + 1);
}

/// 30 users with one kind of hash and 10 with another, in turns.
std::string mixed(const std::string& more = "") {
  std::string text = "first:" + open_sha + "\n" + more;
  for (int user = 1; user < 40; ++user)
    text += "user" + std::to_string(user) + ":" + (user % 4 == 3 ? open_apr1 : open_sha) + "\n";
  return text;
}

TEST(UserFile, LetsNamesThatItHasNotTakeTheTimesOfThoseThatItHas) {
  const UserFile file = read(mixed());
  int slow = 0;
  for (int number = 0; number < 4000; ++number)
    slow += kind_of(file.stand_in("name" + std::to_string(number))) == "$apr1$" ? 1 : 0;
  EXPECT_NEAR(slow, 1000, 100);
}

TEST(UserFile, LetsEachNameTakeTheSameTimeAlways) {
  const UserFile file = read(mixed());
  const UserFile again = read(mixed());
  const UserFile grown = read(mixed("new:" + open_sha + "\n"));
  int others = 0;
  for (int number = 0; number < 4000; ++number) {
    const std::string name = "name" + std::to_string(number);
    EXPECT_EQ(file.stand_in(name), again.stand_in(name));
    others += kind_of(file.stand_in(name)) == kind_of(grown.stand_in(name)) ? 0 : 1;
  }
  EXPECT_LT(others, 100) << "a user more should not show which names are unknown";
}

TEST(GroupFile, KnowsWhoIsInWhichGroup) {
  trivet::Remarks remarks("/g");
  const GroupFile file = GroupFile::read(
      "# groups\nstaff: ann bob\n\nstaff:\tcid  \r\nempty:\nother:ann\n: ann\nnothing\ncut: ann bo", remarks);
  EXPECT_EQ(remarks.lines(), (Lines{"/g:7: has no group: a line is group: name name",
                                    "/g:8: has no group: a line is group: name name",
                                    "/g:9: has no end: a name may be cut off there"}));
  for (const char* name : {"ann", "bob", "cid"}) EXPECT_TRUE(file.has("staff", name)) << name;
  EXPECT_TRUE(file.has("other", "ann"));
  for (const char* name : {"", "an", "ann bob", "dan", "bo"}) EXPECT_FALSE(file.has("staff", name)) << name;
  EXPECT_FALSE(file.has("empty", ""));
  EXPECT_FALSE(file.has("cut", "bo"));
  EXPECT_FALSE(file.has("", "ann"));
  EXPECT_FALSE(file.has("nobody", "ann"));
}

}  // namespace
}  // namespace htpasswd
