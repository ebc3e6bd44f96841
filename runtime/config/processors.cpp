#include "runtime/config/processors.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>

namespace trivet::config {
namespace {

constexpr std::uint32_t most_processes = 1024;  ///< That `processes` may ask for.

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::uint32_t allowed_processors() noexcept {
  cpu_set_t set;
  // More than a cpu_set_t holds (1024) is more than anybody wants by default.
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return most_processes;
  return static_cast<std::uint32_t>(std::max(CPU_COUNT(&set), 1));
}

/// The least that the group and those above it allow.
std::uint32_t processors_of_groups() {
  std::uint32_t least = most_processes;
  const std::string told = content_of("/proc/self/cgroup");
  const auto group = control_group_of(told);
  if (!group) return least;
  std::string folder(*group);
  for (;;) {
    while (folder.ends_with('/')) folder.pop_back();
    const std::string path = "/sys/fs/cgroup" + folder + "/cpu.max";
    if (const auto allowed = processors_of_quota(content_of(path))) least = std::min(least, *allowed);
    if (folder.empty()) return least;
    folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
  }
}

std::optional<std::uint64_t> number_at(std::string_view& text) noexcept {
  std::uint64_t value = 0;
  const char* const begin = text.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with its end
  const auto read = std::from_chars(begin, begin + text.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - begin));
  return value;
}

}  // namespace

std::uint32_t usable_processors() {
  return std::min({allowed_processors(), processors_of_groups(), most_processes});
}

std::optional<std::uint32_t> processors_of_quota(std::string_view text) noexcept {
  const auto quota = number_at(text);
  if (!quota || !text.starts_with(' ')) return std::nullopt;
  text.remove_prefix(1);
  const auto period = number_at(text);
  if (!period || *period == 0) return std::nullopt;
  const std::uint64_t whole = *quota / *period + (*quota % *period == 0 ? 0 : 1);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(whole, 1, most_processes));
}

std::optional<std::string_view> control_group_of(std::string_view text) noexcept {
  constexpr std::string_view mark = "0::";
  std::size_t at = text.starts_with(mark) ? 0 : text.find("\n0::");
  if (at == std::string_view::npos) return std::nullopt;
  text.remove_prefix(at + mark.size() + (at == 0 ? 0 : 1));
  return text.substr(0, text.find('\n'));
}

}  // namespace trivet::config
