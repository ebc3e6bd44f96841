#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>
#include <trivet/plugin.hpp>

/// Server-sent events from a plugin thread: as many as its setting `events` says, `ms` apart, none of them
/// flushed. Each is the time at which it was written, of the clock that never jumps.
struct Ticker {
  explicit Ticker(trivet::Settings& settings)
      : events(settings.integer("events", 8, {1, 1000})), gap(settings.integer("ms", 200, {1, 10000})) {}

  void handle(trivet::Request& request, trivet::Response& out) {
    out.header("Content-Type", "text/event-stream");
    for (std::int64_t i = 0; i < events && !request.cancelled(); ++i) {
      std::this_thread::sleep_for(gap);
      out << "data: " << std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count()
          << "\n\n";
    }
  }

  std::int64_t events;
  std::chrono::milliseconds gap;
};

TRIVET_PLUGIN(Ticker, "ticker", "1.0.0")
