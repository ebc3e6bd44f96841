#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <memory>

#include "runtime/cli/bench/params.hpp"
#include "runtime/cli/bench/report.hpp"

namespace trivet::cli::bench {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

struct Case {
  BenchCommand command;
  LoadResult result;
  std::unique_ptr<Tally> tally = std::make_unique<Tally>();
  Expected expected;
};

Case some_case() {
  Case made;
  made.command.address = "unix:/a";
  made.command.uri = "/x\"\n";
  made.command.connections = 2;
  made.result.period = 2s;
  made.result.good_in_period = 100;
  made.tally->good = 101;
  for (int each = 0; each < 101; ++each) made.tally->latency.add(1'000'000);
  made.tally->received = 4096;
  made.tally->connections = 2;
  made.expected.body = Expected::Body{5, 1};
  return made;
}

TEST(BenchReport, OfAGoodLoadTellsRateAndPercentilesAndNoFailures) {
  const Case of = some_case();
  const std::string text = text_report(of.command, of.result, *of.tally, of.expected);
  EXPECT_THAT(text, HasSubstr("requests     101 good, 0 failed in 2.00 s\n"));
  EXPECT_THAT(text, HasSubstr("rate         50.0 requests/s\n"));
  EXPECT_THAT(text, HasSubstr("received     4.0 KiB, 2.0 KiB/s\n"));
  EXPECT_THAT(text, HasSubstr("body         5 bytes\n"));
  EXPECT_THAT(text, HasSubstr("\nlatency\n"));
  EXPECT_THAT(text, HasSubstr("    p99.9      1.00 ms\n"));
  EXPECT_THAT(text, Not(HasSubstr("failures")));
  EXPECT_THAT(text, Not(HasSubstr("stderr")));
}

TEST(BenchReport, TellsWhatFailedAndTheFirstOfIt) {
  Case of = some_case();
  of.tally->fail(Failure::status, [] { return std::string("status 500"); });
  of.tally->fail(Failure::unsent, [] { return std::string("later"); }, 7);
  of.tally->error_output = 3;
  of.tally->first_error_output = "\x1b[m";
  of.result.interrupted = true;
  of.result.left = 2;
  const std::string text = text_report(of.command, of.result, *of.tally, of.expected);
  EXPECT_THAT(text, HasSubstr("101 good, 8 failed in 2.00 s, interrupted with 2 open\n"));
  EXPECT_THAT(text, HasSubstr("failures     status 1, unsent 7\n"));
  EXPECT_THAT(text, HasSubstr("the first    status 500\n"));
  EXPECT_THAT(text, HasSubstr("stderr       3 bytes, beginning with \"\\x1b[m\"\n"))
      << "no terminal is steered";
}

TEST(BenchReport, AsJsonIsOneLineWithTheSameNumbers) {
  Case of = some_case();
  of.tally->fail(Failure::timeout, [] { return std::string("no answer"); });
  of.command.per_second = 50;
  const std::string text = json_report(of.command, of.result, *of.tally, of.expected);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const boost::json::object read = boost::json::parse(text).as_object();
  EXPECT_EQ(read.at("uri").as_string(), "/x\"\n");
  EXPECT_EQ(read.at("good").to_number<int>(), 101);
  EXPECT_EQ(read.at("failed").to_number<int>(), 1);
  EXPECT_EQ(read.at("failures").as_object().at("timeout").to_number<int>(), 1);
  EXPECT_EQ(read.at("requests_per_second").to_number<double>(), 50.0);
  EXPECT_EQ(read.at("rate_wanted").to_number<int>(), 50);
  EXPECT_EQ(read.at("latency_ns").as_object().at("p999").to_number<int>(), 1'000'000);
}

TEST(BenchReport, OfNothingAtAllDividesByNothing) {
  Case of = some_case();
  of.tally = std::make_unique<Tally>();
  of.result = {};
  of.expected = {};
  const std::string text = text_report(of.command, of.result, *of.tally, of.expected);
  EXPECT_THAT(text, HasSubstr("requests     0 good, 0 failed in 0.00 s\n"));
  EXPECT_THAT(text, HasSubstr("rate         0.0 requests/s\n"));
  EXPECT_THAT(text, Not(HasSubstr("p50")));
  EXPECT_NO_THROW(
      static_cast<void>(boost::json::parse(json_report(of.command, of.result, *of.tally, of.expected))));
}

TEST(BenchParams, AreThoseOfNginxWithThoseOfTheCommand) {
  BenchCommand command;
  command.uri = "/a%20b?x=1";
  command.body = 5;
  command.without = {"HTTPS"};
  command.params = {{"SCRIPT_FILENAME", "/srv/a.php"}, {"X", "y"}};
  const auto params = bench_params(command);
  const auto value = [&](const std::string& name) {
    std::string all;
    for (const auto& each : params) all += each.first == name ? "[" + each.second + "]" : "";
    return all;
  };
  EXPECT_EQ(value("SCRIPT_NAME"), "[/a b]");
  EXPECT_EQ(value("REQUEST_URI"), "[/a%20b?x=1]");
  EXPECT_EQ(value("QUERY_STRING"), "[x=1]");
  EXPECT_EQ(value("REQUEST_METHOD"), "[POST]");
  EXPECT_EQ(value("CONTENT_LENGTH"), "[5]");
  EXPECT_EQ(value("SCRIPT_FILENAME"), "[/srv/a.php]");
  EXPECT_EQ(value("X"), "[y]");
  EXPECT_EQ(value("HTTPS"), "");
  EXPECT_GE(params.size(), 25U);
}

TEST(BenchParams, OfAnAuthorizerAreWithoutThoseOfTheBody) {
  BenchCommand command;
  command.role = protocol::Role::authorizer;
  for (const auto& [name, value] : bench_params(command)) {
    EXPECT_FALSE(name.starts_with("CONTENT_") || name == "SCRIPT_NAME") << name;
  }
}

}  // namespace
}  // namespace trivet::cli::bench
