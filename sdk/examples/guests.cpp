#include <set>
#include <string>
#include <trivet/followed_file.hpp>
#include <trivet/plugin.hpp>

/// Lets pass who is named in a file:  config = { file = "/etc/guests" }
struct Guests {
  using Names = std::set<std::string, std::less<>>;
  static constexpr bool never_blocks = true;
  static constexpr bool shared_instance = true;
  trivet::FollowedFile<Names> names;

  explicit Guests(trivet::Settings& settings)
      : names(settings, "file", settings.text("file"), 1 << 20, trivet::FilePace(), &read) {}

  static Names read(std::string_view text, const Names* /*before*/, trivet::Remarks& remarks) {
    Names names;
    trivet::for_each_line(text, [&](std::size_t number, std::string_view line) {
      if (line.find(' ') != std::string_view::npos) return remarks.wrong(number, "is more than a name");
      if (!line.empty()) names.emplace(line);
    });
    return names;
  }

  trivet::Verdict check(trivet::Request& request) {
    if (!names.content()->contains(request.header("X-Guest"))) return trivet::deny(403);
    return trivet::allow();
  }
};

TRIVET_PLUGIN(Guests, "guests", "1.0.0")
