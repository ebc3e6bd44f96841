#include "runtime/cli/bench_command.hpp"

#include <unistd.h>

#include <utility>

#include "runtime/cli/bench/load.hpp"
#include "runtime/cli/bench/params.hpp"
#include "runtime/cli/bench/report.hpp"
#include "runtime/cli/call_address.hpp"
#include "runtime/cli/connect.hpp"
#include "runtime/cli/output.hpp"

namespace trivet::cli {
namespace {

/// One line on a terminal that takes the place of itself.
class Terminal final : public bench::Progress {
 public:
  void on_second(std::chrono::nanoseconds passed, const bench::Tally& tally) override {
    show(bench::progress_line(passed, tally.good - good_, tally));
    good_ = tally.good;
  }
  void end() {
    if (good_ != 0 || shown_) show("");
  }

 private:
  /// What cannot be shown is not missed: the report follows.
  void show(const std::string& line) {
    shown_ = true;
    static_cast<void>(write_all(STDERR_FILENO, "\r\x1b[K" + line));
  }

  std::uint64_t good_ = 0;
  bool shown_ = false;
};

bench::RequestImage image_of(const BenchCommand& command) {
  bench::RequestImage::What what;
  what.role = command.role;
  what.keep_connection = !command.new_connections;
  what.params = bench::bench_params(command);
  what.body = command.body;
  what.data = command.data;
  return bench::RequestImage(what);
}

bench::LoadPlan plan_of(const BenchCommand& command, config::Address address) {
  bench::LoadPlan plan;
  plan.address = std::move(address);
  plan.connections = command.connections;
  plan.at_a_time = command.at_a_time;
  plan.new_connections = command.new_connections;
  plan.duration = command.duration;
  plan.requests = command.requests;
  plan.per_second = command.per_second;
  plan.timeout = command.timeout;
  return plan;
}

}  // namespace

int run_bench(const BenchCommand& command) {
  auto address = call_address(command.address);
  if (const auto* wrong = std::get_if<std::string>(&address)) {
    say("bench: " + *wrong);
    return exit_usage;
  }
  const bench::LoadPlan plan = plan_of(command, std::get<config::Address>(std::move(address)));
  const bench::RequestImage image = image_of(command);
  auto first = connect_to(plan.address, command.timeout);
  if (!first) {
    say(first.error().message);
    return exit_unreachable;
  }
  bench::Expected expected;
  expected.role = command.role;
  expected.status = command.expect_status;
  expected.any_body = command.any_body;
  bench::Tally tally;
  Terminal terminal;
  bench::Progress* const progress = ::isatty(STDERR_FILENO) == 1 ? &terminal : nullptr;
  const auto result = bench::put_load(plan, image, expected, std::move(first).value(), tally, progress);
  terminal.end();
  if (!result) {
    say(result.error().message);
    return exit_failed;
  }
  const std::string report = command.json ? bench::json_report(command, result.value(), tally, expected)
                                          : bench::text_report(command, result.value(), tally, expected);
  if (!write_all(STDOUT_FILENO, report)) return exit_failed;
  return tally.failed() == 0 && tally.good != 0 ? exit_ok : exit_failed;
}

}  // namespace trivet::cli
