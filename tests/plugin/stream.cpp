#include <trivet/plugin.hpp>

/// The body back while it comes, by reads that wait: for a plugin thread.
struct Stream {
  void handle(trivet::Request& request, trivet::Response& out) {
    while (const auto chunk = request.read()) out << *chunk;
  }
};

TRIVET_PLUGIN(Stream, "stream", "1.0.0")
