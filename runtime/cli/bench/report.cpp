#include "runtime/cli/bench/report.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>  // Its sources are compiled in the plugin floor.
#include <charconv>
#include <string_view>
#include <utility>

#include "runtime/cli/trace.hpp"
#include "runtime/config/units.hpp"

namespace trivet::cli::bench {
namespace {

struct Percentile {
  const char* name;
  const char* key;
  double share;
};

constexpr Percentile percentiles[] = {
    {"p50", "p50", 0.5}, {"p90", "p90", 0.9}, {"p99", "p99", 0.99}, {"p99.9", "p999", 0.999}};

std::string fixed(double number, int digits) {
  std::array<char, 64> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

/// With the unit in which it has a digit or more before the point.
std::string time_text(double nanoseconds) {
  if (nanoseconds < 1e6) return fixed(nanoseconds / 1e3, 1) + " us";
  if (nanoseconds < 1e9) return fixed(nanoseconds / 1e6, 2) + " ms";
  return fixed(nanoseconds / 1e9, 2) + " s";
}

std::string size_text(double bytes) {
  if (bytes < 1024) return fixed(bytes, 0) + " B";
  if (bytes < 1048576) return fixed(bytes / 1024, 1) + " KiB";
  if (bytes < 1073741824) return fixed(bytes / 1048576, 1) + " MiB";
  return fixed(bytes / 1073741824, 2) + " GiB";
}

std::string padded(std::string text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string counted(std::uint64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

double seconds(std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

double per_second(double count, const LoadResult& result) {
  return result.period.count() > 0 ? count / seconds(result.period) : 0;
}

std::string_view role_name(protocol::Role role) {
  switch (role) {
    case protocol::Role::responder:
      return "responder";
    case protocol::Role::authorizer:
      return "authorizer";
    case protocol::Role::filter:
      return "filter";
  }
  return {};
}

std::string what_was_done(const BenchCommand& command) {
  std::string text = command.address + " " + command.uri + ", " + std::string(role_name(command.role)) + ": ";
  text += counted(command.connections, "connection");
  if (command.new_connections) text += " at a time, one for each request";
  if (command.at_a_time > 1) text += ", " + std::to_string(command.at_a_time) + " requests at a time on each";
  if (command.per_second) text += ", " + std::to_string(*command.per_second) + " requests/s wanted";
  return text + "\n";
}

std::string failures_text(const Tally& tally) {
  std::string text;
  for (std::size_t kind = 0; kind < failure_names.size(); ++kind) {
    if (tally.failures[kind] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(failure_names[kind]) + " " +
            std::to_string(tally.failures[kind]);
  }
  return text;
}

std::string transferred(const char* name, std::uint64_t bytes, const LoadResult& result) {
  const auto all = static_cast<double>(bytes);
  return std::string(name) + size_text(all) + ", " + size_text(per_second(all, result)) + "/s\n";
}

std::string latency_table(const BenchCommand& command, const Tally& tally) {
  if (tally.latency.count() == 0) return {};
  std::string text = command.per_second ? "\nlatency from the intended start\n" : "\nlatency\n";
  const auto line = [&](const char* name, double nanoseconds) {
    text += padded(name, 9) + padded(time_text(nanoseconds), 13) + "\n";
  };
  line("min", static_cast<double>(tally.latency.smallest()));
  line("mean", tally.latency.mean());
  for (const Percentile& each : percentiles)
    line(each.name, static_cast<double>(tally.latency.at(each.share)));
  line("max", static_cast<double>(tally.latency.largest()));
  return text;
}

}  // namespace

std::string text_report(const BenchCommand& command, const LoadResult& result, const Tally& tally,
                        const Expected& expected) {
  std::string text = what_was_done(command) + "\n";
  text +=
      "requests     " + std::to_string(tally.good) + " good, " + std::to_string(tally.failed()) + " failed";
  text += " in " + fixed(seconds(result.period), 2) + " s";
  if (result.interrupted) text += ", interrupted with " + std::to_string(result.left) + " open";
  text += "\n";
  if (tally.failed() != 0) {
    text += "failures     " + failures_text(tally) + "\n";
    text += "the first    " + tally.first_problem + "\n";
  }
  text += "rate         " + fixed(per_second(static_cast<double>(result.good_in_period), result), 1) +
          " requests/s\n";
  text += transferred("received     ", tally.received, result);
  text += transferred("sent         ", tally.sent, result);
  text += "connections  " + std::to_string(tally.connections) + " opened";
  if (tally.repeated != 0) text += ", " + counted(tally.repeated, "request") + " sent again on a new one";
  text += "\n";
  if (expected.body) text += "body         " + counted(expected.body->size, "byte") + "\n";
  if (tally.error_output != 0) {
    text += "stderr       " + counted(tally.error_output, "byte") + ", beginning with \"" +
            escaped(tally.first_error_output) + "\"\n";
  }
  return text + latency_table(command, tally);
}

std::string json_report(const BenchCommand& command, const LoadResult& result, const Tally& tally,
                        const Expected& expected) {
  namespace json = boost::json;
  json::object failures;
  for (std::size_t kind = 0; kind < failure_names.size(); ++kind) {
    if (tally.failures[kind] != 0) failures[failure_names[kind]] = tally.failures[kind];
  }
  json::object latency;
  latency["min"] = tally.latency.smallest();
  latency["mean"] = static_cast<std::uint64_t>(tally.latency.mean());
  for (const Percentile& each : percentiles) latency[each.key] = tally.latency.at(each.share);
  latency["max"] = tally.latency.largest();
  json::object all;
  all["address"] = command.address;
  all["uri"] = command.uri;
  all["role"] = role_name(command.role);
  all["connections"] = command.connections;
  all["mux"] = command.at_a_time;
  all["new_connections"] = command.new_connections;
  if (command.per_second) all["rate_wanted"] = *command.per_second;
  all["seconds"] = seconds(result.period);
  all["good"] = tally.good;
  all["failed"] = tally.failed();
  all["failures"] = std::move(failures);
  if (tally.failed() != 0) all["first_problem"] = escaped(tally.first_problem);
  all["interrupted"] = result.interrupted;
  all["left"] = result.left;
  all["requests_per_second"] = per_second(static_cast<double>(result.good_in_period), result);
  all["bytes_received"] = tally.received;
  all["bytes_sent"] = tally.sent;
  all["stderr_bytes"] = tally.error_output;
  all["connections_opened"] = tally.connections;
  all["sent_again"] = tally.repeated;
  if (expected.body) all["body_bytes"] = expected.body->size;
  all["latency_ns"] = std::move(latency);
  return json::serialize(all) + "\n";
}

std::string progress_line(std::chrono::nanoseconds passed, std::uint64_t good, const Tally& tally) {
  return fixed(seconds(passed), 0) + " s: " + std::to_string(good) + " requests/s, " +
         std::to_string(tally.failed()) + " failed, p99 " +
         time_text(static_cast<double>(tally.latency.at(0.99)));
}

}  // namespace trivet::cli::bench
