#pragma once

#include <string>

#include "tests/fuzz/property.hpp"
#include "tests/model/scene.hpp"

namespace trivet::fuzz {

/// A script of what web servers do to a scene: requests whole and in parts, records of any kind, cut
/// anywhere, peers that read slowly, time that passes, ends.
///
/// Every byte string is a script. Each step is one byte, then what it needs:
///
///   bits 0..3  what is done, see Step
///   bits 4..5  how bytes reach the host: 0 at once, 1 in two pieces, 2 one by one, 3 together with what
///   comes next bit  6     on which connection
///
/// Plugins run on the loop alone: with threads the same script would not do the same twice.
///
/// Errors    What must not happen ends the process (model/require.hpp).
class Scenario {
 public:
  Scenario() {
    scene_.connect(0);
    scene_.connect(1);
  }
  void run(Script script);
  void finish() { scene_.finish(); }

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

  void step(Script& script);
  std::string bytes_of(Step step, Script& script);

  model::Scene scene_;
};

}  // namespace trivet::fuzz
