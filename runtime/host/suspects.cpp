#include "runtime/host/suspects.hpp"

#include <algorithm>
#include <chrono>

namespace trivet::host {
namespace {

constexpr std::size_t enough = 5;
constexpr auto soon = std::chrono::seconds(3);
constexpr auto probation = std::chrono::seconds(10);
constexpr auto shortest = std::chrono::seconds(1);
constexpr auto longest = std::chrono::seconds(10);

}  // namespace

bool Suspects::ended(const std::string& plugin, base::TimePoint now) {
  Suspect& suspect = suspects_[plugin];
  if (suspect.is_suspended) return false;  // It had begun before.
  suspect.ends.push_back(now);
  if (suspect.ends.size() > enough) suspect.ends.erase(suspect.ends.begin());
  const bool again = suspect.time != base::Duration() && now - suspect.until < probation;
  if (!again && (suspect.ends.size() < enough || now - suspect.ends.front() >= soon)) return false;
  suspect.time = again ? std::min<base::Duration>(suspect.time * 2, longest) : shortest;
  suspect.until = now + suspect.time;
  suspect.is_suspended = true;
  return true;
}

bool Suspects::release(base::TimePoint now) {
  bool some = false;
  for (auto& [name, suspect] : suspects_) {
    if (!suspect.is_suspended || now < suspect.until) continue;
    suspect.is_suspended = false;
    suspect.until = now;
    some = true;
  }
  return some;
}

bool Suspects::any() const noexcept {
  return std::any_of(suspects_.begin(), suspects_.end(),
                     [](const auto& each) { return each.second.is_suspended; });
}

std::optional<base::TimePoint> Suspects::next_release() const noexcept {
  std::optional<base::TimePoint> next;
  for (const auto& [name, suspect] : suspects_) {
    if (suspect.is_suspended && (!next || suspect.until < *next)) next = suspect.until;
  }
  return next;
}

std::string Suspects::names() const {
  std::string lines;
  for (const auto& [name, suspect] : suspects_) {
    if (suspect.is_suspended) lines += name + "\n";
  }
  return lines;
}

base::Duration Suspects::time_of(const std::string& plugin) const {
  const auto found = suspects_.find(plugin);
  return found != suspects_.end() && found->second.is_suspended ? found->second.time : base::Duration();
}

}  // namespace trivet::host
