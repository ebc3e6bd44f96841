#include "runtime/config/include.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "runtime/config/environment.hpp"
#include "runtime/config/parse.hpp"
#include "runtime/config/table_reader.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

constexpr std::size_t most_files = 1000;

/// Of glob(): a folder that is not there holds nothing, one that cannot be read is no reason to go on
/// without.
int is_trouble(const char* /*path*/, int error) noexcept {
  errno = error;
  return error == ENOENT || error == ENOTDIR ? 0 : 1;
}

/// What tells files apart, whatever their names are.
using Identity = std::pair<dev_t, ino_t>;

std::optional<Identity> identity_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return Identity{found.st_dev, found.st_ino};
}

/// A pipe or device that a pattern finds would be waited for.
bool is_other_than_file(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode);
}

class Includer {
 public:
  Includer(Sink& sink, Table& document, std::vector<Source>& sources)
      : sink_(sink), document_(document), sources_(sources) {
    if (const auto main = identity_of(sink.file())) seen_.insert(*main);
  }

  void add(const Source& source) {
    const std::uint16_t file = sink_.add_file(source.path);
    auto table = parse_toml(source.text, sink_, file);
    if (!table) return;
    for (Entry& each : *table) fill_in_environment(sink_, each.value);
    take(std::move(*table));
  }

  void include(const NameAt& pattern) {
    std::filesystem::path path = pattern.name;
    if (path.is_relative()) path = std::filesystem::path(sink_.file()).parent_path() / path;
    if (pattern.name.find_first_of("*?[") == std::string::npos) {
      include_file(path.string(), pattern.span);
      return;
    }
    glob_t found{};
    const int failed = ::glob(path.c_str(), GLOB_NOSORT, is_trouble, &found);
    if (failed != 0 && failed != GLOB_NOMATCH) {
      sink_.error(pattern.span, "cannot look for " + in_quotes(path.string()) + ": " +
                                    std::generic_category().message(failed == GLOB_NOSPACE ? ENOMEM : errno));
    }
    std::vector<std::string> names(found.gl_pathv, found.gl_pathv + (failed == 0 ? found.gl_pathc : 0));
    ::globfree(&found);
    std::sort(names.begin(), names.end());
    for (const std::string& each : names) include_file(each, pattern.span);
  }

 private:
  void include_file(const std::string& path, const Span& span) {
    if (is_other_than_file(path)) {
      sink_.error(span, in_quotes(path) + " is not a file", "a pipe or device cannot be included");
      return;
    }
    std::string text;
    if (const int error = read_file(path, text)) {
      sink_.error(span,
                  "cannot read the file " + in_quotes(path) + ": " + std::generic_category().message(error),
                  error == ENOENT ? "create it, or take it out" : cure_of(error));
      return;
    }
    if (text.size() > largest_file) {
      sink_.error(span, "the file " + in_quotes(path) + " is larger than 16 MiB");
      return;
    }
    if (const auto identity = identity_of(path); identity && !seen_.insert(*identity).second) {
      sink_.error(span, in_quotes(path) + " would be read a second time", "include it once");
      return;
    }
    if (sources_.size() == most_files) {
      if (!std::exchange(told_, true)) sink_.error(span, "more than 1,000 files are included");
      return;
    }
    add({path, text});
    sources_.push_back({path, std::move(text)});
  }

  void take(Table table) {
    for (Entry& each : table) {
      const bool listed = each.key == "listen" || each.key == "route";
      if (!listed && each.key != "plugin") {
        const bool section =
            each.key == "server" || each.key == "limits" || each.key == "log" || each.key == "zone";
        sink_.error(each.key_span,
                    "an included file holds [[listen]], [plugin.NAME] and [[route]], not `" +
                        one_line(each.key) + "`",
                    section || each.key == "include" ? "write it in " + one_line(sink_.file()) : "");
        continue;
      }
      const auto there = std::find_if(document_.begin(), document_.end(),
                                      [&](const Entry& entry) { return entry.key == each.key; });
      if (there == document_.end()) {
        document_.push_back(std::move(each));
      } else if (listed) {
        append(there->value, std::move(each));
      } else {
        append_plugins(there->value, std::move(each));
      }
    }
  }

  /// Where one of the two is not what it has to be, that one is what the readers get to tell.
  static void append(Node& to, Entry from) {
    auto* list = std::get_if<List>(&to.value);
    auto* more = std::get_if<List>(&from.value.value);
    if (list == nullptr) return;
    if (more == nullptr) {
      to = std::move(from.value);
      return;
    }
    std::move(more->begin(), more->end(), std::back_inserter(*list));
  }

  void append_plugins(Node& to, Entry from) {
    auto* plugins = std::get_if<Table>(&to.value);
    auto* more = std::get_if<Table>(&from.value.value);
    if (plugins == nullptr) return;
    if (more == nullptr) {
      to = std::move(from.value);
      return;
    }
    for (Entry& each : *more) {
      const auto same = std::find_if(plugins->begin(), plugins->end(),
                                     [&](const Entry& entry) { return entry.key == each.key; });
      if (same == plugins->end()) {
        plugins->push_back(std::move(each));
      } else {
        sink_.error(each.key_span, "two plugins are named " + in_quotes(each.key) + ", the other at " +
                                       sink_.where(same->key_span, each.key_span.file));
      }
    }
  }

  Sink& sink_;
  Table& document_;
  std::vector<Source>& sources_;
  std::set<Identity> seen_;
  bool told_ = false;  ///< Of too many files.
};

}  // namespace

void include_files(Sink& sink, Table& document, std::vector<Source>& sources) {
  TableReader reader(sink, document, "the file");
  std::vector<NameAt> patterns;
  if (reader.texts("include", ListRule::any, patterns) == nullptr) return;
  Includer includer(sink, document, sources);
  for (const NameAt& each : patterns) includer.include(each);
}

void include_again(Sink& sink, Table& document, const std::vector<Source>& sources) {
  std::vector<Source> none;
  Includer includer(sink, document, none);
  for (const Source& each : sources) includer.add(each);
}

std::string cure_of(int error) {
  switch (error) {
    case ENOENT:
      return "create it, or name another file with -c";
    case EACCES:
      return "whoever runs Trivet has to be able to read it";
    case EISDIR:
      return "name the file in it";
    default:
      return {};
  }
}

int read_file(const std::string& path, std::string& text) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return errno;
  int error = 0;
  while (text.size() <= largest_file) {
    const std::size_t used = text.size();
    text.resize(std::min(std::max<std::size_t>(used * 2, 16384), largest_file + 1));
    const ssize_t got = read(file, text.data() + used, text.size() - used);
    if (got < 0 && errno != EINTR) error = errno;
    text.resize(used + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0 || error != 0) break;
  }
  close(file);
  return error;
}

}  // namespace trivet::config
