#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/base/error.hpp"
#include "runtime/roles/input_queue.hpp"

namespace trivet::host {

/// Spool files in `spool_dir`, together at most `spool_bytes`.
///
/// Thread  [loop].
class SpoolFolder final : public roles::SpoolStore {
 public:
  SpoolFolder(std::string folder, std::uint64_t bound) : folder_(std::move(folder)), left_(bound) {}

  /// Whether a file can be made there now. [startup]
  [[nodiscard]] base::Result<> probe();

  base::Result<std::unique_ptr<roles::SpoolFile>> create() override;
  bool reserve(std::size_t n) noexcept override;
  void give_back(std::size_t n) noexcept override;

 private:
  std::string folder_;
  std::uint64_t left_;
};

}  // namespace trivet::host
