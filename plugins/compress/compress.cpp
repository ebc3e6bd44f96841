#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/media_type.hpp>
#include <trivet/plugin.hpp>
#include <utility>
#include <vector>

#include "accept_encoding.hpp"
#include "encoder.hpp"

/// Compresses responses in the coding that the client likes best: gzip, br or zstd.
///
/// Memory    Per response what the chosen library holds, see the README; nothing of a body that is left
/// alone, and of
///           another at most `min_size` bytes before it begins.
struct Compress {
  static constexpr bool shared_instance = true;  // What was read from the settings never changes.
  static constexpr bool pure = true;             // What depends on Accept-Encoding is named in Vary.
  static constexpr bool any_encoding = true;     // Those that have one pass as they are.

  struct Config {
    std::vector<std::string> codings = {"zstd", "br", "gzip"};
    std::vector<std::string> types = {"text/*",
                                      "application/json",
                                      "application/*+json",
                                      "application/javascript",
                                      "application/x-javascript",
                                      "application/xml",
                                      "application/*+xml",
                                      "application/x-ndjson",
                                      "application/json-seq",
                                      "application/manifest+json",
                                      "application/wasm",
                                      "image/svg+xml",
                                      "image/bmp",
                                      "image/x-icon",
                                      "image/vnd.microsoft.icon",
                                      "font/ttf",
                                      "font/otf",
                                      "application/vnd.ms-fontobject"};
    std::vector<std::string> flush_types = {"text/event-stream", "application/x-ndjson",
                                            "application/json-seq"};
    std::int64_t min_size = 256;
    std::int64_t gzip_level = 5;
    std::int64_t br_level = 4;
    std::int64_t zstd_level = 3;
    static constexpr auto settings =
        trivet::settings(trivet::setting("codings", &Config::codings).length(1, 3),
                         trivet::setting("types", &Config::types).length(1, 200),
                         trivet::setting("flush_types", &Config::flush_types).length(0, 200),
                         trivet::setting("min_size", &Config::min_size).between(0, 65536),
                         trivet::setting("gzip_level", &Config::gzip_level).between(1, 9),
                         trivet::setting("br_level", &Config::br_level).between(0, 9),
                         trivet::setting("zstd_level", &Config::zstd_level).between(1, 9));
  };

  Compress(const Config& config, const trivet::Settings& settings)
      : types(config.types),
        flush_types(config.flush_types),
        min_size(static_cast<std::size_t>(config.min_size)),
        levels{static_cast<int>(config.gzip_level), static_cast<int>(config.br_level),
               static_cast<int>(config.zstd_level)} {
    for (std::size_t at = 0; at < config.codings.size(); ++at) {
      const std::string key = "codings." + std::to_string(at);
      const std::optional<Coding> coding = coding_of(config.codings[at]);
      if (!coding) settings.fail(key, "has to be one of gzip, br, zstd");
      for (const Coding other : codings) {
        if (other == *coding) settings.fail(key, "is there twice: " + config.codings[at]);
      }
      codings.push_back(*coding);
    }
  }

  [[nodiscard]] std::unique_ptr<Encoder> make(Coding coding) const {
    constexpr int window_bits = 18;  // 256 KiB
    const int level = levels[static_cast<std::size_t>(coding)];
    switch (coding) {
      case Coding::gzip:
        return std::make_unique<GzipEncoder>(level);
      case Coding::br:
        return std::make_unique<BrotliEncoder>(level, window_bits);
      case Coding::zstd:
        return std::make_unique<ZstdEncoder>(level, window_bits);
    }
    return nullptr;
  }

  /// One response.
  ///
  ///   waiting -> coding      at the first `min_size` bytes; as it is where it ends before
  ///   silent                 an answer to HEAD
  ///   passing                it is not for this filter, which passed
  struct Filter {
    Filter(const Compress& with, const trivet::Request& request, trivet::Output& out) : plugin(with) {
      state = begin(request, out);
      if (state == State::passing) out.pass();
    }

    void data(std::string_view chunk, trivet::Output& out, bool last) {
      switch (state) {
        case State::passing:
        case State::silent:
          return;
        case State::waiting:
          if (held.size() + chunk.size() < least || (chunk.empty() && held.empty())) {
            if (last) {
              out << held;
            } else {
              held += chunk;
            }
            return;
          }
          say_so(out);
          encoder = plugin.make(*coding);
          state = State::coding;
          if (!held.empty()) encode(held, Encoder::After::more, out);
          std::string().swap(held);
          [[fallthrough]];
        case State::coding:
          encode(chunk,
                 last      ? Encoder::After::end
                 : flushes ? Encoder::After::flush
                           : Encoder::After::more,
                 out);
          if (flushes && !last) out.flush();
          return;
      }
    }

   private:
    enum class State : std::uint8_t { passing, silent, waiting, coding };

    /// Decides by the heads, and changes that of the response.
    State begin(const trivet::Request& request, trivet::Output& out) {
      const std::string type(out.find_header("Content-Type").value_or(""));
      if (!is_eligible(out, type)) return State::passing;
      const std::string vary(out.find_header("Vary").value_or(""));
      if (!trivet::lists_word(vary, "Accept-Encoding") && !trivet::lists_word(vary, "*"))
        out.add_header("Vary", "Accept-Encoding");
      const AcceptEncoding accepted(request.param("HTTP_ACCEPT_ENCODING"));
      coding = accepted.choose(plugin.codings);
      if (!coding) return State::passing;
      flushes = plugin.flush_types.contains(type);
      least = flushes || accepted.refuses_identity() ? 0 : plugin.min_size;
      const std::optional<std::uint64_t> length = length_of(out.find_header("Content-Length"));
      if (length && *length < least) return State::passing;
      if (length) least = 0;
      // The head of an answer to HEAD is that of GET; there are no bytes to decide by.
      if (request.method() != "HEAD") return State::waiting;
      say_so(out);
      return State::silent;
    }

    [[nodiscard]] bool is_eligible(const trivet::Output& out, const std::string& type) const {
      if (!trivet::has_plain_body(out) || out.find_header("Content-Range")) return false;
      if (trivet::lists_word(out.find_header("Cache-Control").value_or(""), "no-transform")) return false;
      return plugin.types.contains(type);
    }

    static std::optional<std::uint64_t> length_of(std::optional<std::string_view> text) {
      std::uint64_t length = 0;
      if (!text) return std::nullopt;
      const auto read = std::from_chars(text->data(), text->data() + text->size(), length);
      if (read.ec != std::errc() || read.ptr != text->data() + text->size()) return std::nullopt;
      return length;
    }

    void say_so(trivet::Output& out) const {
      out.header("Content-Encoding", name_of(*coding));
      out.remove_header("Content-Length");
    }
    void encode(std::string_view bytes, Encoder::After after, trivet::Output& out) {
      encoder->encode(bytes, after, [&out](std::string_view piece) { out << piece; });
    }

    const Compress& plugin;
    State state = State::passing;
    std::optional<Coding> coding;
    bool flushes = false;
    std::size_t least = 0;
    std::string held;
    std::unique_ptr<Encoder> encoder;
  };

 private:
  static std::optional<Coding> coding_of(std::string_view name) {
    for (const Coding coding : {Coding::gzip, Coding::br, Coding::zstd}) {
      if (name == name_of(coding)) return coding;
    }
    return std::nullopt;
  }

  std::vector<Coding> codings;
  trivet::MediaTypes types;
  trivet::MediaTypes flush_types;
  std::size_t min_size;
  std::array<int, coding_names.size()> levels;
};

TRIVET_PLUGIN(Compress, "compress", "1.0.0")
