#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/plugin.hpp>
#include <vector>

/// Lets so many requests of a key pass in a time, counted in a shared zone: over all threads, workers and
/// reloads.
///
///     config = { zone = "limits", key = ["REMOTE_ADDR"], rate = "100/1m", burst = 20 }
///
/// It is the generic cell rate algorithm (GCRA), a leaky bucket of which only one time is kept: when the
/// bucket would be empty. Each request that passes moves it on by one interval.
struct RateLimit {
  static constexpr bool never_blocks = true;
  static constexpr bool shared_instance = true;  // Everything that changes is in the zone.

  struct Config {
    std::string zone;
    std::vector<std::string> key = {"REMOTE_ADDR"};
    std::string rate;
    std::optional<std::int64_t> burst;
    std::int64_t status = 429;
    std::string on_full = "deny";
    std::string prefix;
    bool dry_run = false;
    static constexpr auto settings =
        trivet::settings(trivet::setting("zone", &Config::zone).required().length(1, 200),
                         trivet::setting("key", &Config::key).length(1, 8),
                         trivet::setting("rate", &Config::rate).required().length(1, 40),
                         trivet::setting("burst", &Config::burst).between(1, 1'000'000'000),
                         trivet::setting("status", &Config::status).between(400, 599),
                         trivet::setting("on_full", &Config::on_full).one_of("deny", "allow", "evict"),
                         trivet::setting("prefix", &Config::prefix).length(0, 32),
                         trivet::setting("dry_run", &Config::dry_run));
  };

  using Nanoseconds = std::chrono::nanoseconds;

  RateLimit(const Config& config, const trivet::Settings& settings)
      : zone(settings, "zone"),
        key(config.key),
        prefix(config.prefix),
        status(static_cast<unsigned>(config.status)),
        allows_when_full(config.on_full == "allow"),
        when_full(config.on_full == "evict" ? trivet::WhenFull::evict : trivet::WhenFull::refuse),
        dry_run(config.dry_run) {
    const std::optional<Rate> rate = read_rate(config.rate);
    if (!rate) {
      settings.fail(
          "rate", "has to be a number of requests and a time, at most 1000000 and 366d, such as \"100/1m\"");
    }
    // Rounded up: rather a little slower than what was asked for.
    interval = Nanoseconds((rate->period.count() + rate->count - 1) / rate->count);
    const std::int64_t burst = config.burst.value_or(rate->count);
    constexpr auto longest = std::chrono::hours(24) * 366 * 100;
    if (burst > Nanoseconds(longest).count() / interval.count()) {
      settings.fail("burst", "would take more than 100 years to be used up at this rate");
    }
    tolerance = interval * (burst - 1);
    for (std::size_t at = 0; at < key.size(); ++at) {
      if (key[at].empty()) settings.fail("key." + std::to_string(at), "has to be the name of a parameter");
    }
    if (zone.value_bytes() < sizeof(std::int64_t) || prefix.size() >= zone.key_bytes())
      settings.fail("prefix",
                    "leaves no room for a key: the zone's key_bytes is " + std::to_string(zone.key_bytes()));
  }

  /// Never remembered: each request counts.
  trivet::Verdict check(trivet::Request& request) { return decide(request).cache_for(Nanoseconds(0)); }

 private:
  trivet::Verdict decide(trivet::Request& request) {
    const std::string entry = entry_of(request);
    Nanoseconds wait{0};
    const bool has_room = entry.size() <= zone.key_bytes() &&
                          zone.update(entry, [&](auto held) { return take(held, wait); }, when_full);
    if (!has_room) return full(request, entry.size());
    if (wait <= Nanoseconds(0)) return trivet::allow();
    if (dry_run) {
      request.log(trivet::Level::info, "rate limit (dry run): this request would be denied");
      return trivet::allow();
    }
    return deny(wait).reason("over the rate limit");
  }

  struct Rate {
    std::int64_t count;
    Nanoseconds period;
  };

  static std::optional<Rate> read_rate(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
      std::int64_t value = 0;
      const char* const end = digits.data() + digits.size();
      const auto read = std::from_chars(digits.data(), end, value);
      if (read.ec != std::errc() || read.ptr != end || value < 1) return std::nullopt;
      return value;
    };
    std::string_view time = text.substr(slash + 1);
    const std::size_t letter = std::min(time.find_first_not_of("0123456789"), time.size());
    const std::optional<std::int64_t> count = number(text.substr(0, slash));
    // "10/s" is "10/1s".
    const std::optional<std::int64_t> times = letter == 0 ? 1 : number(time.substr(0, letter));
    std::int64_t unit = 0;
    constexpr std::int64_t millisecond = 1'000'000;
    constexpr std::int64_t second = 1000 * millisecond;
    constexpr std::int64_t day = 24 * 3600 * second;
    const std::array<std::pair<std::string_view, std::int64_t>, 5> units{
        {{"ms", millisecond}, {"s", second}, {"m", 60 * second}, {"h", 3600 * second}, {"d", day}}};
    for (const auto& [word, size] : units) {
      if (time.substr(letter) == word) unit = size;
    }
    if (!count || *count > 1'000'000 || !times || unit == 0 || *times > 366 * day / unit) return std::nullopt;
    return Rate{*count, Nanoseconds(*times * unit)};
  }

  /// A parameter that is absent counts as empty. No parameter holds a NUL: between them it keeps ("ab", "c")
  /// and
  /// ("a", "bc") apart.
  [[nodiscard]] std::string entry_of(const trivet::Request& request) const {
    std::string entry = prefix;
    for (const std::string& name : key) {
      if (entry.size() > zone.key_bytes()) break;  // Too long already, however it goes on.
      if (&name != key.data()) entry += '\0';
      entry += request.param(name);
    }
    return entry;
  }

  /// Takes one interval, or says in `wait` how long it is until there is one.
  std::optional<trivet::Zone::Change> take(std::optional<std::string_view> held, Nanoseconds& wait) const {
    const Nanoseconds now = zone.now();
    Nanoseconds empty = now;
    if (held && held->size() == sizeof(std::int64_t)) {
      std::int64_t count = 0;
      std::memcpy(&count, held->data(), sizeof count);
      // What is further off than any burst was counted by another rate.
      empty = std::clamp(Nanoseconds(count), now, now + tolerance + interval);
    }
    wait = empty - now - tolerance;
    if (wait > Nanoseconds(0)) return std::nullopt;
    empty += interval;
    const std::int64_t count = empty.count();
    std::string value(sizeof count, '\0');
    std::memcpy(value.data(), &count, sizeof count);
    return trivet::Zone::Change{std::move(value), empty - now};
  }

  [[nodiscard]] trivet::Verdict deny(Nanoseconds wait) const {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
    return trivet::deny(status)
        .header("Retry-After", std::to_string(std::max<std::int64_t>(seconds.count(), 1)))
        .header("Content-Type", "text/plain")
        .body("too many requests\n");
  }

  /// The zone does not take the key.
  trivet::Verdict full(const trivet::Request& request, std::size_t size) {
    const bool is_too_long = size > zone.key_bytes();
    const std::string_view what = is_too_long ? "the key is longer than the zone's key_bytes"
                                              : "the zone is full: a larger size would help";
    // One line a minute says enough.
    constexpr Nanoseconds pause = std::chrono::minutes(1);
    const std::int64_t now = zone.now().count();
    std::int64_t last = told.load();
    if ((last == 0 || now - last >= pause.count()) && told.compare_exchange_strong(last, now))
      request.log(trivet::Level::warn, "rate limit: " + std::string(what));
    if (allows_when_full || dry_run) return trivet::allow();
    return deny(interval).reason(what);
  }

  /// When `full` last said so. A copy of the plugin begins anew.
  struct Told : std::atomic<std::int64_t> {
    Told() : std::atomic<std::int64_t>(0) {}
    Told(const Told& /*other*/) : std::atomic<std::int64_t>(0) {}
    Told& operator=(const Told&) = delete;
    ~Told() = default;
  };

  trivet::Zone zone;
  std::vector<std::string> key;
  std::string prefix;
  unsigned status;
  bool allows_when_full;
  trivet::WhenFull when_full;
  bool dry_run;
  Nanoseconds interval{1};
  Nanoseconds tolerance{0};  ///< How far ahead of the rate a key may be.
  Told told;
};

TRIVET_PLUGIN(RateLimit, "ratelimit", "1.0.0")
