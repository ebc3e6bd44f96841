#include <trivet/plugin.hpp>

/// Answers with the body as it comes.
struct Repeat {
  static constexpr bool never_blocks = true;

  struct Responder {
    Responder(trivet::Request&, trivet::Response& out) { out.header("Content-Type", "text/plain"); }
    void body(std::string_view chunk, trivet::Response& out, bool) { out << chunk; }
  };
};

TRIVET_PLUGIN(Repeat, "repeat", "1.0.0")
