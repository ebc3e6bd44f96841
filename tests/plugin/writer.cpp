#include <algorithm>
#include <trivet/plugin.hpp>

#include "pattern.hpp"

/// Writes as many bytes as QUERY_STRING asks for, in one call that waits while the client is slow:
/// n=BYTES, piece=BYTES at once (default 8192), length=BYTES announced as Content-Length, flush=1 after each
/// piece.
struct Writer {
  void handle(trivet::Request& request, trivet::Response& out) {
    const std::string_view query = request.query();
    const std::uint64_t total = pattern::number(query, "n");
    const std::uint64_t asked = pattern::number(query, "piece");
    const std::uint64_t piece = asked == 0 ? 8192 : asked;
    if (const std::uint64_t length = pattern::number(query, "length"); length != 0) {
      out.header("Content-Length", std::to_string(length));
    }
    for (std::uint64_t done = 0; done < total;) {
      const std::uint64_t now = std::min(piece, total - done);
      out << pattern::bytes(done, static_cast<std::size_t>(now));
      if (pattern::number(query, "flush") != 0) out.flush();
      done += now;
    }
  }
};

TRIVET_PLUGIN(Writer, "writer", "1.0.0")
