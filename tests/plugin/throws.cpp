#include <stdexcept>
#include <string>
#include <string_view>
#include <trivet/plugin.hpp>

/// Fails by throwing, in every role: as soon as it is called, after the bytes that QUERY_STRING asks for
/// (bytes=N), or, if told so (when = "create"), before it ever runs. With what = "number" it throws no
/// std::exception.
struct Throws {
  explicit Throws(trivet::Settings& settings) : what(settings.text("what", "error")) {
    if (settings.text("when", "hook") == "create") fail();
  }

  void handle(trivet::Request& request, trivet::Response& out) {
    constexpr std::string_view asked = "bytes=";
    const std::string_view query = request.query();
    if (query.starts_with(asked)) {
      out << std::string(std::stoul(std::string(query.substr(asked.size()))), 'x');
      out.flush();
    }
    fail();
  }
  trivet::Verdict check(trivet::Request&) { fail(); }
  void data(std::string_view, trivet::Output&, bool) { fail(); }

  [[noreturn]] void fail() const {
    if (what == "number") throw 42;
    throw std::runtime_error("thrown on purpose");
  }

  std::string what;
};

TRIVET_PLUGIN(Throws, "throws", "1.0.0")
