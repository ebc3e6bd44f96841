#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <trivet/plugin.hpp>

/// Ends the process that starts it: by abort(), with `how = "exit"` by leaving it without a word, with
/// "hang" by never coming back. With `only_if` only where that file exists.
struct Crashes {
  struct Config {
    std::string how = "abort";
    std::string only_if;
    static constexpr auto settings =
        trivet::settings(trivet::setting("how", &Config::how).one_of("abort", "exit", "hang"),
                         trivet::setting("only_if", &Config::only_if));
  };
  explicit Crashes(const Config& config) {
    if (!config.only_if.empty() && ::access(config.only_if.c_str(), F_OK) != 0) return;
    if (config.how == "exit") ::_exit(3);
    while (config.how == "hang") std::this_thread::sleep_for(std::chrono::hours(1));
    std::abort();
  }
  void handle(trivet::Request&, trivet::Response& out) { out << "crashes\n"; }
};

TRIVET_PLUGIN(Crashes, "crashes", "1.1.0")
