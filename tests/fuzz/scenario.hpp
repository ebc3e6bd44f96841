#pragma once

#include <array>
#include <string>
#include <string_view>

#include "tests/fuzz/peer_model.hpp"
#include "tests/fuzz/property.hpp"
#include "tests/unit/host/harness.hpp"

namespace trivet::fuzz {

/// A host with guards, sources and filters, two connections to it, and a script of what web servers do:
/// requests whole and in parts, records of any kind, cut anywhere, peers that read slowly, time that passes,
/// ends.
///
/// Every byte string is a script. Each step is one byte, then what it needs:
///
///   bits 0..3  what is done, see Step
///   bits 4..5  how bytes reach the host: 0 at once, 1 in two pieces, 2 one by one, 3 together with what
///   comes next bit  6     on which connection
///
/// Plugins run on the loop alone: with threads the same script would not do the same twice.
///
/// Errors    What must not happen ends the process (property.hpp).
class Scenario {
 public:
  Scenario();

  void run(Script script);
  /// Peers take everything, time passes: every request has ended, or its connection closed. Then the peers
  /// end, and nothing is left of them.
  void finish();

 private:
  enum class Step : std::uint8_t {
    begin,
    params,
    params_end,
    body,
    body_end,
    data,
    data_end,
    abort,
    request,
    record,
    bytes,
    get_values,
    take,
    read_at_most,
    advance,
    end,
  };
  struct Side {
    explicit Side(Scenario& scenario);
    host::testing::Bench::Wire& wire;
    PeerModel model;
    std::string kept;  ///< Sent together with what comes next.
    bool has_ended = false;
  };

  void step(Script& script);
  std::string bytes_of(Step step, Script& script);
  void deliver(Side& side, std::string bytes, unsigned how, std::size_t cut);
  void give(Side& side, std::string_view bytes);
  void end(Side& side, unsigned how);
  /// After everything that may have made the host act.
  void check();

  YesBook yes_;
  host::testing::Bench bench_;
  std::array<Side, 2> sides_;
  std::size_t tags_ = 0;
};

}  // namespace trivet::fuzz
