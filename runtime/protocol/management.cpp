#include "runtime/protocol/management.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <string_view>

#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/name_value.hpp"

namespace trivet::protocol {

namespace {

constexpr std::array<std::string_view, 3> known_names = {"FCGI_MAX_CONNS", "FCGI_MAX_REQS",
                                                         "FCGI_MPXS_CONNS"};

void append_decimal_pair(base::Buffer& out, std::string_view name, std::size_t value) {
  std::array<char, 20> digits{};  // 2^64 has twenty.
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  append_pair(out, name, {digits.data(), static_cast<std::size_t>(end - digits.data())});
}

}  // namespace

bool append_get_values_result(base::Buffer& out, base::Bytes query, const Capacity& capacity) {
  // Indexes into known_names; nothing is written before the whole query is known to be well formed.
  std::array<std::size_t, known_names.size()> asked{};
  std::size_t count = 0;
  PairReader reader(query);
  while (const auto pair = reader.next()) {
    const auto known = std::find(known_names.begin(), known_names.end(), pair->name);
    if (known == known_names.end()) continue;
    const auto index = static_cast<std::size_t>(std::distance(known_names.begin(), known));
    const auto asked_end = asked.begin() + count;
    if (std::find(asked.begin(), asked_end, index) == asked_end) asked[count++] = index;
  }
  if (reader.broken()) return false;

  const std::array<std::size_t, known_names.size()> values = {capacity.max_connections, capacity.max_requests,
                                                              1};  // Connections may always be multiplexed.
  const std::size_t record = begin_record(out);
  for (std::size_t i = 0; i < count; ++i) append_decimal_pair(out, known_names[asked[i]], values[asked[i]]);
  end_record(out, record, RecordType::get_values_result, 0);
  return true;
}

}  // namespace trivet::protocol
