#include "runtime/cli/bench_arguments.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include "runtime/cli/usage.hpp"
#include "runtime/config/text.hpp"
#include "runtime/config/units.hpp"

namespace trivet::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto longest = 24h;
constexpr std::uint32_t most_connections = 100'000;
constexpr std::uint32_t most_at_a_time = 65'535;  ///< Ids are 16 bits, and 0 is none.
constexpr std::uint64_t most_open = 1'000'000;    ///< Requests at a time, over all connections.
constexpr std::uint64_t most_per_second = 10'000'000;
constexpr std::uint64_t most_requests = 1'000'000'000'000;
constexpr std::uint64_t largest = std::uint64_t{1} << 40U;  ///< Body and data: 1024 GiB.

/// `5000` or `5000/s`.
std::optional<std::uint64_t> parse_rate(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  std::uint64_t rate = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), rate);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  if (rate == 0 || rate > most_per_second) return std::nullopt;
  return rate;
}

constexpr const char* footer =
    "Sends the same request over and over and looks at each answer: its head, its Status, and that its body "
    "is the\n"
    "same as that of the first good one. The parameters are those that nginx sends for a browser's request; "
    "-p takes\n"
    "the place of one, adds one, or leaves one out, as for `trivet call`.\n"
    "\n"
    "Without --rate as many requests run as there are places for, and the next starts when one has ended. "
    "With\n"
    "--rate each has a time at which it starts, whatever became of those before, and latency counts from "
    "there.\n"
    "\n"
    "Where an application closes a kept connection, a request of which nothing was answered is sent again on "
    "a new\n"
    "one, as web servers do.\n"
    "\n"
    "Exit codes: 0 all requests were answered as expected; 1 some were not, or none was answered; 64 wrong "
    "command\n"
    "line; 69 nobody answers at ADDRESS.\n"
    "\n"
    "Examples:\n"
    "  trivet bench unix:/run/trivet/trivet.sock /hello -c 16 -d 5s\n"
    "  trivet bench 127.0.0.1:9000 /private --role authorizer --expect-status 401 --rate 2000/s\n"
    "  trivet bench unix:/run/php/php8.2-fpm.sock -p SCRIPT_FILENAME=/srv/index.php -n 10000 --any-body";

}  // namespace

void BenchArguments::add_to(CLI::App& app) {
  bench_ = app.add_subcommand("bench", "Put a load on any FastCGI application, and measure what it answers");
  bench_->add_option("ADDRESS", benching_.address, "unix:PATH or tcp:HOST:PORT")
      ->required()
      ->option_text(" ");
  bench_->add_option("URI", benching_.uri, "What is asked for, with its query; / if not given")
      ->option_text(" ");
  bench_->add_option("-c,--connections", benching_.connections, "Connections at a time; 1 if not given")
      ->check(CLI::Range(std::uint32_t{1}, most_connections))
      ->option_text("NUMBER");
  bench_->add_option("--mux", benching_.at_a_time, "Requests at a time on each connection; 1 if not given")
      ->check(CLI::Range(std::uint32_t{1}, most_at_a_time))
      ->option_text("NUMBER");
  bench_->add_flag("--new-conn", benching_.new_connections, "A connection of its own for each request");
  bench_->add_option("-d,--duration", duration_, "How long; 10s if neither this nor -n is given")
      ->option_text("TIME");
  bench_->add_option("-n,--requests", requests_, "How many requests; with -d what comes first ends it")
      ->check(CLI::Range(std::uint64_t{1}, most_requests))
      ->option_text("NUMBER");
  bench_->add_option("--rate", rate_, "So many requests in a second, such as 5000/s, answered or not")
      ->option_text("RATE");
  bench_->add_option("-X,--method", benching_.method, "The request method; GET, or POST when there is a body")
      ->option_text("METHOD");
  bench_->add_option("--body", body_, "A request body (FCGI_STDIN) of this size, such as 64KiB")
      ->option_text("SIZE");
  bench_->add_option("--data", data_, "Data to filter (FCGI_DATA) of this size; none if not given")
      ->option_text("SIZE");
  bench_
      ->add_option("--expect-status", status_,
                   "The Status of a good answer; below 400 if not given, of an authorizer 200")
      ->check(CLI::Range(100, 999))
      ->option_text("CODE");
  bench_->add_flag("--any-body", benching_.any_body, "Bodies may differ");
  bench_->add_option("--timeout", timeout_, "How long an answer may take; 10s if not given")
      ->option_text("TIME");
  bench_->add_flag("--json", benching_.json, "Report on one line, as JSON");
  bench_->footer(footer);
}

/// Gives what is wrong, as those after it do; empty: nothing.
std::string BenchArguments::read_amounts() {
  if (benching_.new_connections && benching_.at_a_time > 1)
    return "--mux needs connections that are kept, --new-conn keeps none";
  if (std::uint64_t{benching_.connections} * benching_.at_a_time > most_open)
    return "-c times --mux is at most " + std::to_string(most_open);
  if (bench_->count("--requests") != 0) benching_.requests = requests_;
  if (bench_->count("--expect-status") != 0) benching_.expect_status = status_;
  if (bench_->count("--rate") == 0) return {};
  benching_.per_second = parse_rate(rate_);
  return benching_.per_second ? ""
                              : "--rate takes 1/s to " + std::to_string(most_per_second) +
                                    "/s, such as 5000/s, not " + config::in_quotes(rate_);
}

std::string BenchArguments::read_sizes() {
  const auto wrong = [](const char* option, const std::string& text) {
    const auto meant = config::guess_size(text);
    return std::string(option) + " takes a size up to 1024GiB, such as 64KiB, not " +
           config::in_quotes(text) + (meant ? ": did you mean `" + *meant + "`?" : "");
  };
  if (bench_->count("--body") != 0) {
    benching_.body = config::parse_size(body_);
    if (!benching_.body || *benching_.body > largest) return wrong("--body", body_);
  }
  if (bench_->count("--data") == 0) return {};
  if (benching_.role != protocol::Role::filter)
    return "--data is for --role filter; a request body is --body";
  const auto data = config::parse_size(data_);
  if (!data || *data > largest) return wrong("--data", data_);
  benching_.data = *data;
  return {};
}

std::string BenchArguments::read_times() {
  const auto wrong = [](const char* option, const std::string& text) {
    return std::string(option) + " takes 1ms to 24h, such as 500ms or 30s, not " + config::in_quotes(text);
  };
  const auto timeout = config::parse_duration(timeout_);
  if (!timeout || *timeout <= 0ms || *timeout > longest) return wrong("--timeout", timeout_);
  benching_.timeout = *timeout;
  if (bench_->count("--duration") != 0) {
    benching_.duration = config::parse_duration(duration_);
    if (!benching_.duration || *benching_.duration <= 0ms || *benching_.duration > longest)
      return wrong("--duration", duration_);
  } else if (!benching_.requests) {
    benching_.duration = 10s;
  }
  return {};
}

Command BenchArguments::finish() {
  for (const auto read :
       {&BenchArguments::read_amounts, &BenchArguments::read_sizes, &BenchArguments::read_times}) {
    if (const std::string wrong = (this->*read)(); !wrong.empty()) return usage("bench: ", wrong);
  }
  return benching_;
}

}  // namespace trivet::cli
