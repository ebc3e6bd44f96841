#include "runtime/host/start.hpp"

#include "runtime/host/numbers.hpp"

namespace trivet::host {

std::string pack(const Start& start) {
  return std::to_string(start.slot) + " " + std::to_string(start.generation) + " " +
         std::to_string(start.number);
}

std::optional<Start> read_start(std::string_view text) {
  const auto numbers = read_numbers(text);
  if (!numbers || numbers->size() != 3) return std::nullopt;
  return Start{(*numbers)[0], (*numbers)[1], (*numbers)[2]};
}

}  // namespace trivet::host
