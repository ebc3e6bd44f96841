#include <trivet/plugin.hpp>

/// The least that each role can be: five bytes, an allow, and what came as it came. What is measured with it
/// is what the host costs.
struct Small {
  static constexpr bool never_blocks = true;

  void handle(trivet::Request&, trivet::Response& out) {
    out.header("Content-Type", "text/plain");
    out << "hello";
  }
  trivet::Verdict check(trivet::Request&) { return trivet::allow(); }
  void data(std::string_view chunk, trivet::Output& out, bool) { out << chunk; }
};

TRIVET_PLUGIN(Small, "small", "1.0.0")
