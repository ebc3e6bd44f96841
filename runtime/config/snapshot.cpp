#include <charconv>
#include <utility>

#include "runtime/config/load.hpp"

// A snapshot as bytes: each text behind its length, each list behind its count, numbers in decimal with a
// colon.
namespace trivet::config {
namespace {

class Packer {
 public:
  void number(std::size_t value) { bytes_ += std::to_string(value) + ":"; }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void maybe(const std::optional<std::string>& value) {
    number(value ? 1 : 0);
    if (value) text(*value);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  std::size_t number() {
    std::size_t value = 0;
    const char* const begin =
        rest_.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with its end
    const char* const end = begin + rest_.size();
    const auto read = std::from_chars(begin, end, value);
    failed_ = failed_ || read.ec != std::errc() || read.ptr == end || *read.ptr != ':';
    if (failed_) return 0;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - begin) + 1);
    return value;
  }
  std::string text() {
    const std::size_t size = number();
    failed_ = failed_ || size > rest_.size();
    if (failed_) return {};
    std::string value(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return value;
  }
  std::optional<std::string> maybe() {
    if (number() == 0) return std::nullopt;
    return text();
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::string pack(const Snapshot& snapshot) {
  Packer packer;
  packer.text(snapshot.path);
  packer.text(snapshot.text);
  packer.number(snapshot.included.size());
  for (const Source& each : snapshot.included) {
    packer.text(each.path);
    packer.text(each.text);
  }
  packer.number(snapshot.overrides.listen.size());
  for (const std::string& each : snapshot.overrides.listen) packer.text(each);
  packer.number(snapshot.overrides.processes ? *snapshot.overrides.processes + 1 : 0);
  packer.number(snapshot.overrides.spawned ? 1 : 0);
  packer.maybe(snapshot.overrides.web_servers);
  packer.number(snapshot.plugin_files.size());
  for (const auto& [name, file] : snapshot.plugin_files) {
    packer.text(name);
    packer.text(file.path);
    packer.text(file.copy);
  }
  packer.number(snapshot.account ? 1 : 0);
  if (snapshot.account) {
    packer.text(snapshot.account->name);
    packer.number(snapshot.account->user);
    packer.number(snapshot.account->group);
    packer.number(snapshot.account->groups.size());
    for (const std::uint32_t each : snapshot.account->groups) packer.number(each);
  }
  return packer.take();
}

std::optional<Snapshot> unpack(std::string_view bytes) {
  Unpacker from(bytes);
  Snapshot snapshot;
  snapshot.path = from.text();
  snapshot.text = from.text();
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string path = from.text();
    snapshot.included.push_back({std::move(path), from.text()});
  }
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left)
    snapshot.overrides.listen.push_back(from.text());
  if (const std::size_t processes = from.number(); processes > 0)
    snapshot.overrides.processes = static_cast<std::uint32_t>(processes - 1);
  snapshot.overrides.spawned = from.number() != 0;
  snapshot.overrides.web_servers = from.maybe();
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string name = from.text();
    std::string path = from.text();
    snapshot.plugin_files[name] = {std::move(path), from.text()};
  }
  if (from.number() != 0) {
    Account& account = snapshot.account.emplace();
    account.name = from.text();
    account.user = static_cast<std::uint32_t>(from.number());
    account.group = static_cast<std::uint32_t>(from.number());
    for (std::size_t left = from.number(); left > 0 && !from.failed(); --left)
      account.groups.push_back(static_cast<std::uint32_t>(from.number()));
  }
  if (from.failed() || !from.at_end()) return std::nullopt;
  return snapshot;
}

}  // namespace trivet::config
