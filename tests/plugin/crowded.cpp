#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <memory>
#include <regex>
#include <sstream>
#include <string>
#include <trivet/plugin.hpp>

/// What authors bring along, the host's own libraries among it: std::regex finds the numbers of QUERY_STRING,
/// Boost.Asio moves the body through a pair of sockets while a timer runs, spdlog writes down what came of
/// it. With `rude = true` it also turns off and drops all that spdlog keeps for the whole process.
struct Crowded {
  explicit Crowded(trivet::Settings& settings) : rude_(settings.boolean("rude", false)) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(said_);
    sink->set_pattern("%l %v");
    logger_ = std::make_shared<spdlog::logger>("crowded", std::move(sink));
  }

  void handle(trivet::Request& request, trivet::Response& out) {
    if (rude_) {
      spdlog::set_level(spdlog::level::off);
      spdlog::drop_all();
    }
    said_.str({});
    logger_->info("sum {}", sum_of(std::string(request.query())));
    logger_->info("body {}", through_sockets(request));
    out << said_.str();
  }

 private:
  [[nodiscard]] unsigned long sum_of(const std::string& query) const {
    unsigned long sum = 0;
    for (std::sregex_iterator at(query.begin(), query.end(), number_), end; at != end; ++at) {
      sum += std::stoul(at->str());
    }
    return sum;
  }

  /// How many bytes of the body came out at the other end; 0 unless the timer ran too.
  static std::size_t through_sockets(trivet::Request& request) {
    namespace asio = boost::asio;
    asio::io_context context;
    asio::local::stream_protocol::socket here(context);
    asio::local::stream_protocol::socket there(context);
    asio::local::connect_pair(here, there);
    bool rang = false;
    asio::steady_timer timer(context, std::chrono::milliseconds(1));
    timer.async_wait([&](const boost::system::error_code& error) { rang = !error; });

    const std::string body = request.read_all(1U << 20U).value_or("");
    std::string back(body.size(), '\0');
    std::size_t arrived = 0;
    asio::async_write(here, asio::buffer(body), [](const boost::system::error_code&, std::size_t) {});
    asio::async_read(there, asio::buffer(back),
                     [&](const boost::system::error_code&, std::size_t bytes) { arrived = bytes; });
    context.run();
    return rang && back == body ? arrived : 0;
  }

  bool rude_;
  /// Compiled when the plugin starts: libstdc++ fills a table of its locale meanwhile, unguarded.
  std::regex number_{"[0-9]+"};
  std::ostringstream said_;
  std::shared_ptr<spdlog::logger> logger_;
};

TRIVET_PLUGIN(Crowded, "crowded", "1.0.0")
