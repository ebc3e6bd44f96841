#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol::wire {

namespace {

void put(std::string& to, std::size_t value, unsigned count) {
  while (count-- != 0) to.push_back(static_cast<char>(value >> (8 * count) & 0xffU));
}

}  // namespace

std::string record(unsigned type, unsigned id, std::string_view content, const Filling& filling) {
  std::string made;
  put(made, 1, 1);
  put(made, type, 1);
  put(made, id, 2);
  put(made, content.size(), 2);
  put(made, filling.padding.size(), 1);
  put(made, filling.reserved, 1);
  made += content;
  made += filling.padding;
  return made;
}

std::string padded(unsigned type, unsigned id, std::string_view content) {
  return record(type, id, content, {std::string((8 - content.size() % 8) % 8, '\0')});
}

std::string begin(unsigned id, unsigned role, unsigned flags) {
  std::string body;
  put(body, role, 2);
  put(body, flags, 1);
  put(body, 0, 5);
  return record(begin_request, id, body);
}

std::string end(unsigned id, std::uint32_t app_status, unsigned protocol_status) {
  std::string body;
  put(body, app_status, 4);
  put(body, protocol_status, 1);
  put(body, 0, 3);
  return record(end_request, id, body);
}

std::string long_length(std::uint32_t length) {
  std::string made;
  put(made, length | 0x80000000U, 4);
  return made;
}

std::string pair(std::string_view name, std::string_view value) {
  std::string made;
  for (const std::string_view part : {name, value}) {
    if (part.size() < 128) {
      put(made, part.size(), 1);
    } else {
      made += long_length(static_cast<std::uint32_t>(part.size()));
    }
  }
  made += name;
  made += value;
  return made;
}

std::string request(unsigned id, unsigned role) {
  std::string made = begin(id, role) + record(params, id, pair("A", "b")) + record(params, id, "");
  if (role != authorizer) made += record(standard_in, id, "body") + record(standard_in, id, "");
  if (role == filter) made += record(data, id, "data") + record(data, id, "");
  return made;
}

}  // namespace trivet::protocol::wire
