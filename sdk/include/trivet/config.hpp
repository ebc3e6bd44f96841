#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/settings.hpp>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// The settings of a plugin, declared once: as the members of a struct named Config within the plugin's
/// class, and a list that gives each its key and its bounds.
///
///     struct Config {
///       std::string key;
///       std::int64_t tries = 3;
///       static constexpr auto settings =
///           trivet::settings(trivet::setting("key", &Config::key).required().length(16, 256),
///                            trivet::setting("tries", &Config::tries).between(1, 10));
///     };
///     explicit Gate(const Config& config);
///
/// The host fills it in before it constructs the plugin. The same list stands in the plugin's ELF note (as
/// JSON Schema), so that `trivet check` and an operator's editor know the settings without running any code.
/// A member without `required()` keeps its default where the setting is absent.
///
///     std::string               a text                       .length(least, most), .one_of("a", "b")
///     any integer type          a whole number               .between(least, most)
///     double                    a number, whole or not       .between(least, most), both whole
///     bool                      true or false
///     std::optional<T>          as T; empty when absent      as T
///     std::vector<T>            a list                       .length(least, most): how many
///     std::map<std::string, T>  a table with keys of the operator's choice
///     a struct with `settings`  a table
namespace trivet {

namespace sdk {

template <class T>
concept IsConfig = requires { T::settings; };
template <class T>
concept IsInteger = std::integral<T> && !std::same_as<T, bool>;

template <class T>
struct Unwrapped {
  using type = T;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using type = T;
};

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;
template <class T>
inline constexpr bool is_free_table = false;
template <class T, class Less>
inline constexpr bool is_free_table<std::map<std::string, T, Less>> = true;

constexpr std::size_t most_choices = 16;

/// What a setting may be, beyond its type.
struct Bounds {
  std::optional<std::int64_t> least;
  std::optional<std::int64_t> most;
  std::array<std::string_view, most_choices> choices{};
  std::size_t choice_count = 0;
};

/// The bounds that an integer type has by itself.
template <IsInteger T>
constexpr Bounds bounds_of_type() {
  Bounds bounds;
  if constexpr (std::is_unsigned_v<T>) bounds.least = 0;
  if constexpr (sizeof(T) < sizeof(std::int64_t)) {
    bounds.least = static_cast<std::int64_t>(std::numeric_limits<T>::min());
    bounds.most = static_cast<std::int64_t>(std::numeric_limits<T>::max());
  }
  return bounds;
}
/// Of an entry of a list or table, which has no others.
template <class T>
constexpr Bounds bounds_of() {
  if constexpr (IsInteger<T>) return bounds_of_type<T>();
  return {};
}

}  // namespace sdk

/// One setting: its key, the member of `Struct` that holds it, its bounds.
template <class Struct, class Member>
class Setting {
 public:
  using Value = typename sdk::Unwrapped<Member>::type;

  constexpr Setting(std::string_view key, Member Struct::* member) : key_(key), member_(member) {
    if constexpr (sdk::IsInteger<Value>) bounds_ = sdk::bounds_of_type<Value>();
  }

  /// The operator has to give it.
  [[nodiscard]] constexpr Setting required() const {
    Setting copy = *this;
    copy.required_ = true;
    return copy;
  }
  /// The smallest and the largest number, both included.
  [[nodiscard]] constexpr Setting between(std::int64_t least, std::int64_t most) const {
    static_assert(sdk::IsInteger<Value> || std::floating_point<Value>, "only numbers have bounds");
    return bounded(least, most);
  }
  /// How many characters a text has, how many entries a list.
  [[nodiscard]] constexpr Setting length(std::uint32_t least, std::uint32_t most) const {
    static_assert(std::same_as<Value, std::string> || sdk::is_list<Value>,
                  "only texts and lists have a length");
    return bounded(least, most);
  }
  template <std::convertible_to<std::string_view>... Words>
  [[nodiscard]] constexpr Setting one_of(const Words&... words) const {
    static_assert(std::same_as<Value, std::string>, "only a text is one of several words");
    static_assert(sizeof...(Words) <= sdk::most_choices, "at most 16 words");
    Setting copy = *this;
    copy.bounds_.choices = {std::string_view(words)...};
    copy.bounds_.choice_count = sizeof...(Words);
    return copy;
  }

  [[nodiscard]] constexpr std::string_view key() const { return key_; }
  [[nodiscard]] constexpr bool is_required() const { return required_; }
  [[nodiscard]] constexpr const sdk::Bounds& bounds() const { return bounds_; }
  [[nodiscard]] Member& in(Struct& config) const { return config.*member_; }

 private:
  [[nodiscard]] constexpr Setting bounded(std::int64_t least, std::int64_t most) const {
    Setting copy = *this;
    copy.bounds_.least = least;
    copy.bounds_.most = most;
    return copy;
  }

  std::string_view key_;
  Member Struct::* member_;
  bool required_ = false;
  sdk::Bounds bounds_;
};

/// `key` is a literal: 1 to 64 letters, digits or . _ - + ~
template <class Struct, class Member>
[[nodiscard]] constexpr Setting<Struct, Member> setting(std::string_view key, Member Struct::* member) {
  return {key, member};
}
template <class... Each>
[[nodiscard]] constexpr std::tuple<Each...> settings(Each... each) {
  return {each...};
}

namespace sdk {

[[nodiscard]] inline std::size_t characters_in(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

inline void require_length(const Settings& from, std::string_view key, std::size_t length,
                           std::string_view what, const Bounds& bounds) {
  const auto count = static_cast<std::int64_t>(length);
  if (count < bounds.least.value_or(0)) {
    from.fail(key, "has " + std::to_string(count) + " " + std::string(what) + ", needs at least " +
                       std::to_string(*bounds.least));
  }
  if (count > bounds.most.value_or(count)) {
    from.fail(key, "has " + std::to_string(count) + " " + std::string(what) + ", takes at most " +
                       std::to_string(*bounds.most));
  }
}

template <IsConfig Struct>
[[nodiscard]] Struct read_config(const Settings& from);

/// Reads what is there under `key` into `out`.
template <class T>
void read_setting(const Settings& from, const std::string& key, const Bounds& bounds, T& out) {
  constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  if constexpr (std::same_as<T, bool>) {
    out = from.boolean(key);
  } else if constexpr (IsInteger<T>) {
    out = static_cast<T>(from.integer(key, {bounds.least.value_or(lowest), bounds.most.value_or(highest)}));
  } else if constexpr (std::floating_point<T>) {
    const double value = from.real(key);
    if ((bounds.least && !(value >= static_cast<double>(*bounds.least))) ||
        (bounds.most && !(value <= static_cast<double>(*bounds.most)))) {
      from.fail(key, "has to be between " + std::to_string(bounds.least.value_or(lowest)) + " and " +
                         std::to_string(bounds.most.value_or(highest)));
    }
    out = static_cast<T>(value);
  } else if constexpr (std::same_as<T, std::string>) {
    out = from.text(key);
    require_length(from, key, characters_in(out), "characters", bounds);
    bool known = bounds.choice_count == 0;
    std::string all;
    for (std::size_t at = 0; at < bounds.choice_count; ++at) {
      known = known || out == bounds.choices[at];
      all.append(at == 0 ? "" : ", ").append(bounds.choices[at]);
    }
    if (!known) from.fail(key, "has to be one of " + all);
  } else if constexpr (is_list<T>) {
    const std::uint64_t count = from.count(key);
    require_length(from, key, count, "entries", bounds);
    out.clear();
    for (std::uint64_t at = 0; at < count; ++at) {
      typename T::value_type entry{};
      read_setting(from, key + "." + std::to_string(at), bounds_of<typename T::value_type>(), entry);
      out.push_back(std::move(entry));
    }
  } else if constexpr (is_free_table<T>) {
    const Settings table = from.table(key);
    out.clear();
    for (const std::string& name : table.keys()) {
      typename T::mapped_type entry{};
      read_setting(table, name, bounds_of<typename T::mapped_type>(), entry);
      out.insert_or_assign(name, std::move(entry));
    }
  } else {
    static_assert(IsConfig<T>, "a setting has one of the types that <trivet/config.hpp> names");
    out = read_config<T>(from.table(key));
  }
}

/// What is absent keeps its default. Everything that is wrong is told to the operator, not the first alone.
///
/// Errors  WrongSetting at the end, when anything was wrong.
template <IsConfig Struct>
[[nodiscard]] Struct read_config(const Settings& from) {
  Struct config{};
  bool wrong = false;
  const auto read = [&](const auto& setting) {
    const std::string key(setting.key());
    try {
      if (from.has(key)) {
        typename std::decay_t<decltype(setting)>::Value value{};
        read_setting(from, key, setting.bounds(), value);
        setting.in(config) = std::move(value);
      } else if (setting.is_required()) {
        from.fail(key, "is missing");
      }
    } catch (const WrongSetting&) {
      wrong = true;
    }
  };
  std::apply([&](const auto&... each) { (read(each), ...); }, Struct::settings);
  if (wrong) throw WrongSetting();
  return config;
}

}  // namespace sdk
}  // namespace trivet
