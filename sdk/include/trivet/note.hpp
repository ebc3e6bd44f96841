#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <trivet/hooks.hpp>
#include <tuple>
#include <type_traits>

/// What a plugin says about itself, as JSON in an ELF note, so that tools can read it without running its
/// code.
namespace trivet::sdk {

/// A string literal as a template argument.
template <std::size_t N>
struct Literal {
  consteval Literal(const char (&from)[N]) {  // NOLINT: a literal is meant to convert
    for (std::size_t at = 0; at < N; ++at) chars[at] = from[at];
  }
  [[nodiscard]] consteval std::string_view view() const { return {chars.data(), N - 1}; }

  std::array<char, N> chars{};
};

/// Whether a name or version can stand in JSON, file names and log lines as it is.
[[nodiscard]] constexpr bool is_plain(std::string_view word) noexcept {
  if (word.empty() || word.size() > 64) return false;
  for (const char c : word) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '.' && c != '_' && c != '-' && c != '+' && c != '~') return false;
  }
  return true;
}

/// Text of a bounded length, put together by the compiler: a longer one does not compile.
struct NoteText {
  std::array<char, 4096> chars{};
  std::size_t length = 0;

  constexpr NoteText& add(char more) {
    if (length == chars.size()) throw "the note of a plugin has at most 4096 bytes: declare fewer settings";
    chars[length++] = more;
    return *this;
  }
  constexpr NoteText& add(std::string_view more) {
    for (const char c : more) add(c);
    return *this;
  }
  constexpr NoteText& number(std::int64_t number) {
    if (number < 0) add('-');
    // The smallest number has no positive twin: digit by digit from below zero.
    std::array<char, 20> digits{};
    std::size_t count = 0;
    do {
      const auto digit = static_cast<int>(number % 10);
      digits[count++] = static_cast<char>('0' + (digit < 0 ? -digit : digit));
      number /= 10;
    } while (number != 0);
    while (count > 0) add(digits[--count]);
    return *this;
  }
  /// A comma, unless this is the first of a list or an object.
  constexpr NoteText& next() {
    return chars[length - 1] == '[' || chars[length - 1] == '{' ? *this : add(',');
  }
  constexpr NoteText& word(std::string_view word) {
    for (const char c : word) {
      if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
        throw "a word in a plugin's note holds no quote, backslash or control character";
      }
    }
    return next().add('"').add(word).add('"');
  }
  constexpr NoteText& item(bool wanted, std::string_view text) { return wanted ? word(text) : *this; }
  constexpr NoteText& member(std::string_view name, std::string_view value) {
    return word(name).add(":\"").add(value).add('"');
  }
  constexpr NoteText& member(std::string_view name, const std::optional<std::int64_t>& value) {
    return value ? word(name).add(':').number(*value) : *this;
  }
};

template <IsConfig Struct>
constexpr void add_properties(NoteText& note);

/// What a setting of type T may be, as members of a JSON Schema (draft 2020-12).
template <class T>
constexpr void add_schema(NoteText& note, const Bounds& bounds) {
  if constexpr (std::same_as<T, bool>) {
    note.member("type", "boolean");
  } else if constexpr (IsInteger<T> || std::floating_point<T>) {
    note.member("type", IsInteger<T> ? "integer" : "number");
    note.member("minimum", bounds.least).member("maximum", bounds.most);
  } else if constexpr (std::same_as<T, std::string>) {
    note.member("type", "string").member("minLength", bounds.least).member("maxLength", bounds.most);
    if (bounds.choice_count > 0) {
      note.word("enum").add(":[");
      for (std::size_t at = 0; at < bounds.choice_count; ++at) note.word(bounds.choices[at]);
      note.add(']');
    }
  } else if constexpr (is_list<T>) {
    note.member("type", "array").member("minItems", bounds.least).member("maxItems", bounds.most);
    note.word("items").add(":{");
    add_schema<typename T::value_type>(note, bounds_of<typename T::value_type>());
    note.add('}');
  } else if constexpr (is_free_table<T>) {
    note.member("type", "object").word("additionalProperties").add(":{");
    add_schema<typename T::mapped_type>(note, bounds_of<typename T::mapped_type>());
    note.add('}');
  } else {
    static_assert(IsConfig<T>, "a setting has one of the types that <trivet/config.hpp> names");
    add_properties<T>(note);
  }
}

template <IsConfig Struct>
constexpr void add_properties(NoteText& note) {
  const auto property = [&](const auto& setting) {
    if (!is_plain(setting.key())) throw "a setting's key has 1 to 64 letters, digits or . _ - + ~";
    note.word(setting.key()).add(":{");
    add_schema<typename std::decay_t<decltype(setting)>::Value>(note, setting.bounds());
    note.add('}');
  };
  note.member("type", "object").word("properties").add(":{");
  std::apply([&](const auto&... each) { (property(each), ...); }, Struct::settings);
  note.add('}').word("required").add(":[");
  std::apply([&](const auto&... each) { (note.item(each.is_required(), each.key()), ...); },
             Struct::settings);
  note.add("]").word("additionalProperties").add(":false");
}

/// A plugin that reads settings which it does not declare says nothing of them.
template <class T>
constexpr void add_settings(NoteText& note) {
  if constexpr (DeclaresSettings<T>) {
    note.word("settings").add(":{");
    add_properties<typename T::Config>(note);
    note.add('}');
  } else if constexpr (!std::is_constructible_v<T, Settings&>) {
    note.add(R"(,"settings":{"type":"object","additionalProperties":false})");
  }
}

template <class T>
consteval NoteText note_text(std::string_view name, std::string_view plugin_version) {
  NoteText note;
  note.add('{').member("name", name).member("version", plugin_version).add(R"(,"abi":")");
  note.number(TRIVET_ABI_MAJOR).add('.').number(TRIVET_ABI_MINOR).add(R"(","roles":[)");
  note.item(is_responder<T>, "responder").item(is_authorizer<T>, "authorizer").item(is_filter<T>, "filter");
  note.add(R"(],"flags":[)");
  constexpr trivet_flags flags = flags_of<T>();
  note.item((flags & TRIVET_NEVER_BLOCKS) != 0, "never_blocks");
  note.item((flags & TRIVET_SHARED_INSTANCE) != 0, "shared_instance");
  note.item((flags & TRIVET_WANTS_SHORT) != 0, "wants_short");
  note.item((flags & TRIVET_EXCLUSIVE) != 0, "exclusive");
  note.item((flags & TRIVET_PURE) != 0, "pure");
  note.item((flags & TRIVET_ANY_ENCODING) != 0, "any_encoding");
  note.add(']').member("sdk", sdk_version);
  add_settings<T>(note);
  return note.add('}');
}

/// The note as it stands in the file: owner and description each padded to four bytes.
template <std::size_t Padded>
struct Note {
  std::uint32_t owner_size;
  std::uint32_t text_size;
  std::uint32_t type;
  std::array<char, 8> owner;
  std::array<char, Padded> text;
};

template <class T, Literal name, Literal plugin_version>
consteval auto make_note() {
  static_assert(is_plain(name.view()), "a plugin's name has 1 to 64 letters, digits or . _ - + ~");
  static_assert(is_plain(plugin_version.view()),
                "a plugin's version has 1 to 64 letters, digits or . _ - + ~");
  constexpr NoteText text = note_text<T>(name.view(), plugin_version.view());
  Note<(text.length + 3) / 4 * 4> note{};
  constexpr std::string_view owner = TRIVET_NOTE_OWNER;
  note.owner_size = owner.size() + 1;
  note.text_size = static_cast<std::uint32_t>(text.length);
  note.type = TRIVET_NOTE_TYPE;
  for (std::size_t at = 0; at < owner.size(); ++at) note.owner[at] = owner[at];
  for (std::size_t at = 0; at < text.length; ++at) note.text[at] = text.chars[at];
  return note;
}

}  // namespace trivet::sdk
