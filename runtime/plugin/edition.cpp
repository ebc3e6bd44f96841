#include "runtime/plugin/edition.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/base/siphash.hpp"
#include "runtime/config/config.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::plugin {
namespace {

/// Of a larger file that a setting names, size and time have to do.
constexpr off_t most_read = off_t{64} << 20U;

class Digest {
 public:
  void add(std::string_view text) noexcept { value_ = base::siphash({value_, text.size()}, text); }
  void add(std::uint64_t number) noexcept {
    std::array<char, sizeof number> bytes{};
    std::memcpy(bytes.data(), &number, sizeof number);
    add(std::string_view(bytes.data(), bytes.size()));
  }
  /// False if it is no file that can be read.
  bool add_file(const std::string& path);
  void add(const config::Setting& setting);
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0;
};

bool Digest::add_file(const std::string& path) {
  // Not to wait for whoever writes into a pipe, should it be one.
  const process::FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts{};
  if (!file.is_open() || fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  add(static_cast<std::uint64_t>(facts.st_size));
  if (facts.st_size > most_read) {
    add(static_cast<std::uint64_t>(facts.st_mtim.tv_sec));
    add(static_cast<std::uint64_t>(facts.st_mtim.tv_nsec));
    return true;
  }
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t read = ::read(file.get(), piece.data(), piece.size());
    if (read < 0 && errno == EINTR) continue;
    if (read <= 0) return read == 0;
    add(std::string_view(piece.data(), static_cast<std::size_t>(read)));
  }
}

void Digest::add(const config::Setting& setting) {
  add(setting.value.index());
  if (const auto* text = std::get_if<std::string>(&setting.value)) {
    add(*text);
    if (text->find('/') != std::string::npos && text->find('\0') == std::string::npos) add_file(*text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&setting.value)) {
    add(static_cast<std::uint64_t>(*integer));
  } else if (const auto* real = std::get_if<double>(&setting.value)) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, real, sizeof bits);
    add(bits);
  } else if (const auto* flag = std::get_if<bool>(&setting.value)) {
    add(std::uint64_t{*flag});
  } else if (const auto* list = std::get_if<config::SettingList>(&setting.value)) {
    add(list->size());
    for (const config::Setting& each : *list) add(each);
  } else if (const auto* table = std::get_if<config::SettingTable>(&setting.value)) {
    add(table->size());
    for (const auto& [key, each] : *table) {
      add(key);
      add(each);
    }
  }
}

}  // namespace

std::uint64_t edition_of(const config::Plugin& config, const std::string& code, std::string_view version) {
  Digest digest;
  digest.add(config.name);
  digest.add(version);
  if (!code.empty()) digest.add_file(code);
  digest.add(config.settings.size());
  for (const auto& [key, each] : config.settings) {
    digest.add(key);
    digest.add(each);
  }
  return digest.value();
}

}  // namespace trivet::plugin
