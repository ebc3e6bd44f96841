#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/model/scene.hpp"
#include "tests/simulation/random.hpp"
#include "tests/simulation/weather.hpp"
#include "tests/simulation/workers.hpp"

namespace trivet::simulation {

/// One run: everything that happens to the host is drawn from its seed, what requests say and how they are
/// cut, what the kernel answers, when plugin threads do their work and what happens meanwhile, when time
/// passes, peers stop reading, vanish, come back, disks are full, the host is told to stop.
///
/// Thread    One run at a time.
/// Errors    What must not happen ends the process (tests/model/scene.hpp).
class Simulation {
 public:
  struct Outcome {
    std::uint64_t digest = 0;  ///< Of every step and every byte that the web servers received.
    std::size_t steps = 0;
    std::array<std::size_t, 6> answers{};  ///< By the first digit of their status; 0: to an unknown role.
    std::size_t grants = 0;
    std::size_t faults = 0;
    std::size_t jobs = 0;    ///< Pieces of work on threads.
    std::size_t nested = 0;  ///< Steps that happened while such a piece ran.
    std::size_t moves = 0;   ///< Connections that another worker took over.
  };
  /// `trace` is told each step before it is taken.
  using Trace = std::function<void(const std::string& line)>;

  explicit Simulation(std::uint64_t seed, Trace trace = {});
  Outcome run();

 private:
  /// A request that is sent record by record, between others.
  struct Sending {
    std::uint16_t id;
    std::deque<std::string> records;
  };

  model::Scene::Setting setting();
  void step();
  void start_request(std::size_t side);
  void continue_request(std::size_t side);
  void abort_request(std::size_t side);
  void send_noise(std::size_t side);
  void reconnect(std::size_t side);
  void fill_disk();
  void freeze_or_move(std::size_t side);
  void stop();
  bool work();
  void meanwhile();
  void send(std::size_t side, const std::string& what, std::string_view bytes);
  std::string draw_request(std::uint16_t id, std::string& what);
  void note(const std::string& line);

  Random random_;
  Trace trace_;
  Weather weather_;
  std::vector<SimulatedWorkers*> workers_;  ///< In the order of their plugins.
  std::unique_ptr<model::Scene> scene_;
  std::array<std::vector<Sending>, model::Scene::sides> sending_;
  Outcome outcome_;
  int depth_ = 0;
  bool is_over_ = false;
};

}  // namespace trivet::simulation
