#include "runtime/cli/check_plugins.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string_view>

#include "runtime/cli/output.hpp"
#include "runtime/host/folders.hpp"
#include "runtime/host/unprivileged.hpp"
#include "runtime/host/zones.hpp"
#include "runtime/log/log.hpp"
#include "runtime/plugin/library.hpp"
#include "runtime/plugin/note.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/plugin/trust.hpp"
#include "runtime/process/file_descriptor.hpp"
#include "runtime/process/privileges.hpp"

namespace trivet::cli {
namespace {

config::Diagnostic error_at(const config::Place& place, std::string message) {
  return {config::Diagnostic::Severity::error, place, 0, std::move(message), {}};
}

config::Diagnostic error_of(const config::Plugin& plugin, const std::string& what) {
  return error_at(plugin.place, "plugin \"" + plugin.name + "\" (" + plugin.path + "): " + what);
}

/// `FILE:LINE:COLUMN: MESSAGE`, where FILE is that of the plugin.
config::Diagnostic read_line(const config::Plugin& plugin, std::string_view line) {
  config::Place place = plugin.place;
  const auto number = [&line](std::uint32_t& out) {
    const char* const begin = line.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with its end
    const char* const end = begin + line.size();
    const auto read = std::from_chars(begin, end, out);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ':') return false;
    line.remove_prefix(static_cast<std::size_t>(read.ptr - begin) + 1);
    return true;
  };
  if (const std::string file = plugin.place.file + ":"; line.starts_with(file)) {
    line.remove_prefix(file.size());
    if (number(place.line) && number(place.column)) line.remove_prefix(line.starts_with(' ') ? 1 : 0);
  }
  return error_at(place, std::string(line));
}

void read_lines(const config::Plugin& plugin, std::string_view text, std::vector<config::Diagnostic>& out) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.push_back(read_line(plugin, text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

/// What a plugin is loaded with.
struct Surroundings {
  const std::vector<config::Zone>& zones;
  std::string folder;                       ///< Of copies.
  std::optional<process::Account> account;  ///< Whom the process becomes.
};

/// Loads the plugin, as the user that it would run as; what is wrong with it goes to `told`. Does not return.
[[noreturn]] void load_here(const config::Plugin& config, const Surroundings& with, int told) {
  std::string text;
  // What a plugin prints must not stand between what is told of it.
  static_cast<void>(::dup2(STDERR_FILENO, STDOUT_FILENO));
  try {
    log::Settings settings;
    settings.level = log::Level::warn;
    auto log = log::Log::open(settings);
    auto made = host::make_zones(with.zones);
    if (!log) {
      text = log.error().message;
    } else if (!made) {
      text = made.error().message;
    } else if (const auto dropped = process::drop_privileges(with.account); !dropped) {
      text = dropped.error().message;
    } else if (const auto started = plugin::Plugin::start(config, with.folder, *log.value(), &*made);
               !started) {
      text = started.error().message;
    }
  } catch (const std::exception& error) {
    text = std::string("internal error: ") + error.what();
  }
  ::_exit(write_all(told, text) && text.empty() ? 0 : 1);
}

std::string read_whole(int file) {
  std::string text;
  std::array<char, 4096> block;
  off_t at = 0;
  for (ssize_t got = 0; (got = ::pread(file, block.data(), block.size(), at)) > 0; at += got)
    text.append(block.data(), static_cast<std::size_t>(got));
  return text;
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void load_apart(const config::Plugin& config, const Surroundings& with,
                std::vector<config::Diagnostic>& out) {
  // Not a pipe: whatever the plugin starts may hold its other end open for good.
  const process::FileDescriptor told(::memfd_create("trivet-check", MFD_CLOEXEC));
  const pid_t child = told.get() < 0 ? -1 : ::fork();
  if (child == 0) load_here(config, with, told.get());
  if (child < 0) {
    out.push_back(error_of(config, "cannot be tried: " + std::string(std::strerror(errno))));  // NOLINT
    return;
  }
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    const char* const name = ::sigabbrev_np(signal);
    out.push_back(error_of(config, "ends the process that loads it: killed by SIG" +
                                       (name == nullptr ? std::to_string(signal) : std::string(name))));
    return;
  }
  const std::size_t before = out.size();
  read_lines(config, read_whole(told.get()), out);
  if (WEXITSTATUS(status) != 0 && out.size() == before) {
    out.push_back(error_of(
        config, "ends the process that loads it: exit status " + std::to_string(WEXITSTATUS(status))));
  }
}

std::string refuse_writers(const config::Plugin& config) {
  const process::FileDescriptor file(
      ::open(config.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  return plugin::refuse_writers(config.path, file.get(), plugin::owner_of(config.place.file));
}

}  // namespace

std::vector<config::Diagnostic> check_plugins(const config::Config& config, bool load) {
  std::vector<config::Diagnostic> all;
  std::vector<const config::Plugin*> sound;
  for (const config::Plugin& each : config.plugins) {
    if (const auto note = plugin::inspect(each.path); !note) {
      all.push_back(error_of(each, note.error().message));
    } else if (const std::string refused = refuse_writers(each); !refused.empty()) {
      all.push_back(error_of(each, refused));
    } else if (load && each.exclusive) {
      all.push_back({config::Diagnostic::Severity::warning,
                     each.place,
                     0,
                     "the plugin \"" + each.name +
                         "\" was not loaded: it is exclusive, and a host that runs may have what it needs",
                     {}});
    } else {
      sound.push_back(&each);
    }
  }
  if (!load || sound.empty()) return all;
  std::error_code ignored;
  const auto folder = host::PrivateFolder::make(
      {config.server.plugin_cache, std::filesystem::temp_directory_path(ignored).string()});
  if (!folder) {
    all.push_back(error_at({config.file, 0, 0}, folder.error().message));
    return all;
  }
  const Surroundings with{config.zones, folder.value().path(), host::account_to_become(config.server)};
  for (const config::Plugin* each : sound) {
    config::Plugin copied = *each;
    if (with.account) {
      // Before the change of user, who can write nothing there.
      auto copy =
          plugin::Library::make_copy(each->path, with.folder, each->name, plugin::owner_of(each->place.file));
      const auto opened = host::open_to_readers(with.folder, config.server);
      if (!copy || !opened) {
        all.push_back(error_of(*each, copy ? opened.error().message : copy.error().message));
        continue;
      }
      copied.copy = std::move(copy).value();
    }
    load_apart(copied, with, all);
  }
  return all;
}

}  // namespace trivet::cli
