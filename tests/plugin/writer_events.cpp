#include <algorithm>
#include <trivet/plugin.hpp>

#include "pattern.hpp"

/// The same bytes as writer, but called for each piece when there is room: n=BYTES, piece=BYTES,
/// length=BYTES.
struct WriterEvents {
  static constexpr bool never_blocks = true;

  struct Responder {
    Responder(trivet::Request& request, trivet::Response& out)
        : total(pattern::number(request.query(), "n")) {
      if (const std::uint64_t asked = pattern::number(request.query(), "piece"); asked != 0) piece = asked;
      if (const std::uint64_t length = pattern::number(request.query(), "length"); length != 0) {
        out.header("Content-Length", std::to_string(length));
      }
    }

    bool room(trivet::Response& out) {
      const std::uint64_t now = std::min(piece, total - done);
      out << pattern::bytes(done, static_cast<std::size_t>(now));
      done += now;
      return done == total;
    }

    std::uint64_t total;
    std::uint64_t piece = 8192;
    std::uint64_t done = 0;
  };
};

TRIVET_PLUGIN(WriterEvents, "writer_events", "1.0.0")
