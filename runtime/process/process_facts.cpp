#include "runtime/process/process_facts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "runtime/process/file_descriptor.hpp"

namespace trivet::process {

std::optional<ProcessFacts> look_at(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 2048> bytes{};
  const ssize_t size = file.is_open() ? ::read(file.get(), bytes.data(), bytes.size()) : -1;
  if (size <= 0) return std::nullopt;
  std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  // `PID (NAME) STATE ...`: the name is the program's to choose, and may hold blanks and parentheses.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  const auto next_word = [&text] {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    return word;
  };
  const std::string_view state = next_word();
  if (state.empty()) return std::nullopt;
  ProcessFacts facts;
  facts.is_stopped = state == "T" || state == "t";
  constexpr int resident_pages = 24;
  constexpr int after_state = 4;
  for (int field = after_state; field < resident_pages; ++field) next_word();
  const std::string_view pages = next_word();
  std::from_chars(pages.begin(), pages.end(), facts.resident);
  facts.resident *= static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return facts;
}

}  // namespace trivet::process
