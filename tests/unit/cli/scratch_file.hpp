#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace trivet::cli {

/// A file of one test's own, gone with it.
class ScratchFile {
 public:
  explicit ScratchFile(std::string_view content) {
    std::string name = testing_folder() + "/trivet-cli-XXXXXX";
    const int descriptor = ::mkstemp(name.data());
    if (descriptor >= 0) ::close(descriptor);
    path_ = name;
    write(content);
  }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void write(std::string_view content) const { std::ofstream(path_, std::ios::binary) << content; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  static std::string testing_folder() {
    const char* folder = std::getenv("TMPDIR");
    return folder != nullptr ? folder : "/tmp";
  }
  std::string path_;
};

}  // namespace trivet::cli
