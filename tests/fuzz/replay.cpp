// Runs a fuzz target over files, without a fuzzer: what every test run does with the corpus.
//
//   NAME_fuzz FILE-OR-FOLDER...
//
// Small inputs run at every length: a corpus of whole inputs is one of cut inputs as well.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tests/fuzz/property.hpp"

namespace {

constexpr std::size_t small = 400;

void run(const std::string& bytes, std::size_t size) {
  // A block of exactly this size: the address sanitizer sees every byte read too far.
  const auto block = std::make_unique<std::uint8_t[]>(size);
  std::copy_n(bytes.begin(), size, block.get());
  LLVMFuzzerTestOneInput(block.get(), size);
}

bool replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) return false;
  // Told before it runs: the last line names what failed.
  std::printf("%s\n", file.c_str());
  std::fflush(stdout);
  run(bytes, bytes.size());
  for (std::size_t size = 0; bytes.size() <= small && size < bytes.size(); ++size) run(bytes, size);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_directory(argv[i])) {
      for (const auto& each : std::filesystem::directory_iterator(argv[i])) files.push_back(each.path());
    } else {
      files.emplace_back(argv[i]);
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    if (!replay(file)) {
      std::fprintf(stderr, "cannot read %s\n", file.c_str());
      return 1;
    }
  }
  std::printf("%zu inputs\n", files.size());
  // A corpus that is not there would pass for ever.
  return files.empty() ? 1 : 0;
}
