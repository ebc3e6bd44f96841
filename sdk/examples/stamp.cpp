#include <trivet/plugin.hpp>

/// Ends each text with a line from the settings, and with how many bytes went before it. The settings belong
/// to the plugin, the count to one request.
struct Stamp {
  static constexpr bool never_blocks = true;
  std::string line;
  explicit Stamp(trivet::Settings& settings) : line(settings.text("line", "seen by Trivet")) {}

  struct Filter {
    const Stamp& stamp;
    std::uint64_t bytes = 0;

    void data(std::string_view chunk, trivet::Output& out, bool last) {
      bytes += chunk.size();
      out << chunk;
      if (last) out << stamp.line << ", " << bytes << " bytes\n";
    }
  };
};

TRIVET_PLUGIN(Stamp, "stamp", "1.0.0")
