#include <sched.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "runtime/process/zone.hpp"
#include "runtime/process/zone_parts.hpp"

// The table of a zone: see the class for how it is changed.
namespace trivet::process {
namespace {

/// In the word of a set: which records are live, then how often that changed.
constexpr unsigned live_bits = ZoneLayout::records;
constexpr std::uint64_t live_mask = (1U << live_bits) - 1;
constexpr unsigned none = ZoneLayout::records;
/// What a record begins with; the key and the value follow, each in whole words.
enum RecordWord : std::size_t { version_word, expires_word, used_word, sizes_word, key_word };
static_assert(key_word == ZoneLayout::record_head_words);

std::uint64_t word_of(std::string_view text, std::size_t at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, std::min<std::size_t>(8, text.size() - at));
  return word;
}

Zone::Time later(Zone::Time now, Zone::Time lifetime) noexcept {
  if (lifetime == 0) return 0;
  return lifetime > UINT64_MAX - now ? UINT64_MAX : now + lifetime;
}

bool is_over(Zone::Time expires, Zone::Time now) noexcept { return expires != 0 && expires <= now; }

std::int64_t sum_of(std::int64_t a, std::int64_t b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

/// The entry of a key.
struct Zone::Found {
  unsigned index = none;  ///< Of its record, also where its time is over.
  bool is_there = false;
  std::uint64_t version = 0;
  Time expires = 0;
  std::size_t size = 0;
  const Word* value = nullptr;
};

struct Zone::Write {
  std::uint64_t hash;
  std::string_view key;
  std::string_view value;
  Time expires;
  Time used;
};

/// A record that nobody else writes to, and that is not live unless this made it so.
class Zone::Claim {
 public:
  Claim(const Zone& zone, Set& set) noexcept : zone_(zone), set_(set) {}
  ~Claim() { drop(); }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  /// False when others hold all that are not live.
  bool take(std::uint64_t word) noexcept {
    if (index_ != none) return true;
    // Those of dead processes only where there is no other: to ask costs a system call.
    return take(word, false) || take(word, true);
  }
  [[nodiscard]] unsigned index() const noexcept { return index_; }

 private:
  bool take(std::uint64_t word, bool also_of_the_dead) noexcept {
    // What became free last comes last: whoever still reads it gets to the end.
    const auto first = static_cast<unsigned>(word >> live_bits);
    for (unsigned step = 0; step < ZoneLayout::records; ++step) {
      const unsigned index = (first + step) % ZoneLayout::records;
      if ((word >> index & 1U) != 0) continue;
      Word& claim = set_.claims[index];
      std::uint64_t owner = claim.load(std::memory_order_acquire);
      if (owner != 0 && (!also_of_the_dead || zone_.is_alive(owner))) continue;
      if (!claim.compare_exchange_strong(owner, zone_.session_, std::memory_order_acq_rel)) continue;
      index_ = index;
      // It may have become live between the two looks, and be unclaimed again.
      if ((set_.word.load(std::memory_order_acquire) >> index & 1U) == 0) return true;
      drop();
    }
    return false;
  }
  void drop() noexcept {
    if (index_ != none) set_.claims[index_].store(0, std::memory_order_release);
    index_ = none;
  }

  const Zone& zone_;
  Set& set_;
  unsigned index_ = none;
};

// --- finding ---

Zone::Set& Zone::set_of(std::uint64_t hash) const noexcept {
  // The upper half chooses the set: nothing is divided, and any number of sets will do.
  const std::uint64_t number = (hash >> 32U) * layout_.sets() >> 32U;
  return *reinterpret_cast<Set*>(mapped_ + layout_.first_set() + number * layout_.set_size());  // NOLINT
}

Zone::Word* Zone::record(Set& set, unsigned index) const noexcept {
  auto* const first = reinterpret_cast<Word*>(reinterpret_cast<std::byte*>(&set) + sizeof(Set));  // NOLINT
  return first + index * layout_.record_words();
}

bool Zone::has_key(const Word* record, std::string_view key) const noexcept {
  for (std::size_t at = 0; at < key.size(); at += 8) {
    if (record[key_word + at / 8].load(std::memory_order_acquire) != word_of(key, at)) return false;
  }
  return true;
}

Zone::Found Zone::find(Set& set, std::uint64_t live, std::uint64_t hash, std::string_view key,
                       Time now) const noexcept {
  Found found;
  for (unsigned index = 0; index < ZoneLayout::records; ++index) {
    if ((live >> index & 1U) == 0 || set.hashes[index].load(std::memory_order_acquire) != hash) continue;
    const Word* const words = record(set, index);
    const std::uint64_t sizes = words[sizes_word].load(std::memory_order_acquire);
    if ((sizes & 0xffffU) != key.size() || !has_key(words, key)) continue;
    found.index = index;
    found.version = words[version_word].load(std::memory_order_acquire);
    found.expires = words[expires_word].load(std::memory_order_acquire);
    found.size = std::min<std::size_t>(sizes >> 16U, layout_.value_bytes);
    found.value = words + key_word + ZoneLayout::words(layout_.key_bytes);
    found.is_there = !is_over(found.expires, now);
    return found;
  }
  return found;
}

void Zone::copy_value(const Word* value, std::span<char> into) noexcept {
  for (std::size_t at = 0; at < into.size(); at += 8) {
    const std::uint64_t word = value[at / 8].load(std::memory_order_acquire);
    std::memcpy(into.data() + at, &word, std::min<std::size_t>(8, into.size() - at));
  }
}

Zone::Outcome Zone::get(std::string_view key, Time now, std::span<char> into, Entry& entry) noexcept {
  if (key.size() > layout_.key_bytes) return Outcome::refused;
  const std::uint64_t hashed = hash(key);
  Set& set = set_of(hashed);
  for (unsigned tries = 0; tries < most_zone_tries; ++tries) {
    const std::uint64_t word = set.word.load(std::memory_order_acquire);
    const Found found = find(set, word & live_mask, hashed, key, now);
    if (found.is_there) {
      entry = {found.size, found.version, found.expires};
      copy_value(found.value, into.first(std::min(into.size(), found.size)));
    }
    // What was live is written to only after the word has changed.
    if (set.word.load(std::memory_order_acquire) != word) continue;
    if (!found.is_there) return Outcome::absent;
    record(set, found.index)[used_word].store(now, std::memory_order_relaxed);
    return Outcome::done;
  }
  return Outcome::busy;
}

// --- changing ---

/// Of the live records the one to be given up: one whose time is over, or the one used least lately.
unsigned Zone::victim(Set& set, std::uint64_t live, Time now, WhenFull when_full) const noexcept {
  unsigned oldest = none;
  Time least = UINT64_MAX;
  for (unsigned index = 0; index < ZoneLayout::records; ++index) {
    if ((live >> index & 1U) == 0) continue;
    const Word* const words = record(set, index);
    if (is_over(words[expires_word].load(std::memory_order_acquire), now)) return index;
    const Time used = words[used_word].load(std::memory_order_relaxed);
    if (used > least) continue;
    least = used;
    oldest = index;
  }
  return when_full == WhenFull::evict ? oldest : none;
}

void Zone::write_record(Set& set, unsigned index, const Write& write, std::uint64_t version) const noexcept {
  set.hashes[index].store(write.hash, std::memory_order_release);
  Word* const words = record(set, index);
  words[version_word].store(version, std::memory_order_release);
  words[expires_word].store(write.expires, std::memory_order_release);
  words[used_word].store(write.used, std::memory_order_release);
  words[sizes_word].store(write.key.size() | write.value.size() << 16U, std::memory_order_release);
  for (std::size_t at = 0; at < write.key.size(); at += 8)
    words[key_word + at / 8].store(word_of(write.key, at), std::memory_order_release);
  Word* const value = words + key_word + ZoneLayout::words(layout_.key_bytes);
  for (std::size_t at = 0; at < write.value.size(); at += 8)
    value[at / 8].store(word_of(write.value, at), std::memory_order_release);
}

template <class Decide>
Zone::Outcome Zone::change(Write& write, WhenFull when_full, const Decide& decide) noexcept {
  write.hash = hash(write.key);
  Set& set = set_of(write.hash);
  Claim claim(*this, set);
  for (unsigned tries = 0; tries < most_zone_tries; ++tries) {
    std::uint64_t word = set.word.load(std::memory_order_acquire);
    const std::uint64_t live = word & live_mask;
    const Found found = find(set, live, write.hash, write.key, write.used);
    Outcome outcome = decide(found);
    unsigned goes = found.index;
    if (outcome == Outcome::done && goes == none &&
        std::popcount(live) >= static_cast<int>(ZoneLayout::most_live)) {
      goes = victim(set, live, write.used, when_full);
      if (goes == none) outcome = Outcome::full;
    }
    if (outcome != Outcome::done) {
      if (set.word.load(std::memory_order_acquire) == word) return outcome;
      continue;
    }
    if (!claim.take(word)) {
      ::sched_yield();  // To those who are about to be done with theirs.
      continue;
    }
    const std::uint64_t version = (word >> live_bits) + 1;
    write_record(set, claim.index(), write, version);
    std::uint64_t next = live | 1U << claim.index();
    if (goes != none) next &= ~(std::uint64_t{1} << goes);
    if (set.word.compare_exchange_strong(word, next | version << live_bits, std::memory_order_acq_rel))
      return Outcome::done;
  }
  return Outcome::busy;
}

Zone::Outcome Zone::put(std::string_view key, std::string_view value, Time now, Time lifetime,
                        std::uint64_t version, WhenFull when_full) noexcept {
  if (key.size() > layout_.key_bytes || value.size() > layout_.value_bytes) return Outcome::refused;
  Write write{0, key, value, later(now, lifetime), now};
  return change(write, when_full, [&](const Found& found) {
    const std::uint64_t current = found.is_there ? found.version : 0;
    return version == any_version || version == current ? Outcome::done : Outcome::changed;
  });
}

Zone::Outcome Zone::add(std::string_view key, std::int64_t delta, Time now, Time lifetime, WhenFull when_full,
                        std::int64_t& sum) noexcept {
  if (key.size() > layout_.key_bytes || layout_.value_bytes < sizeof sum) return Outcome::refused;
  std::array<char, sizeof sum> bytes{};
  Write write{0, key, {bytes.data(), bytes.size()}, 0, now};
  return change(write, when_full, [&](const Found& found) {
    sum = 0;
    if (found.is_there) {
      if (found.size != bytes.size()) return Outcome::refused;
      copy_value(found.value, bytes);
      std::memcpy(&sum, bytes.data(), sizeof sum);
    }
    sum = sum_of(sum, delta);
    std::memcpy(bytes.data(), &sum, sizeof sum);
    write.expires = found.is_there ? found.expires : later(now, lifetime);
    return Outcome::done;
  });
}

Zone::Outcome Zone::remove(std::string_view key, Time now, std::uint64_t version) noexcept {
  if (key.size() > layout_.key_bytes) return Outcome::refused;
  const std::uint64_t hashed = hash(key);
  Set& set = set_of(hashed);
  for (unsigned tries = 0; tries < most_zone_tries; ++tries) {
    std::uint64_t word = set.word.load(std::memory_order_acquire);
    const Found found = find(set, word & live_mask, hashed, key, now);
    if (!found.is_there || (version != any_version && version != found.version)) {
      if (set.word.load(std::memory_order_acquire) != word) continue;
      return found.is_there ? Outcome::changed : Outcome::absent;
    }
    const std::uint64_t next = word & live_mask & ~(std::uint64_t{1} << found.index);
    if (set.word.compare_exchange_strong(word, next | ((word >> live_bits) + 1) << live_bits,
                                         std::memory_order_acq_rel))
      return Outcome::done;
  }
  return Outcome::busy;
}

}  // namespace trivet::process
