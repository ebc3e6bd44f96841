#include "runtime/host/parcel.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace trivet::host {
namespace {

void put(std::string& to, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  std::array<char, sizeof size> bytes{};
  std::memcpy(bytes.data(), &size, sizeof size);  // Both ends are this program on this machine.
  to.append(bytes.data(), bytes.size());
  to += text;
}

bool get(std::string_view& from, std::string& text) {
  std::uint32_t size = 0;
  if (from.size() < sizeof size) return false;
  std::memcpy(&size, from.data(), sizeof size);  // NOLINT(bugprone-suspicious-stringview-data-usage)
  from.remove_prefix(sizeof size);
  if (size > from.size()) return false;
  text = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace

std::size_t Parcel::packed_size() const noexcept {
  return 2 * sizeof(std::uint32_t) + listener.size() + payload.size();
}

std::string pack(const std::vector<Parcel>& parcels) {
  std::string text;
  for (const Parcel& each : parcels) {
    put(text, each.listener);
    put(text, each.payload);
  }
  return text;
}

std::optional<std::vector<Parcel>> unpack_parcels(std::string_view text) {
  std::vector<Parcel> parcels;
  while (!text.empty()) {
    Parcel parcel;
    if (!get(text, parcel.listener) || !get(text, parcel.payload)) return std::nullopt;
    parcels.push_back(std::move(parcel));
  }
  return parcels;
}

}  // namespace trivet::host
