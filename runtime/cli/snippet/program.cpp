#include "runtime/cli/snippet/program.hpp"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "runtime/cli/options.hpp"

namespace trivet::cli::snippet {

std::string attach_command(const std::string& socket) {
  std::array<char, PATH_MAX> name{};
  const ssize_t length = ::readlink("/proc/self/exe", name.data(), name.size() - 1);
  std::string program = length > 0 ? std::string(name.data(), static_cast<std::size_t>(length)) : "";
  // Web servers cut the line at spaces.
  const bool plain = std::all_of(program.begin(), program.end(), [](char each) {
    return each > ' ' && std::string_view("\"'\\$`").find(each) == std::string_view::npos;
  });
  if (!plain || program.empty()) program = "/usr/bin/trivet";
  const std::string address = "unix:" + socket;
  return program + " attach" + (address == AttachCommand{}.address ? "" : " " + address);
}

}  // namespace trivet::cli::snippet
