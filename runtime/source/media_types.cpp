#include "runtime/source/media_types.hpp"

#include <array>
#include <fstream>
#include <vector>

#include "runtime/cgi/media_type.hpp"

namespace trivet::source {
namespace {

constexpr std::size_t longest_extension = 64;
constexpr std::size_t largest_table = 1U << 20U;

char lower(char each) noexcept { return each >= 'A' && each <= 'Z' ? static_cast<char>(each + 32) : each; }

bool is_type(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) return false;
  for (const char each : text) {
    // A token of RFC 9110 without what no registered type has: nothing here could end a header field.
    const bool plain = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                       (each >= '0' && each <= '9') ||
                       std::string_view("/.+-_!#$&^").find(each) != std::string_view::npos;
    if (!plain) return false;
  }
  return text.find('/', slash + 1) == std::string_view::npos;
}

/// The next word of a line; empty at its end.
std::string_view next_word(std::string_view& line) noexcept {
  constexpr std::string_view blank = " \t\r";
  const std::size_t begin = line.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(blank));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace

MediaTypes MediaTypes::read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(largest_table, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return parse(text);
}

MediaTypes MediaTypes::parse(std::string_view table) {
  MediaTypes types;
  while (!table.empty()) {
    std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(line.size() == table.size() ? line.size() : line.size() + 1);
    line = line.substr(0, line.find('#'));
    const std::string_view type = next_word(line);
    if (!is_type(type)) continue;
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
      if (word.size() > longest_extension) continue;
      std::string extension(word);
      for (char& each : extension) each = lower(each);
      types.by_extension_.emplace(std::move(extension), type);
    }
  }
  return types;
}

std::string_view MediaTypes::of(std::string_view file_name) const noexcept {
  const std::size_t slash = file_name.rfind('/');
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  const std::size_t dot = file_name.rfind('.');
  if (dot != std::string_view::npos && dot != 0 && file_name.size() - dot - 1 <= longest_extension) {
    std::array<char, longest_extension> room{};
    std::size_t length = 0;
    for (const char each : file_name.substr(dot + 1)) room[length++] = lower(each);
    const auto found = by_extension_.find(std::string_view(room.data(), length));
    if (found != by_extension_.end()) return found->second;
  }
  const std::string_view known = cgi::media_type(file_name);
  return known.substr(0, known.find(';'));
}

}  // namespace trivet::source
