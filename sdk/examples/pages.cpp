#include <map>
#include <trivet/plugin.hpp>

/// Answers with texts from the settings:
///   config = { pages = [{ path = "/", text = "home\n" }, { path = "/about", text = "about\n" }] }
struct Pages {
  static constexpr bool never_blocks = true;
  static constexpr bool shared_instance = true;  // `pages` is only read, so all threads may share it.

  explicit Pages(trivet::Settings& settings) {
    for (const trivet::Settings& page : settings.tables("pages")) {
      const std::string path = page.text("path");
      if (!path.starts_with('/')) page.fail("path", "has to begin with /");
      pages.emplace(path, page.text("text"));
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
