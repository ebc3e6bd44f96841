#include <algorithm>
#include <charconv>
#include <string>
#include <trivet/plugin.hpp>

/// Sends as many bytes as the last segment of the path says, by 128 KiB: each block is a system call, and of
/// one that is larger more has to be copied, because the socket does not take it whole.
struct Pour {
  static constexpr bool never_blocks = true;

  struct Responder {
    Responder(trivet::Request& request, trivet::Response& out) {
      const std::string path = request.path();
      std::from_chars(path.data() + path.rfind('/') + 1, path.data() + path.size(), left);
      out.header("Content-Type", "text/plain");
    }
    bool room(trivet::Response& out) {
      static const std::string piece(131072, 'x');
      const std::uint64_t now = std::min<std::uint64_t>(piece.size(), left);
      out << std::string_view(piece).substr(0, static_cast<std::size_t>(now));
      left -= now;
      return left == 0;
    }
    std::uint64_t left = 0;
  };
};

TRIVET_PLUGIN(Pour, "pour", "1.0.0")
