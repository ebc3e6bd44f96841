#include <string>
#include <trivet/plugin.hpp>

/// Greets whoever asks.
///
///     [plugin.my_plugin]
///     config = { greeting = "good day" }
struct MyPlugin {
  struct Config {
    std::string greeting = "hello";
    static constexpr auto settings = trivet::settings(trivet::setting("greeting", &Config::greeting));
  };

  explicit MyPlugin(const Config& config) : greeting(config.greeting) {}

  void handle(trivet::Request& request, trivet::Response& out) {
    const std::string_view user = request.param("REMOTE_USER");
    out.header("Content-Type", "text/plain; charset=utf-8");
    out << greeting << ", " << (user.empty() ? "stranger" : user) << "\n";
  }

  std::string greeting;
};

TRIVET_PLUGIN(MyPlugin, "my_plugin", "0.1.0")
