#include <unistd.h>

#include <cstdlib>
#include <string>
#include <trivet/plugin.hpp>

/// Ends the process that loads it: by abort(), or with `how = "exit"` by leaving it without a word.
struct Crashes {
  struct Config {
    std::string how = "abort";
    static constexpr auto settings =
        trivet::settings(trivet::setting("how", &Config::how).one_of("abort", "exit"));
  };
  explicit Crashes(const Config& config) {
    if (config.how == "exit") ::_exit(3);
    std::abort();
  }
  void handle(trivet::Request&, trivet::Response&) {}
};

TRIVET_PLUGIN(Crashes, "crashes", "1.0.0")
