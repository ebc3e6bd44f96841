#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <trivet/hooks.hpp>

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

/// Text of a bounded length, put together by the compiler.
struct NoteText {
  std::array<char, 512> chars{};
  std::size_t length = 0;

  consteval NoteText& add(std::string_view more) {
    for (const char c : more) chars[length++] = c;
    return *this;
  }
  consteval NoteText& add(unsigned number) {
    if (number >= 10) add(number / 10);
    chars[length++] = static_cast<char>('0' + number % 10);
    return *this;
  }
  /// `,"word"`, without the comma in front of the first of a list.
  consteval NoteText& item(bool wanted, std::string_view word) {
    if (!wanted) return *this;
    if (chars[length - 1] != '[') add(",");
    return add("\"").add(word).add("\"");
  }
};

template <class T>
consteval NoteText note_text(std::string_view name, std::string_view plugin_version) {
  NoteText note;
  note.add(R"({"name":")").add(name).add(R"(","version":")").add(plugin_version).add(R"(","abi":")");
  note.add(unsigned{TRIVET_ABI_MAJOR}).add(".").add(unsigned{TRIVET_ABI_MINOR}).add(R"(","roles":[)");
  note.item(is_responder<T>, "responder").item(is_authorizer<T>, "authorizer").item(is_filter<T>, "filter");
  note.add(R"(],"flags":[)");
  constexpr trivet_flags flags = flags_of<T>();
  note.item((flags & TRIVET_NEVER_BLOCKS) != 0, "never_blocks");
  note.item((flags & TRIVET_SHARED_INSTANCE) != 0, "shared_instance");
  note.item((flags & TRIVET_WANTS_SHORT) != 0, "wants_short");
  return note.add(R"(],"sdk":")").add(sdk_version).add(R"("})");
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
