#include "runtime/roles/packed_verdict.hpp"

#include <cstdint>
#include <cstring>

namespace trivet::roles {
namespace {

using Decision = cgi::Verdict::Decision;

void put(std::string& to, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  char bytes[sizeof size];
  std::memcpy(bytes, &size, sizeof size);
  to.append(bytes, sizeof size).append(text);
}

std::string_view take(std::string_view& from) {
  std::uint32_t size = 0;
  std::memcpy(&size, from.data(), sizeof size);
  const std::string_view text = from.substr(sizeof size, size);
  from.remove_prefix(sizeof size + size);
  return text;
}

}  // namespace

// decision, status (2 bytes), variables, fields (1 byte each: how many), then the texts: reason, body, and
// pairs of name and value.

std::optional<std::string> pack(const cgi::Verdict& verdict, std::string_view reason, std::size_t most) {
  const cgi::ResponseHead& head = verdict.head();
  if (verdict.variables() > 255 || head.size() > 255) return std::nullopt;
  std::size_t size = 5 + reason.size() + verdict.body().size() + 8 * (1 + verdict.variables() + head.size());
  for (std::size_t i = 0; i < verdict.variables(); ++i)
    size += verdict.variable(i).name.size() + verdict.variable(i).value.size();
  for (std::size_t i = 0; i < head.size(); ++i) size += head.at(i).name.size() + head.at(i).value.size();
  if (size > most) return std::nullopt;

  std::string packed;
  packed.reserve(size);
  packed += static_cast<char>(verdict.decision());
  packed += static_cast<char>(head.status() / 256);
  packed += static_cast<char>(head.status() % 256);
  packed += static_cast<char>(verdict.variables());
  packed += static_cast<char>(head.size());
  put(packed, reason);
  put(packed, base::as_text(verdict.body().bytes()));
  for (std::size_t i = 0; i < verdict.variables(); ++i) {
    put(packed, verdict.variable(i).name);
    put(packed, verdict.variable(i).value);
  }
  for (std::size_t i = 0; i < head.size(); ++i) {
    put(packed, head.at(i).name);
    put(packed, head.at(i).value);
  }
  return packed;
}

void unpack(std::string_view packed, cgi::Verdict& verdict, std::string& reason) {
  const auto byte = [&](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(packed[at]));
  };
  const auto decision = static_cast<Decision>(byte(0));
  const unsigned status = byte(1) * 256 + byte(2);
  const unsigned variables = byte(3);
  const unsigned fields = byte(4);
  packed.remove_prefix(5);
  verdict.clear();
  reason = take(packed);
  verdict.body().append(take(packed));
  // All of it passed the same checks before. What did not is no decision, and that denies.
  bool holds = true;
  for (unsigned i = 0; i < variables; ++i) {
    const std::string_view name = take(packed);
    holds = verdict.set_variable(name, take(packed)).empty() && holds;
  }
  for (unsigned i = 0; i < fields; ++i) {
    const std::string_view name = take(packed);
    holds = verdict.head().add(name, take(packed)).empty() && holds;
  }
  if (!holds) return;
  if (decision == Decision::allow) {
    (void)verdict.allow();
  } else if (decision == Decision::deny) {
    (void)verdict.deny(static_cast<int>(status));
  }
}

}  // namespace trivet::roles
