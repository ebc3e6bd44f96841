#include <charconv>
#include <chrono>
#include <string_view>
#include <thread>
#include <trivet/plugin.hpp>

/// Takes as long as its setting `ms` says (two seconds without), or QUERY_STRING (ms=N), then allows, or
/// answers. Gives up when cancelled, unless stubborn = true: then it is what a hung plugin looks like.
struct Slow {
  explicit Slow(trivet::Settings& settings)
      : milliseconds(settings.integer("ms", 2000, {0, 3'600'000})),
        stubborn(settings.boolean("stubborn", false)) {}

  void wait(trivet::Request& request) const {
    auto time = milliseconds;
    constexpr std::string_view asked = "ms=";
    const std::string_view query = request.query();
    if (const std::size_t at = query.find(asked); at != std::string_view::npos) {
      std::from_chars(query.data() + at + asked.size(), query.data() + query.size(), time);
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(time);
    while (std::chrono::steady_clock::now() < until && (stubborn || !request.cancelled())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  void handle(trivet::Request& request, trivet::Response& out) {
    wait(request);
    out << "slow\n";
  }
  trivet::Verdict check(trivet::Request& request) {
    wait(request);
    return trivet::allow();
  }

  std::int64_t milliseconds;
  bool stubborn;
};

TRIVET_PLUGIN(Slow, "slow", "1.1.0")
