#include <algorithm>
#include <string>
#include <string_view>
#include <trivet/plugin.hpp>
#include <vector>

namespace {

/// Line breaks within a value as \x0D and \x0A, so that a line stays a line.
void write_line(trivet::Response& out, std::string_view line) {
  while (!line.empty()) {
    const std::size_t stop = std::min(line.find_first_of("\r\n"), line.size());
    out << line.substr(0, stop);
    line.remove_prefix(stop);
    if (line.empty()) break;
    out << (line.front() == '\r' ? "\\x0D" : "\\x0A");
    line.remove_prefix(1);
  }
}

}  // namespace

/// Answers with what the host understood of the request, then the body as it comes. Keeps nothing of the
/// body.
struct Echo {
  static constexpr bool never_blocks = true;

  struct Responder {
    Responder(trivet::Request& request, trivet::Response& out) {
      out.header("Content-Type", "text/plain");
      out << "trivet-echo\n";
      write_line(out, request.method());
      out << '\n';
      write_line(out, request.path());
      out << '\n';

      std::vector<trivet::Param> params;
      for (const trivet::Param& param : request.params()) params.push_back(param);
      std::sort(params.begin(), params.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
      for (const trivet::Param& param : params) {
        write_line(out, param.name);
        out << '=';
        write_line(out, param.value);
        out << '\n';
      }
      out << '\n';
    }

    void body(std::string_view chunk, trivet::Response& out, bool) { out << chunk; }
  };
};

TRIVET_PLUGIN(Echo, "echo", "1.0.0")
