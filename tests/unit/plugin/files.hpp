#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trivet::plugin {

/// A folder of a test's own, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  [[nodiscard]] std::size_t entries() const;

 private:
  std::string path_;
};

/// The file of a plugin for tests.
[[nodiscard]] std::string test_plugin(std::string_view name);

[[nodiscard]] std::vector<std::uint8_t> read_file(const std::string& path);
void write_file(const std::string& path, const std::vector<std::uint8_t>& bytes);
void write_file(const std::string& path, std::string_view text);

}  // namespace trivet::plugin
