#include "runtime/host/wear.hpp"

namespace trivet::host {

std::string wear_of(const config::Server& server, std::uint32_t number, const process::WorkerSlot& slot,
                    std::optional<std::uint64_t> memory) {
  if (const std::uint64_t lost = process::read(slot.threads_lost); lost != 0)
    return std::to_string(lost) + " plugin threads did not come back";
  if (server.max_requests != 0) {
    std::uint64_t requests = 0;
    for (const process::Counter& each : slot.counters.requests) requests += process::read(each);
    constexpr std::uint64_t steps = 8;
    const std::uint64_t more = server.max_requests / (4 * steps) * (number % steps);
    if (requests >= server.max_requests + more) return "it served max_requests";
  }
  if (server.max_memory && memory && *memory > *server.max_memory) return "it is larger than max_memory";
  return {};
}

}  // namespace trivet::host
