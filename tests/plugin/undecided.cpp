#include <trivet/plugin.hpp>

/// An authorizer that gives back a verdict it never made.
struct Undecided {
  static constexpr bool never_blocks = true;
  trivet::Verdict check(trivet::Request&) { return {}; }
};

TRIVET_PLUGIN(Undecided, "undecided", "1.0.0")
