#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <trivet/media_type.hpp>
#include <trivet/plugin.hpp>
#include <utility>
#include <vector>

#include "document.hpp"
#include "page.hpp"

constexpr std::string_view plain_page = R"(<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{title}}</title>
</head>
<body>
{{body}}</body>
</html>
)";

/// Makes HTML pages of Markdown. Raw HTML and links that run scripts are left out unless the settings say
/// `unsafe`.
///
/// Memory    Per response the document, up to `max_bytes`, and what reading it takes, up to `max_memory`.
struct Markdown {
  static constexpr bool shared_instance = true;  // What was read from the settings never changes.
  static constexpr bool pure = true;

  struct Config {
    std::optional<std::string> page;
    std::optional<std::string> page_file;
    std::string title = "Untitled";
    std::vector<std::string> extensions{Dialect::known.begin(), Dialect::known.end()};
    std::vector<std::string> types = {"text/markdown", "text/x-markdown"};
    std::int64_t max_bytes = 1 << 20;
    std::int64_t max_memory = 64 << 20;
    bool smart = false;
    bool footnotes = false;
    bool hard_breaks = false;
    bool unsafe = false;
    static constexpr auto settings = trivet::settings(
        trivet::setting("page", &Config::page).length(1, 1 << 20),
        trivet::setting("page_file", &Config::page_file).length(1, 4096),
        trivet::setting("title", &Config::title).length(1, 1000),
        trivet::setting("extensions", &Config::extensions).length(0, 5),
        trivet::setting("types", &Config::types).length(1, 100),
        trivet::setting("max_bytes", &Config::max_bytes).between(1, 64 << 20),
        trivet::setting("max_memory", &Config::max_memory).between(1 << 20, 512 << 20),
        trivet::setting("smart", &Config::smart), trivet::setting("footnotes", &Config::footnotes),
        trivet::setting("hard_breaks", &Config::hard_breaks), trivet::setting("unsafe", &Config::unsafe));
  };

  Markdown(const Config& config, const trivet::Settings& settings)
      : page(text_of_page(config, settings)),
        title(config.title),
        types(config.types),
        max_bytes(static_cast<std::size_t>(config.max_bytes)),
        max_memory(static_cast<std::size_t>(config.max_memory)),
        dialect(checked(config.extensions, settings),
                {config.unsafe, config.smart, config.footnotes, config.hard_breaks}) {
    if (!page.has_body()) settings.fail(config.page_file ? "page_file" : "page", "has no {{body}}");
  }

  /// One response.
  struct Filter {
    Filter(const Markdown& with, const trivet::Request& asked, trivet::Output& out)
        : plugin(with), request(asked) {
      if (!is_eligible(out)) {
        out.pass();
        return;
      }
      out.header("Content-Type", "text/html; charset=utf-8");
      out.remove_header("Content-Length");
      // No bytes come with HEAD, and no page is made of nothing.
      waits_for_bytes = request.method() == "HEAD";
    }

    void data(std::string_view chunk, trivet::Output& out, bool last) {
      if (chunk.size() > plugin.max_bytes - text.size()) {
        throw std::runtime_error("the document is larger than max_bytes, which is " +
                                 std::to_string(plugin.max_bytes));
      }
      text += chunk;
      if (last && !(waits_for_bytes && text.empty())) write(out);
    }

   private:
    [[nodiscard]] bool is_eligible(const trivet::Output& out) const {
      return trivet::has_plain_body(out) &&
             plugin.types.contains(out.find_header("Content-Type").value_or(""));
    }

    static bool is_wanted(void* self) noexcept { return !static_cast<Filter*>(self)->request.cancelled(); }

    void write(trivet::Output& out) {
      const Document document(plugin.dialect, text, plugin.max_memory, &is_wanted, this);
      switch (document.end()) {
        case DocumentMemory::End::done:
          break;
        case DocumentMemory::End::unwanted:
          throw trivet::Cancelled();
        case DocumentMemory::End::out_of_memory:
          throw std::runtime_error("the document takes more than max_memory, which is " +
                                   std::to_string(plugin.max_memory));
      }
      if (document.without_autolinks())
        request.log(trivet::Level::warn,
                    "markdown: links without markup were not looked for: the words are too long");
      plugin.page.write(out, document.title().empty() ? std::string_view(plugin.title) : document.title(),
                        document.html());
    }

    const Markdown& plugin;
    const trivet::Request& request;
    bool waits_for_bytes = false;
    std::string text;
  };

 private:
  static std::string text_of_page(const Config& config, const trivet::Settings& settings) {
    if (config.page && config.page_file) settings.fail("page_file", "is there beside page: only one can be");
    if (config.page) return *config.page;
    if (!config.page_file) return std::string(plain_page);
    if (!config.page_file->starts_with('/')) settings.fail("page_file", "has to be an absolute path");
    std::ifstream file(*config.page_file, std::ios::binary);
    constexpr std::size_t most = 1 << 20;
    std::string text(most + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad()) settings.fail("page_file", "cannot be read: " + *config.page_file);
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > most) settings.fail("page_file", "has more than 1048576 bytes: " + *config.page_file);
    return text;
  }

  static const std::vector<std::string>& checked(const std::vector<std::string>& extensions,
                                                 const trivet::Settings& settings) {
    for (std::size_t at = 0; at < extensions.size(); ++at) {
      if (std::find(Dialect::known.begin(), Dialect::known.end(), extensions[at]) == Dialect::known.end()) {
        settings.fail("extensions." + std::to_string(at),
                      "has to be one of table, strikethrough, autolink, tasklist, tagfilter");
      }
    }
    return extensions;
  }

  Page page;
  std::string title;
  trivet::MediaTypes types;
  std::size_t max_bytes;
  std::size_t max_memory;
  Dialect dialect;
};

TRIVET_PLUGIN(Markdown, "markdown", "1.0.0")
