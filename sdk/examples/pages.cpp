#include <map>
#include <string>
#include <trivet/plugin.hpp>
#include <vector>

/// Answers with texts from the settings:
///   config = { pages = [{ path = "/", text = "home\n" }, { path = "/about", text = "about\n" }] }
struct Pages {
  static constexpr bool never_blocks = true;
  static constexpr bool shared_instance = true;  // `pages` is only read, so all threads may share it.

  struct Page {
    std::string path;
    std::string text;
    static constexpr auto settings = trivet::settings(trivet::setting("path", &Page::path).required(),
                                                      trivet::setting("text", &Page::text).required());
  };
  struct Config {
    std::vector<Page> pages;
    static constexpr auto settings = trivet::settings(trivet::setting("pages", &Config::pages));
  };

  Pages(const Config& config, const trivet::Settings& settings) {
    for (const Page& page : config.pages) {
      if (!page.path.starts_with('/')) settings.fail("pages", "holds a path that does not begin with /");
      pages.emplace(page.path, page.text);
    }
  }

  void handle(trivet::Request& request, trivet::Response& out) {
    const auto page = pages.find(request.path());
    out.header("Content-Type", "text/plain; charset=utf-8");
    if (page == pages.end()) {
      out.status(404) << "no such page\n";
      return;
    }
    out << page->second;
  }

  std::map<std::string, std::string> pages;
};

TRIVET_PLUGIN(Pages, "pages", "1.0.0")
