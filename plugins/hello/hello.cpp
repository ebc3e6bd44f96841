#include <trivet/plugin.hpp>

/// The smallest answer there is, for first steps and for measuring what the host itself costs: it allocates
/// nothing and looks at nothing.
struct Hello {
  static constexpr bool never_blocks = true;

  void handle(trivet::Request&, trivet::Response& out) {
    out.header("Content-Type", "text/plain");
    out << "hello from Trivet\n";
  }
};

TRIVET_PLUGIN(Hello, "hello", "1.0.0")
