#include "runtime/host/generation.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "runtime/host/assembly.hpp"
#include "runtime/host/unprivileged.hpp"
#include "runtime/plugin/library.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/plugin/trust.hpp"
#include "runtime/process/memory_file.hpp"

namespace trivet::host {
namespace {

constexpr std::string_view prefix = "gen-";
constexpr const char* lock_name = "/lock";

/// Open and held, or neither.
process::FileDescriptor take_lock(const std::string& folder, int flags) {
  process::FileDescriptor lock(
      ::open((folder + lock_name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600));
  if (lock.is_open() && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) lock.reset();
  return lock;
}

/// Who may decide what code runs, beside root: not whom that code runs as.
uid_t trusted_owner(const config::Config& config, const config::Plugin& plugin) noexcept {
  const uid_t owner = plugin::owner_of(plugin.place.file);
  return changes_user(config.server) && owner == config.server.account->user ? 0 : owner;
}

}  // namespace

std::vector<base::Error> Generation::make(config::Loaded loaded, const config::Overrides& overrides,
                                          std::uint32_t number, std::unique_ptr<Generation>& made) {
  std::unique_ptr<Generation> generation(
      new Generation(number, std::move(*loaded.config)));  // NOLINT: the constructor is private
  const config::Config& config = generation->config_;
  std::string folder = config.server.plugin_cache + "/" + std::string(prefix) + "XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) {
    return {base::system_error(
        "plugin_cache \"" + config.server.plugin_cache + "\": cannot make a folder for the plugins' copies",
        errno)};
  }
  generation->folder_ = folder;
  generation->lock_ = take_lock(folder, O_CREAT | O_EXCL);
  if (!generation->lock_.is_open())
    return {base::system_error("plugin_cache: cannot lock \"" + folder + "\"", errno)};

  std::vector<base::Error> errors;
  config::Snapshot snapshot;
  snapshot.path = config.file;
  snapshot.text = std::move(loaded.text);
  snapshot.included = std::move(loaded.included);
  snapshot.overrides = overrides;
  for (const config::Plugin& each : config.plugins) {
    auto copy = plugin::Library::make_copy(each.path, folder, each.name, trusted_owner(config, each));
    const auto facts = copy ? plugin::look_at(copy.value()) : std::nullopt;
    if (facts && facts->exclusive != each.exclusive) {
      errors.push_back(plugin::refusal(each, "its file was replaced while it was looked at: try again"));
    } else if (copy) {
      snapshot.plugin_files[each.name] = {each.path, std::move(copy).value(), each.exclusive};
    } else {
      errors.push_back(plugin::refusal(each, copy.error().message));
    }
  }
  if (!errors.empty()) return errors;
  if (const auto opened = open_to_readers(folder, config.server); !opened) return {opened.error()};
  snapshot.account = config.server.account;
  auto sealed = process::make_memory_file("trivet-configuration", config::pack(snapshot),
                                          process::Sealed::yes, "cannot keep the configuration for workers");
  if (!sealed) return {sealed.error()};
  generation->snapshot_ = std::move(sealed).value();
  auto statistics = process::Statistics::make(shape_of(config));
  if (!statistics) return {statistics.error()};
  generation->statistics_ = std::make_unique<process::Statistics>(std::move(statistics).value());
  made = std::move(generation);
  return {};
}

base::Result<std::unique_ptr<Generation>> Generation::adopt(std::uint32_t number, std::string folder,
                                                            process::FileDescriptor lock,
                                                            process::FileDescriptor snapshot,
                                                            process::FileDescriptor statistics) {
  auto read = read_snapshot(snapshot.get());
  if (!read) return read.error();
  config::Loaded loaded = config::load_snapshot(read.value());
  if (!loaded.config)
    return base::Error{base::ErrorCode::config_invalid, "what was configured is not understood any more"};
  std::unique_ptr<Generation> generation(
      new Generation(number, std::move(*loaded.config)));  // NOLINT: the constructor is private
  generation->folder_ = std::move(folder);
  generation->lock_ = std::move(lock);
  generation->snapshot_ = std::move(snapshot);
  const process::Statistics::Shape shape = shape_of(generation->config_);
  process::FileDescriptor same(::fcntl(statistics.get(), F_DUPFD_CLOEXEC, 0));
  if (auto counting = process::Statistics::open(std::move(same), shape)) {
    generation->statistics_ = std::make_unique<process::Statistics>(std::move(counting).value());
    return generation;
  }
  // Its workers count on in there, and an image that understands it may come back.
  generation->unseen_ = std::move(statistics);
  auto anew = process::Statistics::make(shape);
  if (!anew) return anew.error();
  generation->statistics_ = std::make_unique<process::Statistics>(std::move(anew).value());
  return generation;
}

Generation::~Generation() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

base::Result<config::Snapshot> read_snapshot(int descriptor) {
  const base::Error wrong{base::ErrorCode::system_failure,
                          "what was passed is no configuration of this version"};
  const auto bytes = process::read_memory_file(descriptor);
  if (!bytes) return wrong;
  auto snapshot = config::unpack(*bytes);
  if (!snapshot) return wrong;
  return std::move(*snapshot);
}

void remove_stale_generations(const std::string& plugin_cache) {
  std::error_code ignored;
  for (const auto& each : std::filesystem::directory_iterator(plugin_cache, ignored)) {
    if (!each.path().filename().string().starts_with(prefix) || !each.is_directory(ignored)) continue;
    // Without a lock file it is being made, or was left before it was there: then it is empty.
    if (take_lock(each.path().string(), 0).is_open()) {
      std::filesystem::remove_all(each.path(), ignored);
    } else if (::access((each.path().string() + lock_name).c_str(), F_OK) != 0) {
      // Only after a while: another process may be about to make the lock.
      struct stat about{};
      constexpr time_t enough = 60;
      if (::stat(each.path().c_str(), &about) == 0 && ::time(nullptr) - about.st_mtime > enough)
        ::rmdir(each.path().c_str());
    }
  }
}

}  // namespace trivet::host
