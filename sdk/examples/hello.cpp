#include <trivet/plugin.hpp>

struct Hello {
  static constexpr bool never_blocks = true;
  void handle(trivet::Request& request, trivet::Response& out) {
    out.header("Content-Type", "text/plain");
    out << "hello from " << request.param("SCRIPT_NAME") << "\n";
  }
};

TRIVET_PLUGIN(Hello, "hello", "1.0.0")
