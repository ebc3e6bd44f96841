#include "runtime/cli/call_params.hpp"

#include <gtest/gtest.h>

#include <map>

namespace trivet::cli {
namespace {

using Params = std::map<std::string, std::string>;

Params params(const CallCommand& command, const CallLengths& lengths = {}) {
  Params map;
  for (const auto& [name, value] : call_params(command, lengths)) map.emplace(name, value);
  return map;
}

TEST(CallParams, AreThoseThatAWebServerSends) {
  CallCommand command;
  command.uri = "/a%20b/c?x=%20y";
  const Params sent = params(command);
  EXPECT_EQ(sent.at("REQUEST_METHOD"), "GET");
  EXPECT_EQ(sent.at("REQUEST_URI"), "/a%20b/c?x=%20y");
  EXPECT_EQ(sent.at("SCRIPT_NAME"), "/a b/c");
  EXPECT_EQ(sent.at("QUERY_STRING"), "x=%20y");
  EXPECT_EQ(sent.at("GATEWAY_INTERFACE"), "CGI/1.1");
  EXPECT_EQ(sent.count("CONTENT_LENGTH") + sent.count("CONTENT_TYPE") + sent.count("FCGI_DATA_LENGTH"), 0U);
}

TEST(CallParams, ABodyMakesAPostWithItsLengthWhereThatIsKnown) {
  CallLengths known;
  known.has_body = true;
  known.body = 5;
  EXPECT_EQ(params({}, known).at("REQUEST_METHOD"), "POST");
  EXPECT_EQ(params({}, known).at("CONTENT_LENGTH"), "5");
  CallLengths unknown;
  unknown.has_body = true;
  EXPECT_EQ(params({}, unknown).count("CONTENT_LENGTH"), 0U);
  EXPECT_EQ(params({}, unknown).at("REQUEST_METHOD"), "POST");
}

TEST(CallParams, AnAuthorizerIsSentWhatTheSpecificationLeavesIt) {
  CallCommand command;
  command.role = protocol::Role::authorizer;
  CallLengths lengths;
  lengths.has_body = true;
  lengths.body = 5;
  const Params sent = params(command, lengths);
  for (const char* name : {"CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "PATH_TRANSLATED", "SCRIPT_NAME"}) {
    EXPECT_EQ(sent.count(name), 0U) << name << " (FastCGI 1.0, 6.3)";
  }
}

TEST(CallParams, AFilterIsToldOfItsData) {
  CallCommand command;
  command.role = protocol::Role::filter;
  CallLengths lengths;
  lengths.data = 7;
  lengths.data_modified = 1700000000;
  const Params sent = params(command, lengths);
  EXPECT_EQ(sent.at("FCGI_DATA_LENGTH"), "7");
  EXPECT_EQ(sent.at("FCGI_DATA_LAST_MOD"), "1700000000");
}

TEST(CallParams, OnesOwnTakeThePlaceOfUsualOnesAndMayRepeat) {
  CallCommand command;
  command.params = {{"REQUEST_URI", "/other"}, {"HTTP_X", "1"}, {"HTTP_X", "2"}};
  command.without = {"HTTP_HOST"};
  std::size_t uris = 0;
  std::vector<std::string> repeated;
  for (const auto& [name, value] : call_params(command, {})) {
    uris += name == "REQUEST_URI" ? 1 : 0;
    if (name == "HTTP_X") repeated.push_back(value);
    EXPECT_NE(name, "HTTP_HOST");
  }
  EXPECT_EQ(uris, 1U);
  EXPECT_EQ(repeated, (std::vector<std::string>{"1", "2"}));
}

TEST(CallParams, APathThatCannotBeDecodedIsSentAsItIsAlone) {
  for (const char* uri : {"/%", "/%4", "/%zz", "/%00", "/a%2"}) {
    CallCommand command;
    command.uri = uri;
    EXPECT_EQ(params(command).count("SCRIPT_NAME"), 0U) << uri;
    EXPECT_EQ(params(command).at("REQUEST_URI"), uri);
  }
}

}  // namespace
}  // namespace trivet::cli
