#include <chrono>
#include <string>
#include <trivet/plugin.hpp>

struct Visits {
  static constexpr bool never_blocks = true;
  trivet::Zone zone;
  explicit Visits(trivet::Settings& settings) : zone(settings, "zone") {}

  void handle(trivet::Request& request, trivet::Response& out) {
    const auto visits = zone.add(request.param("REMOTE_ADDR"), 1, std::chrono::hours(1));
    out << "visit " << std::to_string(visits) << " of this hour\n";
  }
};

TRIVET_PLUGIN(Visits, "visits", "1.0.0")
