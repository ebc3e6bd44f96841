#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <trivet/media_type.hpp>
#include <trivet/plugin.hpp>
#include <variant>
#include <vector>

#include "literal.hpp"
#include "pattern.hpp"

/// Replaces text: what is written out, or what a regular expression matches.
///
///     config = { rules = [{ find = "old", with = "new" }, { regex = '(\d+) EUR', with = '€ \1' }] }
///
/// Memory    Per response and rule what LiteralStream and PatternStream hold back, and 16 KiB of output.
struct Substitute {
  static constexpr bool shared_instance = true;  // What was read from the settings never changes.
  static constexpr bool pure = true;

  struct Rule {
    std::optional<std::string> find;
    std::optional<std::string> regex;
    std::string with;
    bool ignore_case = false;
    bool once = false;
    bool across_lines = false;
    static constexpr auto settings = trivet::settings(
        trivet::setting("find", &Rule::find).length(1, 4096),
        trivet::setting("regex", &Rule::regex).length(1, 4096),
        trivet::setting("with", &Rule::with).required().length(0, 65536),
        trivet::setting("ignore_case", &Rule::ignore_case), trivet::setting("once", &Rule::once),
        trivet::setting("across_lines", &Rule::across_lines));
  };
  struct Config {
    std::vector<Rule> rules;
    std::int64_t window = 4096;
    std::int64_t max_growth = 16 << 20;
    std::vector<std::string> types = {"text/*",
                                      "application/json",
                                      "application/*+json",
                                      "application/javascript",
                                      "application/x-javascript",
                                      "application/xml",
                                      "application/*+xml",
                                      "application/x-ndjson",
                                      "image/svg+xml"};
    static constexpr auto settings =
        trivet::settings(trivet::setting("rules", &Config::rules).required().length(1, 64),
                         trivet::setting("window", &Config::window).between(16, 1 << 20),
                         trivet::setting("max_growth", &Config::max_growth).between(0, 1 << 30),
                         trivet::setting("types", &Config::types).length(1, 200));
  };

  Substitute(const Config& config, const trivet::Settings& settings)
      : types(config.types), max_growth(static_cast<std::size_t>(config.max_growth)) {
    std::size_t patterns = 0;
    for (std::size_t at = 0; at < config.rules.size(); ++at) {
      const std::string key = "rules." + std::to_string(at);
      const Rule& rule = config.rules[at];
      if (rule.find.has_value() == rule.regex.has_value())
        settings.fail(key, "has to have either find or regex");
      if (rule.find) {
        if (rule.across_lines)
          settings.fail(key + ".across_lines", "is for a regex: find crosses lines anyway");
        rules.emplace_back(std::make_unique<Literal>(*rule.find, rule.with, rule.ignore_case, rule.once));
      } else {
        ++patterns;
        rules.emplace_back(pattern_of(rule, static_cast<std::size_t>(config.window), key, settings));
      }
    }
    constexpr std::size_t most = 8 << 20;
    if (patterns * static_cast<std::size_t>(config.window) > most) {
      settings.fail("window", "is too large for " + std::to_string(patterns) +
                                  " regular expressions: together they may have 8388608 bytes");
    }
  }

  /// One response.
  struct Filter final : private Sink {
    Filter(const Substitute& with, const trivet::Request& asked, trivet::Output& answer)
        : plugin(with), request(asked), out(answer) {
      if (!is_eligible()) {
        out.pass();
        return;
      }
      out.remove_header("Content-Length");
      for (const auto& rule : plugin.rules) {
        stages.push_back(std::make_unique<Stage>(*this, rule));
        if (stages.size() > 1) stages[stages.size() - 2]->next = stages.back().get();
      }
      gathered.reserve(most_gathered);
      // No bytes come with HEAD, and none may be made of nothing.
      waits_for_bytes = request.method() == "HEAD";
    }

    void data(std::string_view chunk, trivet::Output& /*the same*/, bool last) {
      if (!chunk.empty()) waits_for_bytes = false;
      if (waits_for_bytes) return;
      most_written = chunk.size() + plugin.max_growth;
      written = 0;
      stages.front()->feed(chunk, last);
      send();
    }

   private:
    static constexpr std::size_t most_gathered = 16384;

    /// A rule that hands on to the next, or to the client.
    struct Stage final : Sink {
      Stage(Filter& filter, const std::variant<std::unique_ptr<Literal>, std::unique_ptr<Pattern>>& rule)
          : owner(filter) {
        if (const auto* literal = std::get_if<std::unique_ptr<Literal>>(&rule)) {
          stream = std::make_unique<LiteralStream>(**literal);
        } else {
          stream = std::make_unique<PatternStream>(*std::get<std::unique_ptr<Pattern>>(rule));
        }
      }
      void feed(std::string_view text, bool last) {
        stream->feed(text, last, *this);
        if (last && next != nullptr) next->feed({}, true);
      }
      void write(std::string_view text) override {
        if (text.empty()) return;
        if (next != nullptr) {
          next->feed(text, false);
        } else {
          owner.write(text);
        }
      }
      void check() override { owner.check(); }

      Filter& owner;
      std::unique_ptr<Stream> stream;
      Stage* next = nullptr;
    };

    [[nodiscard]] bool is_eligible() const {
      return trivet::has_plain_body(out) &&
             plugin.types.contains(out.find_header("Content-Type").value_or(""));
    }

    void write(std::string_view text) override {
      written += text.size();
      if (written > most_written)
        throw std::runtime_error("the rules make the text longer by more than max_growth");
      if (gathered.size() + text.size() > most_gathered) send();
      if (text.size() >= most_gathered) {
        out << text;
      } else {
        gathered += text;
      }
    }
    void send() {
      out << gathered;
      gathered.clear();
    }
    void check() override {
      if (request.cancelled()) throw trivet::Cancelled();
    }

    const Substitute& plugin;
    const trivet::Request& request;
    trivet::Output& out;
    std::vector<std::unique_ptr<Stage>> stages;
    std::string gathered;
    std::size_t written = 0;  ///< Of one chunk.
    std::size_t most_written = 0;
    bool waits_for_bytes = false;
  };

 private:
  static std::unique_ptr<Pattern> pattern_of(const Rule& rule, std::size_t window, const std::string& key,
                                             const trivet::Settings& settings) {
    const auto letters = rule.ignore_case ? Pattern::Case::ignored : Pattern::Case::matters;
    const auto reach = rule.across_lines ? Pattern::Reach::across_lines : Pattern::Reach::one_line;
    // By itself first: so the message shows what the operator wrote.
    const RE2 alone(*rule.regex, Pattern::options(letters, reach));
    if (!alone.ok()) settings.fail(key + ".regex", "is no regular expression: " + alone.error());
    std::string wrong;
    if (!alone.CheckRewriteString(rule.with, &wrong)) settings.fail(key + ".with", "does not fit: " + wrong);
    // One match must not become what no limit holds any more.
    constexpr std::size_t most = 64 << 20;
    if (references_in(rule.with) * window > most)
      settings.fail(key + ".with",
                    "refers to so many groups that one match could give more than 67108864 bytes");
    // The one thing that matches a line break whatever the options say.
    if (!rule.across_lines && rule.regex->find("\\C") != std::string::npos)
      settings.fail(key + ".regex", "has \\C, which needs across_lines = true");
    auto pattern = std::make_unique<Pattern>(*rule.regex, rule.with, letters, reach, rule.once, window);
    if (!pattern->expression.ok())
      settings.fail(key + ".regex", "is no regular expression: " + pattern->expression.error());
    return pattern;
  }

  /// How many of \0 to \9 are in it.
  static std::size_t references_in(std::string_view with) noexcept {
    std::size_t count = 0;
    for (std::size_t at = 0; at + 1 < with.size(); ++at) {
      if (with[at] != '\\') continue;
      ++at;
      count += with[at] >= '0' && with[at] <= '9' ? 1 : 0;
    }
    return count;
  }

  std::vector<std::variant<std::unique_ptr<Literal>, std::unique_ptr<Pattern>>> rules;
  trivet::MediaTypes types;
  std::size_t max_growth;
};

TRIVET_PLUGIN(Substitute, "substitute", "1.0.0")
