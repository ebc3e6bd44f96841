// Name-value pairs against a reader written from FastCGI 1.0, 3.4, and what becomes of repeated names.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/cgi/params.hpp"
#include "runtime/protocol/encoder.hpp"
#include "runtime/protocol/management.hpp"
#include "runtime/protocol/name_value.hpp"
#include "tests/fuzz/property.hpp"

namespace trivet::fuzz {
namespace {

using base::Bytes;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Read {
  Pairs pairs;
  bool broken = false;

  friend bool operator==(const Read&, const Read&) = default;
};

Read reference(std::string_view text) {
  Read read;
  std::size_t at = 0;
  const auto length = [&]() -> std::optional<std::uint64_t> {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint64_t>(static_cast<unsigned char>(text[at + i]));
    };
    if (at >= text.size()) return std::nullopt;
    if (byte(0) < 128) {
      const std::uint64_t small = byte(0);
      at += 1;
      return small;
    }
    if (at + 4 > text.size()) return std::nullopt;
    const std::uint64_t large = (byte(0) - 128) * 16777216 + byte(1) * 65536 + byte(2) * 256 + byte(3);
    at += 4;
    return large;
  };
  while (at < text.size()) {
    const auto name = length();
    const auto value = name ? length() : std::nullopt;
    if (!value || at + *name + *value > text.size()) {
      read.broken = true;
      return read;
    }
    read.pairs.emplace_back(text.substr(at, *name), text.substr(at + *name, *value));
    at += *name + *value;
  }
  return read;
}

Read decode(Bytes bytes) {
  Read read;
  protocol::PairReader reader(bytes);
  while (const auto pair = reader.next()) {
    require(pair->name.data() >= base::as_text(bytes).data(), "pairs are views of what was read");
    read.pairs.emplace_back(pair->name, pair->value);
  }
  read.broken = reader.broken();
  require(!reader.next() && reader.broken() == read.broken, "a reader that has ended stays at its end");
  return read;
}

void check_reader(Bytes input, const Read& expected) {
  require(decode(input) == expected, "pairs are as the specification says");
  base::Buffer again;
  for (const auto& [name, value] : expected.pairs) protocol::append_pair(again, name, value);
  require(again.size() <= input.size(), "lengths are written as short as they can be");
  require(decode(again.bytes()) == Read{expected.pairs, false},
          "pairs that were decoded and encoded are the same");
}

void check_management(Bytes input, const Read& expected) {
  base::Buffer out;
  const bool answered = protocol::append_get_values_result(out, input, {7, 8});
  require(answered == !expected.broken, "a broken query, and no other, is not answered");
  if (!answered) {
    require(out.empty(), "a broken query leaves nothing behind");
    return;
  }
  require(out.size() <= 104 && out.size() >= 8, "an answer is small whatever was asked");
  const Bytes record = out.bytes();
  const std::size_t length = record[4] * 256U + record[5];
  const Read answer = decode(record.subspan(8, length));
  const std::map<std::string, std::string> known = {
      {"FCGI_MAX_CONNS", "7"}, {"FCGI_MAX_REQS", "8"}, {"FCGI_MPXS_CONNS", "1"}};
  Pairs wanted;
  for (const auto& [name, value] : expected.pairs) {
    const auto found = known.find(name);
    if (found == known.end()) continue;
    const std::pair<std::string, std::string> pair(*found);
    if (std::find(wanted.begin(), wanted.end(), pair) == wanted.end()) wanted.push_back(pair);
  }
  require(answer == Read{wanted, false}, "each known name is answered once, in the order of the query");
}

/// What is left of repeated names; nothing when the request is refused.
std::optional<Pairs> settled(const Pairs& pairs) {
  Pairs kept;
  bool differing_length = false;
  for (const auto& [name, value] : pairs) {
    if (name.empty() || name.find('\0') != std::string::npos || value.find('\0') != std::string::npos)
      return std::nullopt;
    if (name == "HTTP_PROXY") continue;
    const auto same = [&, wanted = name](const auto& each) { return each.first == wanted; };
    const auto before = std::find_if(kept.begin(), kept.end(), same);
    if (before == kept.end()) {
      kept.emplace_back(name, value);
    } else if (before->second != value) {
      const bool is_clients = name.starts_with("HTTP_");
      if (name == "HTTP_AUTHORIZATION" || name == "HTTP_HOST" || name == "REQUEST_METHOD" ||
          name.starts_with("TRIVET_"))
        return std::nullopt;
      if (name == "CONTENT_LENGTH") differing_length = true;
      before->second = is_clients ? before->second + (name == "HTTP_COOKIE" ? "; " : ", ") + value : value;
    }
  }
  if (differing_length) std::erase_if(kept, [](const auto& each) { return each.first == "CONTENT_LENGTH"; });
  return kept;
}

void check_known(const cgi::Params& params) {
  for (const cgi::KnownParam each :
       {cgi::KnownParam("REQUEST_METHOD"), cgi::KnownParam("CONTENT_LENGTH"), cgi::KnownParam("SCRIPT_NAME"),
        cgi::KnownParam("HTTP_HOST"), cgi::KnownParam("HTTP_AUTHORIZATION"),
        cgi::KnownParam("REMOTE_PASSWD")}) {
    require(params.find(each) == params.find(cgi::known_params[each.number]),
            "a known name is where it is found");
  }
}

/// One list, in parameters that may know the names of the one before.
void check_params(cgi::Params& params, Bytes input) {
  const Read read = reference(base::as_text(input));
  params.reset();
  protocol::PairReader reader(input, &params.names_before());
  constexpr std::size_t batch = 8;
  for (std::size_t count = batch; count == batch;) {
    count = reader.next(params.room(batch));
    params.took(count);
  }
  require(reader.broken() == read.broken && params.all().size() == read.pairs.size(),
          "names that are expected change nothing of what is read");
  if (read.broken) return;
  if (base::count_zeros(input) != reader.zeros_in_lengths()) params.note_nul();
  const bool refused = params.settle(reader.as_expected()).has_value();
  const auto expected = settled(read.pairs);
  require(refused == !expected.has_value(),
          "a request is refused for what would mean two things, and for no other");
  if (!expected) return;
  Pairs found;
  for (const cgi::Param& param : params.all()) found.emplace_back(param.name, param.value);
  require(found == *expected, "each name is there once, with the value that the rule gives it");
  for (const auto& [name, value] : *expected) require(params.get(name) == value, "each name is found");
  check_known(params);
  // What guards decide stands in place of what came.
  for (const auto& [name, value] : *expected) params.set(name, value + name);
  for (const auto& [name, value] : *expected)
    require(params.get(name) == value + name, "what is set is read");
  params.remove("REMOTE_USER");
  require(params.find("REMOTE_USER") == nullptr, "what is removed is gone");
  check_known(params);
}

/// The list between lists that are like it: cut, begun later, and different in one byte.
void check_params(Bytes input) {
  cgi::Params params;
  check_params(params, input);
  if (input.empty()) return;
  const std::size_t at = (input.back() * 257U + input.front()) % input.size();
  std::vector<std::uint8_t> other(input.begin(), input.end());
  other[at] ^= static_cast<std::uint8_t>(input[input.size() / 2] | 1U);
  for (const Bytes each : {input, input.first(at), input, Bytes(other), input, input.subspan(at), input})
    check_params(params, each);
}

}  // namespace
}  // namespace trivet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const trivet::base::Bytes input(data, size);
  const auto expected = trivet::fuzz::reference(trivet::base::as_text(input));
  trivet::fuzz::check_reader(input, expected);
  trivet::fuzz::check_management(input, expected);
  trivet::fuzz::check_params(input);
  return 0;
}
