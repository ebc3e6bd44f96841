#include "runtime/roles/verdict_cache.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "runtime/base/siphash.hpp"
#include "runtime/roles/packed_verdict.hpp"

namespace trivet::roles {
namespace {

using Decision = cgi::Verdict::Decision;

void append(std::string& to, std::uint64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  to.append(bytes, sizeof number);
}

}  // namespace

VerdictCache::VerdictCache(const config::VerdictCache& settings, const Seed& seed)
    : settings_(settings), seed_(seed) {
  allows_.most = settings.ttl.count() > 0 ? settings.entries : 0;
  denies_.most = settings.deny_ttl.count() > 0 ? settings.entries : 0;
}

VerdictCache::~VerdictCache() = default;

// --- keys ---

VerdictCache::Digest VerdictCache::digest(std::string_view text) const noexcept {
  return {base::siphash({seed_[0], seed_[1]}, text), base::siphash({seed_[2], seed_[3]}, text)};
}

void VerdictCache::append_info(const CallFacts& facts) {
  // Not its number and id: those are for telling requests apart, and no two have the same.
  append(block_, facts.phase);
  append(block_, facts.content_length);
  append(block_, facts.data_length);
  const Digest route = digest(facts.route);
  append(block_, route.low);
  append(block_, route.high);
}

/// Every part has the length that the shape says, so two requests have the same block only where each is the
/// same.
std::optional<VerdictCache::Digest> VerdictCache::key_of(const Shape& shape, const CallFacts& facts) {
  block_.clear();
  append(block_, shape.digest.low);
  append(block_, shape.digest.high);
  std::size_t read = 0;
  for (const std::string& name : shape.names) {
    const cgi::Param* found = facts.params->find(name);
    Digest value;
    if (found != nullptr) {
      read += found->value.size();
      if (read > most_read) return std::nullopt;
      value = digest(found->value);
    }
    block_ += found != nullptr ? '\1' : '\0';
    append(block_, value.low);
    append(block_, value.high);
  }
  if (shape.has_info) append_info(facts);
  return digest(block_);
}

VerdictCache::Shape& VerdictCache::shape_of(const GuardReads& reads) {
  Shape made;
  made.names.assign(reads.names().begin(), reads.names().end());
  made.names.insert(made.names.end(), settings_.key.begin(), settings_.key.end());
  std::sort(made.names.begin(), made.names.end());
  made.names.erase(std::unique(made.names.begin(), made.names.end()), made.names.end());
  made.has_info = reads.has_info();
  for (Shape& each : shapes_) {
    if (each.names == made.names && each.has_info == made.has_info) return each;
  }
  block_.assign(1, made.has_info ? '\1' : '\0');
  for (const std::string& name : made.names) {
    append(block_, name.size());
    block_ += name;
  }
  made.digest = digest(block_);
  if (shapes_.size() < most_shapes) return shapes_.emplace_back(std::move(made));
  // What is kept under the one that goes is not found any more, and ages.
  auto oldest = std::min_element(shapes_.begin(), shapes_.end(), [](const Shape& left, const Shape& right) {
    return left.used < right.used;
  });
  *oldest = std::move(made);
  return *oldest;
}

// --- entries ---

bool VerdictCache::find(const CallFacts& facts, Keys& keys, cgi::Verdict& verdict, std::string& reason) {
  keys = {};
  ++looks_;
  const base::TimePoint now = facts.loop->now();
  for (std::size_t at = 0; at < shapes_.size(); ++at) {
    keys.of[at] = key_of(shapes_[at], facts);
    if (!keys.of[at]) {
      keys.is_comparable = false;
      continue;
    }
    const auto found = entries_.find(*keys.of[at]);
    if (found == entries_.end()) continue;
    Entry& entry = found->second;
    if (entry.until <= now) {
      erase(entry);
      continue;
    }
    unlink(entry);
    link(entry);
    shapes_[at].used = looks_;
    unpack(entry.packed, verdict, reason);
    return true;
  }
  block_.clear();
  for (const auto& each : keys.of) {
    append(block_, each ? each->low : 0);
    append(block_, each ? each->high : 0);
  }
  keys.all = digest(block_);
  return false;
}

std::chrono::nanoseconds VerdictCache::lifetime_of(const cgi::Verdict& verdict, std::uint64_t wanted) const {
  const std::chrono::nanoseconds most =
      verdict.decision() == Decision::allow ? settings_.ttl : settings_.deny_ttl;
  return wanted < static_cast<std::uint64_t>(most.count()) ? std::chrono::nanoseconds(wanted) : most;
}

bool VerdictCache::remember(const GuardReads& reads, const CallFacts& facts, const cgi::Verdict& verdict,
                            std::string_view reason, std::uint64_t lifetime, base::TimePoint asked) {
  if (reads.is_everything() || verdict.decision() == Decision::none) return false;
  // A cookie is for one client.
  if (verdict.head().find("Set-Cookie")) return false;
  const auto time = lifetime_of(verdict, lifetime);
  Kept& kind = verdict.decision() == Decision::allow ? allows_ : denies_;
  if (time.count() <= 0 || kind.most == 0) return false;
  const base::TimePoint until = asked + std::chrono::duration_cast<base::Duration>(time);
  if (until <= facts.loop->now()) return false;
  const std::size_t most_bytes = std::max(average_verdict * kind.most, largest_verdict);
  auto packed = pack(verdict, reason, largest_verdict);
  if (!packed) return false;
  Shape& shape = shape_of(reads);
  shape.used = ++looks_;
  const auto key = key_of(shape, facts);
  if (!key) return false;

  if (const auto before = entries_.find(*key); before != entries_.end()) erase(before->second);
  while (kind.count >= kind.most || kind.bytes + packed->size() > most_bytes) erase(*kind.oldest);
  Entry& entry = entries_[*key];
  entry.key = *key;
  entry.until = until;
  entry.packed = std::move(*packed);
  entry.is_allow = verdict.decision() == Decision::allow;
  ++kind.count;
  kind.bytes += entry.packed.size();
  link(entry);
  return true;
}

void VerdictCache::link(Entry& entry) noexcept {
  Kept& kind = kind_of(entry);
  entry.newer = nullptr;
  entry.older = kind.newest;
  (kind.newest == nullptr ? kind.oldest : kind.newest->newer) = &entry;
  kind.newest = &entry;
}

void VerdictCache::unlink(Entry& entry) noexcept {
  Kept& kind = kind_of(entry);
  (entry.newer == nullptr ? kind.newest : entry.newer->older) = entry.older;
  (entry.older == nullptr ? kind.oldest : entry.older->newer) = entry.newer;
}

void VerdictCache::erase(Entry& entry) {
  unlink(entry);
  Kept& kind = kind_of(entry);
  --kind.count;
  kind.bytes -= entry.packed.size();
  const Digest key = entry.key;
  entries_.erase(key);
}

// --- calls that others wait for ---

void VerdictCache::push(Caller::Queue& queue, Caller& caller) noexcept {
  caller.waits_in_ = &queue;
  caller.previous_ = queue.last;
  caller.next_ = nullptr;
  (queue.last == nullptr ? queue.first : queue.last->next_) = &caller;
  queue.last = &caller;
}

void VerdictCache::leave(Caller& caller) noexcept {
  Caller::Queue* const queue = caller.waits_in_;
  if (queue == nullptr) return;
  (caller.previous_ == nullptr ? queue->first : caller.previous_->next_) = caller.next_;
  (caller.next_ == nullptr ? queue->last : caller.next_->previous_) = caller.previous_;
  caller.waits_in_ = nullptr;
}

bool VerdictCache::join(const Keys& keys, Caller& caller, bool is_bounded) {
  if (!keys.is_comparable) return false;
  // Nothing is known of what it reads: worth it for the first call, if that ends.
  if (shapes_.empty() && (was_asked_ || !is_bounded)) return false;
  const auto call = calls_.find(keys.all);
  if (call == calls_.end()) return false;
  push(call->second, caller);
  return true;
}

void VerdictCache::lead(const Keys& keys, Caller& caller) {
  if (keys.is_comparable && calls_.try_emplace(keys.all).second) caller.leads_ = keys.all;
}

void VerdictCache::end(Caller& caller, Fate fate, base::Loop& loop) {
  if (fate != Fate::cancelled) was_asked_ = true;
  if (!caller.leads_) return;
  const auto call = calls_.find(*caller.leads_);
  caller.leads_.reset();
  Caller::Queue& queue = call->second;
  while (queue.first != nullptr) {
    Caller& waiting = *queue.first;
    leave(waiting);
    // One that cannot be remembered would be waited for again and again, one after the other.
    waiting.may_join_ = fate != Fate::not_remembered;
    push(called_, waiting);
  }
  calls_.erase(call);
  if (called_.first == nullptr || is_posted_) return;
  is_posted_ = true;
  // Not now: what is told may end requests of the same connection.
  loop.post(*this);
}

void VerdictCache::run() {
  is_posted_ = false;
  while (called_.first != nullptr) {
    Caller& caller = *called_.first;
    leave(caller);
    caller.on_call_over(caller.may_join_);
  }
}

}  // namespace trivet::roles
