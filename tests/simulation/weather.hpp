#pragma once

#include "tests/simulation/random.hpp"
#include "tests/unit/host/harness.hpp"

namespace trivet::simulation {

/// What reads and writes of sockets come to: fewer bytes, EAGAIN, an end, ECONNRESET, EPIPE, at any of them.
/// How often is drawn once for a run, so that some are calm and some are storms.
class Weather final : public host::testing::Faults {
 public:
  explicit Weather(Random& random) noexcept;

  host::testing::Fault on_read() noexcept override;
  host::testing::Fault on_write() noexcept override;
  /// Nothing fails any more.
  void clear() noexcept { is_clear_ = true; }
  [[nodiscard]] std::size_t faults() const noexcept { return faults_; }

 private:
  host::testing::Fault draw(bool reads) noexcept;

  Random& random_;
  unsigned blocks_;  ///< Of a thousand, as the others.
  unsigned is_short_;
  unsigned breaks_;
  bool is_clear_ = false;
  std::size_t faults_ = 0;
};

}  // namespace trivet::simulation
