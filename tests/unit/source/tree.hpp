#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trivet::source::testing {

/// A folder of one test's own, gone with it.
class Tree {
 public:
  Tree() {
    std::string name = (std::filesystem::temp_directory_path() / "trivet-files-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for a test");
    path_ = name;
  }
  ~Tree() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  /// Absolute, without a slash at the end.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Writes a file, making folders on the way; gives its path.
  std::string write(const std::string& name, std::string_view content = "content") const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  void folder(const std::string& name) const { std::filesystem::create_directories(path_ + "/" + name); }
  void link(const std::string& name, const std::string& to) const {
    std::filesystem::create_symlink(to, path_ + "/" + name);
  }

 private:
  std::string path_;
};

}  // namespace trivet::source::testing
