#include <trivet/plugin.hpp>

/// Takes a body, whatever its size, and says hello.
struct Swallow {
  static constexpr bool never_blocks = true;

  struct Responder {
    Responder(trivet::Request&, trivet::Response& out) { out.header("Content-Type", "text/plain"); }
    void body(std::string_view, trivet::Response& out, bool last) {
      if (last) out << "hello";
    }
  };
};

TRIVET_PLUGIN(Swallow, "swallow", "1.0.0")
