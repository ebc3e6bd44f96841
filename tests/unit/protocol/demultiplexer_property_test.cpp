// However requests are split into records, padded, interleaved with each other and with what is to be
// ignored, and cut on their way: the same requests arrive.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/protocol/demultiplexer.hpp"
#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/seed.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using Random = std::mt19937;
using Events = std::vector<std::string>;

unsigned below(Random& random, unsigned bound) { return static_cast<unsigned>(random() % bound); }
bool one_in(Random& random, unsigned bound) { return below(random, bound) == 0; }

std::string noise(Random& random, unsigned size) {
  std::string made(size, '\0');
  for (char& byte : made) byte = static_cast<char>(random());
  return made;
}

wire::Filling any_filling(Random& random) {
  return {one_in(random, 2) ? "" : noise(random, below(random, 256)), below(random, 256)};
}

/// A request as it is meant, without records.
struct Meant {
  unsigned id = 0;
  unsigned role = 0;
  bool keeps = false;
  std::string params, body, data;
  bool is_aborted = false;  ///< Instead of the end of its last stream.
};

Meant any_request(Random& random, unsigned id) {
  Meant meant;
  meant.id = id;
  meant.role = 1 + below(random, 3);
  meant.keeps = one_in(random, 2);
  for (std::string* stream : {&meant.params, &meant.body, &meant.data}) {
    if (!one_in(random, 4)) *stream = noise(random, below(random, one_in(random, 20) ? 70000 : 60));
  }
  meant.is_aborted = one_in(random, 4);
  return meant;
}

void add_events(const Meant& meant, Events& events) {
  const std::string id = std::to_string(meant.id) + ' ';
  static const std::string roles[] = {"", "responder", "authorizer", "filter"};
  events.push_back(id + "begin " + roles[meant.role] + (meant.keeps ? " keep" : ""));
  const auto stream = [&](const std::string& name, const std::string& content, bool is_last) {
    if (!content.empty()) {
      events.push_back(id + name + ' ' + content);
    }
    events.push_back(is_last && meant.is_aborted ? id + "aborted" : id + name + "_end");
  };
  stream("params", meant.params, meant.role == wire::authorizer);
  if (meant.role == wire::authorizer) return;
  stream("body", meant.body, meant.role == wire::responder);
  if (meant.role == wire::filter) stream("data", meant.data, true);
}

/// The records of one request in one of the many ways there are, and how many of them are to be ignored.
class Encoded {
 public:
  Encoded(const Meant& meant, Random& random) : random_(random), id_(meant.id) {
    records_.push_back(wire::begin(meant.id, meant.role, meant.keeps ? 255 : 254));
    add_stream(wire::params, meant.params, meant.is_aborted && meant.role == wire::authorizer, meant);
    if (meant.role != wire::authorizer) {
      add_stream(wire::standard_in, meant.body, meant.is_aborted && meant.role == wire::responder, meant);
    }
    if (meant.role == wire::filter) add_stream(wire::data, meant.data, meant.is_aborted, meant);
    while (one_in(random_, 3)) add_ignored(one_in(random_, 2) ? wire::params : wire::standard_in);
  }

  std::deque<std::string> records() && { return std::move(records_); }
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }

 private:
  void add_stream(unsigned type, std::string_view content, bool is_aborted, const Meant& meant) {
    while (!content.empty()) {
      const std::size_t most = one_in(random_, 3) ? 65535 : 1 + below(random_, 300);
      const std::size_t size = std::min(content.size(), most);
      records_.push_back(wire::record(type, id_, content.substr(0, size), any_filling(random_)));
      content.remove_prefix(size);
      if (one_in(random_, 6) && meant.role != wire::filter) add_ignored(wire::data);
      if (one_in(random_, 6)) add_ignored(12 + below(random_, 200));
    }
    records_.push_back(is_aborted ? wire::record(wire::abort_request, id_, "x", any_filling(random_))
                                  : wire::record(type, id_, "", any_filling(random_)));
  }

  void add_ignored(unsigned type) {
    records_.push_back(wire::record(type, id_, noise(random_, 1 + below(random_, 50)), any_filling(random_)));
    ++ignored_;
  }

  Random& random_;
  unsigned id_;
  std::deque<std::string> records_;
  std::uint64_t ignored_ = 0;
};

/// Bytes of a whole connection and all that must come of them.
struct Connection {
  std::string bytes;
  std::map<unsigned, Events> events;
  std::string out;
  std::uint64_t ignored = 0;
};

/// A record between those of the requests.
void add_noise(Connection& connection, Random& random) {
  switch (below(random, 4)) {
    case 0:
      connection.bytes +=
          wire::record(wire::get_values, 0,
                       wire::pair("FCGI_MAX_REQS", "") + wire::pair("?", noise(random, below(random, 300))),
                       any_filling(random));
      connection.out += wire::padded(wire::get_values_result, 0, wire::pair("FCGI_MAX_REQS", "20"));
      break;
    case 1: {
      const unsigned type = 12 + below(random, 244);
      connection.bytes += wire::record(type, 0, noise(random, below(random, 100)), any_filling(random));
      connection.out +=
          wire::record(wire::unknown_type, 0, std::string(1, static_cast<char>(type)) + std::string(7, '\0'));
      break;
    }
    case 2: {  // Ids of requests are odd.
      constexpr unsigned types[] = {wire::params, wire::standard_in, wire::data, wire::abort_request, 99};
      connection.bytes += wire::record(types[below(random, 5)], 2 * (1 + below(random, 32000)),
                                       noise(random, below(random, 30)), any_filling(random));
      ++connection.ignored;
      break;
    }
    default: {
      const unsigned id = 2 * (1 + below(random, 32000));
      connection.bytes += wire::begin(id, 4 + below(random, 60000), 1);
      connection.out += wire::end(id, 0, 3);
      connection.events[id].push_back(std::to_string(id) + " unknown_role keep");
      break;
    }
  }
}

/// One to six ids, each used by one to three requests after each other.
Connection any_connection(Random& random) {
  Connection connection;
  std::map<unsigned, std::deque<std::string>> waiting;
  for (unsigned count = 1 + below(random, 6); count != 0; --count) {
    const unsigned id = 1 + 2 * below(random, 32767);
    if (waiting.contains(id)) continue;
    for (unsigned uses = 1 + below(random, 3); uses != 0; --uses) {
      const Meant meant = any_request(random, id);
      add_events(meant, connection.events[id]);
      Encoded encoded(meant, random);
      connection.ignored += encoded.ignored();
      for (std::string& record : std::move(encoded).records()) waiting[id].push_back(std::move(record));
    }
  }
  while (!waiting.empty()) {
    const auto next = std::next(waiting.begin(), below(random, static_cast<unsigned>(waiting.size())));
    connection.bytes += next->second.front();
    next->second.pop_front();
    if (next->second.empty()) waiting.erase(next);
    if (one_in(random, 5)) add_noise(connection, random);
  }
  return connection;
}

void feed_in_random_pieces(Recorder& recorder, std::string_view bytes, Random& random) {
  const unsigned largest = 1U << below(random, 17);
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 1 + below(random, largest));
    recorder.feed(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
}

/// Events by id, payload of one stream joined however often another request came between.
std::map<unsigned, Events> events_by_id(const Events& events) {
  std::map<unsigned, Events> sorted;
  std::map<unsigned, std::string> last;
  for (const std::string& event : events) {
    const auto id = static_cast<unsigned>(std::stoul(event));
    const std::size_t name = event.find(' ') + 1;
    const std::size_t payload = event.find(' ', name);
    const std::string stream = payload == std::string::npos ? "" : event.substr(name, payload - name);
    const bool is_payload = stream == "params" || stream == "body" || stream == "data";
    if (is_payload && stream == last[id]) {
      sorted[id].back() += event.substr(payload + 1);
    } else {
      sorted[id].push_back(event);
    }
    last[id] = stream;
  }
  return sorted;
}

TEST(AnyConnection, C20_BringsTheRequestsThatWereMeant) {
  const unsigned seed = test_seed();
  for (unsigned round = 0; round < 300; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Random random(seed + round);
    const Connection connection = any_connection(random);
    Recorder recorder(release_when_over);
    feed_in_random_pieces(recorder, connection.bytes, random);
    const Outcome outcome = recorder.outcome();
    ASSERT_EQ(outcome.failure, "");
    ASSERT_EQ(events_by_id(outcome.events), connection.events);
    ASSERT_EQ(outcome.out, connection.out);
    ASSERT_EQ(outcome.ignored, connection.ignored);
    ASSERT_EQ(outcome.open, 0U);
    ASSERT_TRUE(outcome.at_boundary);
  }
}

/// Out of the answers to management records and unknown roles, whose order between them may change: sorted.
std::vector<std::string> sorted_records(std::string_view out) {
  std::vector<std::string> records;
  while (!out.empty()) {
    const std::size_t content =
        static_cast<unsigned char>(out[4]) * 256U + static_cast<unsigned char>(out[5]);
    const std::size_t size = 8 + content + static_cast<unsigned char>(out[6]);
    records.emplace_back(out.substr(0, size));
    out.remove_prefix(size);
  }
  std::sort(records.begin(), records.end());
  return records;
}

/// Frozen after any byte and handed over as soon as nothing is open: one demultiplexer saw the beginning, the
/// other is fed what the first kept and then the rest.
TEST(AnyConnection, BringsTheSameRequestsWhenItIsFrozenAndHandedOver) {
  const unsigned seed = test_seed();
  for (unsigned round = 0; round < 300; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Random random(seed + round);
    const Connection connection = any_connection(random);
    std::string_view rest = connection.bytes;
    Recorder first(release_when_over), second(release_when_over);
    const auto feed = [&](Recorder& to, std::size_t size) {
      feed_in_random_pieces(to, rest.substr(0, size), random);
      rest.remove_prefix(size);
    };
    feed(first, below(random, static_cast<unsigned>(rest.size() + 1)));
    Demultiplexer& frozen = first.demultiplexer();
    frozen.freeze(connection.bytes.size() + 100);
    while (!rest.empty() && (!frozen.can_move() || one_in(random, 3))) {
      feed(first, std::min<std::size_t>(rest.size(), 1 + below(random, one_in(random, 2) ? 3000 : 9)));
    }
    if (one_in(random, 5)) {
      ASSERT_EQ(frozen.thaw(), "");
      feed(first, rest.size());
    }
    ASSERT_TRUE(frozen.can_move());
    const base::Buffer kept = frozen.take_kept();
    if (!kept.empty()) feed_in_random_pieces(second, base::as_text(kept.bytes()), random);
    feed(second, rest.size());
    const Outcome before = first.outcome(), after = second.outcome();
    Events events = before.events;
    events.insert(events.end(), after.events.begin(), after.events.end());
    ASSERT_EQ(before.failure + after.failure, "");
    ASSERT_EQ(events_by_id(events), connection.events);
    ASSERT_EQ(sorted_records(before.out + after.out), sorted_records(connection.out));
    ASSERT_EQ(before.ignored + after.ignored, connection.ignored);
    ASSERT_EQ(after.open, 0U);
    ASSERT_TRUE(after.at_boundary);
  }
}

/// The same at every byte of one connection, and at every byte after that.
TEST(AnyConnection, IsFrozenAndHandedOverAtEveryByte) {
  const std::string bytes = wire::begin(1, wire::responder) + wire::begin(3, wire::authorizer) +
                            wire::record(wire::params, 1, "", {"p", 0}) + wire::request(5, wire::filter) +
                            wire::record(wire::params, 3, "x") + wire::record(wire::standard_in, 1, "body") +
                            wire::record(wire::params, 3, "") + wire::record(wire::standard_in, 1, "") +
                            wire::request(1, wire::authorizer);
  Recorder plain(release_when_over);
  plain.feed(bytes);
  const auto expected = events_by_id(plain.outcome().events);
  for (std::size_t frozen_at = 0; frozen_at <= bytes.size(); ++frozen_at) {
    for (std::size_t moved_at = frozen_at; moved_at <= bytes.size(); ++moved_at) {
      Recorder first(release_when_over), second(release_when_over);
      first.feed(std::string_view(bytes).substr(0, frozen_at));
      first.demultiplexer().freeze(bytes.size() + 16);
      first.feed(std::string_view(bytes).substr(frozen_at, moved_at - frozen_at));
      if (!first.demultiplexer().can_move()) continue;
      const base::Buffer kept = first.demultiplexer().take_kept();
      second.feed(kept.bytes());
      second.feed(std::string_view(bytes).substr(moved_at));
      Events events = first.outcome().events;
      for (std::string& event : second.outcome().events) events.push_back(std::move(event));
      ASSERT_EQ(events_by_id(events), expected) << "frozen at " << frozen_at << ", moved at " << moved_at;
      ASSERT_EQ(second.outcome().failure, "");
      ASSERT_EQ(second.outcome().open, 0U);
    }
  }
}

/// Damaged bytes mean anything; what they mean does not depend on where they are cut.
TEST(AnyConnection, C10_WithDamageMeansTheSameHoweverCut) {
  const unsigned seed = test_seed();
  for (unsigned round = 0; round < 1000; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Random random(seed + round);
    std::string bytes;
    for (unsigned id = 1; id <= 3; ++id) bytes += wire::request(id, id);
    bytes += wire::record(wire::get_values, 0, wire::pair("FCGI_MAX_REQS", ""));
    for (unsigned damages = 1 + below(random, 4); damages != 0; --damages) {
      const std::size_t at = below(random, static_cast<unsigned>(bytes.size()));
      switch (below(random, 3)) {
        case 0:
          bytes[at] = static_cast<char>(one_in(random, 2) ? below(random, 12) : random());
          break;
        case 1:
          bytes.erase(at, 1 + below(random, 9));
          break;
        default:
          bytes.insert(at,
                       bytes.substr(below(random, static_cast<unsigned>(bytes.size())), below(random, 40)));
          break;
      }
    }
    Recorder whole(release_when_over), bytewise(release_when_over), pieces(release_when_over);
    whole.feed(bytes);
    for (const char& byte : bytes) bytewise.feed(std::string_view(&byte, 1));
    feed_in_random_pieces(pieces, bytes, random);
    ASSERT_EQ(bytewise.outcome(), whole.outcome());
    ASSERT_EQ(pieces.outcome(), whole.outcome());
  }
}

}  // namespace
}  // namespace trivet::protocol
