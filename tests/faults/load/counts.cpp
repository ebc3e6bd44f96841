#include "tests/faults/load/counts.hpp"

namespace load {
namespace {

std::string milliseconds(Clock::duration time) {
  return std::to_string(std::chrono::duration<double, std::milli>(time).count());
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c < ' ' || c > '~' || c == '"' || c == '\\' ? '.' : c;
  return out + '"';
}

std::string object(const std::map<std::string, std::uint64_t>& from) {
  std::string out;
  for (const auto& [name, count] : from)
    out += (out.empty() ? "" : ", ") + quoted(name) + ": " + std::to_string(count);
  return "{" + out + "}";
}

}  // namespace

std::string render(const Counts& counts, std::size_t idle_open) {
  std::string out;
  const auto member = [&](std::string_view name, const std::string& value) {
    out += (out.empty() ? "" : ", ") + quoted(name) + ": " + value;
  };
  member("answered", std::to_string(counts.answered));
  member("wrong", std::to_string(counts.wrong));
  member("failed", std::to_string(counts.failed));
  member("closed", std::to_string(counts.closed));
  member("refused", std::to_string(counts.refused));
  member("slowest_gap_ms", milliseconds(counts.slowest_gap));
  member("slowest_answer_ms", milliseconds(counts.slowest_answer));
  member("editions", object(counts.editions));
  member("pids", object(counts.pids));
  member("idle_open", std::to_string(idle_open));
  member("first_wrong", quoted(counts.first_wrong));
  return "{" + out + "}";
}

}  // namespace load
