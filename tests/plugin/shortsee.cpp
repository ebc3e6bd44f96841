#include <cstdint>
#include <string_view>
#include <trivet/plugin.hpp>

namespace {

/// `12 bytes, short` once the input has ended.
void tell(std::uint64_t bytes, trivet::End end, trivet::Output& out) {
  if (end == trivet::End::not_yet) return;
  out << bytes << " bytes, ";
  out << (end == trivet::End::complete ? "complete" : end == trivet::End::cut_short ? "short" : "long");
}

}  // namespace

/// Asks to see input that ended too early, and says how it ended, instead of having the host refuse it.
struct ShortSee {
  static constexpr bool never_blocks = true;
  static constexpr bool wants_short = true;

  struct Responder {
    std::uint64_t bytes = 0;
    void body(std::string_view chunk, trivet::Response& out, trivet::End end) {
      tell(bytes += chunk.size(), end, out);
    }
  };
  struct Filter {
    std::uint64_t bytes = 0;
    void data(std::string_view chunk, trivet::Output& out, trivet::End end) {
      tell(bytes += chunk.size(), end, out);
    }
  };
};

TRIVET_PLUGIN(ShortSee, "shortsee", "1.0.0")
