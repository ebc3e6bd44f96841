#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/cli/bench/answer.hpp"
#include "runtime/cli/bench/request_image.hpp"
#include "runtime/cli/bench/tally.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::cli::bench {

/// How a load is put on an application.
struct LoadPlan {
  config::Address address;
  std::uint32_t connections = 1;
  std::uint32_t at_a_time = 1;   ///< Requests that are open on one connection.
  bool new_connections = false;  ///< One for each request, then `at_a_time` is 1.
  std::optional<std::chrono::milliseconds> duration;
  std::optional<std::uint64_t> requests;
  std::optional<std::uint64_t> per_second;  ///< Open loop.
  std::chrono::milliseconds timeout{};  ///< From when a request is given to a connection to its END_REQUEST.
};

/// What came of it.
struct LoadResult {
  std::chrono::nanoseconds
      period{};  ///< From the start until no more was sent, or the last answer where that is what ended it.
  std::uint64_t good_in_period = 0;
  std::uint64_t left = 0;  ///< Requests that were open when a signal ended it.
  bool interrupted = false;
};

/// Told once a second, and asked whether to.
class Progress {
 public:
  Progress() = default;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  virtual ~Progress() = default;

  virtual void on_second(std::chrono::nanoseconds passed, const Tally& tally) = 0;
};

/// Sends `image` over and over as `plan` says, and counts into `tally`. `first` is a connection that is
/// there. Ends when all is answered, failed or timed out; SIGINT and SIGTERM end it at once. `progress` may
/// be null.
///
/// Thread    The one that calls it, alone; it waits with epoll. SIGINT and SIGTERM are held while it runs.
/// Memory    A place for each request that can be open (connections times at_a_time), about 100 bytes, and
///           its head where that is cut or new; for each connection the start of what it sends, at most 64
///           KiB and one request more.
/// Errors    Of the system, such as no descriptors. What the application does is counted.
[[nodiscard]] base::Result<LoadResult> put_load(const LoadPlan& plan, const RequestImage& image,
                                                Expected& expected, process::FileDescriptor first,
                                                Tally& tally, Progress* progress);

}  // namespace trivet::cli::bench
