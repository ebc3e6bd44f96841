#include "tests/unit/config/folder.hpp"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX's

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace trivet::config {

Folder::Folder() {
  path_ = (std::filesystem::temp_directory_path() / "trivet-config-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, std::string_view content) const {
  const std::filesystem::path file = std::filesystem::path(path_) / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file.string();
}

Loader::Loader() {
  for (const char* plugin : {"app.so", "guard.so", "other.so", "wrap.so"}) (void)folder_.write(plugin);
}

Loaded Loader::load(std::string_view text, const Overrides& overrides) const {
  return load_text(text, folder_.path() + "/t.toml", overrides);
}

std::string Loader::told(std::string_view text, const Overrides& overrides) const {
  return without_folder(render_all(load(text, overrides)));
}

std::string Loader::without_folder(std::string text) const {
  for (std::size_t at = text.find(folder_.path()); at != std::string::npos;
       at = text.find(folder_.path(), at)) {
    text.replace(at, folder_.path().size(), "{}");
  }
  return text;
}

std::string whole(std::string_view section) {
  return std::string(a_listener) + std::string(section) + "\n" + std::string(a_route);
}

}  // namespace trivet::config
