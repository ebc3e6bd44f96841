#include "runtime/source/script.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runtime/base/error.hpp"
#include "runtime/process/file_descriptor.hpp"

namespace trivet::source {
namespace {

/// Segments of a pattern before its first `**`; 0 where it has none: then the whole path is mapped.
std::size_t segments_before_rest(std::string_view pattern) noexcept {
  std::size_t count = 0;
  while (!pattern.empty() && pattern.front() == '/') {
    pattern.remove_prefix(1);
    const std::string_view segment = pattern.substr(0, pattern.find('/'));
    if (segment == "**") return count;
    ++count;
    pattern.remove_prefix(segment.size());
  }
  return 0;
}

/// A slash within a segment was written %2F: no file has such a name. A hidden one is nobody's business, but
/// what is registered for others to find is not hidden (RFC 8615).
bool may_be_named(std::string_view segment) noexcept {
  if (segment.empty() || segment.find('/') != std::string_view::npos) return false;
  return segment.front() != '.' || segment == ".well-known";
}

void append_segment(std::string& path, std::string_view segment) {
  path += '/';
  path += segment;
}

}  // namespace

/// `root`, opened for one look.
class ScriptFinder::Folder {
 public:
  enum class Holds : std::uint8_t { nothing, file, folder, forbidden };

  explicit Folder(const std::string& root)
      : opened_(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        error_(opened_.is_open() ? 0 : errno) {}
  [[nodiscard]] int error() const noexcept { return error_; }

  /// What `below` is, which begins with '/'.
  [[nodiscard]] Holds look(const std::string& below) const {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const char* relative = below.size() <= 1 ? "." : below.c_str() + 1;
    // EAGAIN: something was renamed meanwhile, and the kernel cannot tell whether it is still below.
    constexpr int tries = 8;
    process::FileDescriptor found;
    for (int left = tries; left > 0 && !found.is_open(); --left) {
      found.reset(static_cast<int>(::syscall(SYS_openat2, opened_.get(), relative, &how, sizeof how)));
      if (!found.is_open() && errno != EAGAIN && errno != EINTR) break;
    }
    if (!found.is_open()) return errno == EACCES ? Holds::forbidden : Holds::nothing;
    struct stat facts{};
    if (::fstat(found.get(), &facts) != 0) return Holds::nothing;
    return S_ISREG(facts.st_mode) ? Holds::file : S_ISDIR(facts.st_mode) ? Holds::folder : Holds::nothing;
  }

 private:
  process::FileDescriptor opened_;
  int error_;
};

ScriptFinder::ScriptFinder(std::string root, std::vector<std::string> index, std::string_view pattern)
    : root_(std::move(root)),
      index_(std::move(index)),
      pattern_(pattern),
      prefix_(segments_before_rest(pattern)) {
  while (root_.size() > 1 && root_.back() == '/') root_.pop_back();
  for (const std::string& each : index_)
    endings_.push_back(each.substr(std::min(each.rfind('.'), each.size())));
}

bool ScriptFinder::is_script_name(std::string_view segment) const noexcept {
  return std::any_of(endings_.begin(), endings_.end(), [&](const std::string& ending) {
    return !ending.empty() && segment.size() > ending.size() && segment.ends_with(ending);
  });
}

Script ScriptFinder::of_folder(const Folder& folder, const std::string& below,
                               const std::string& before) const {
  Script script;
  for (const std::string& each : index_) {
    const std::string candidate = below + '/' + each;
    const Folder::Holds holds = folder.look(candidate);
    if (holds == Folder::Holds::forbidden) script.kind = Script::Kind::forbidden;
    if (holds != Folder::Holds::file) continue;
    return {Script::Kind::found, root_ + candidate, before + candidate, {}, {}};
  }
  return script;
}

Script ScriptFinder::find(const cgi::RequestPath* path) const {
  if (path == nullptr || !pattern_.matches(*path)) return {};
  const Folder folder(root_);
  if (folder.error() != 0) {
    return {Script::Kind::broken,
            {},
            {},
            {},
            base::system_error(root_ + " cannot be opened", folder.error()).message};
  }
  const auto& segments = path->segments();
  std::string before;
  for (std::size_t i = 0; i < std::min(prefix_, segments.size()); ++i) append_segment(before, segments[i]);
  std::string below;
  for (std::size_t i = prefix_; i < segments.size(); ++i) {
    const std::string_view segment = segments[i];
    const bool last = i + 1 == segments.size();
    if (segment.empty() && last) return of_folder(folder, below, before);
    if (!may_be_named(segment)) return {};
    append_segment(below, segment);
    if (!is_script_name(segment)) continue;
    const Folder::Holds holds = folder.look(below);
    if (holds == Folder::Holds::folder) continue;
    Script script;
    if (holds == Folder::Holds::forbidden) script.kind = Script::Kind::forbidden;
    if (holds != Folder::Holds::file) return script;
    script = {Script::Kind::found, root_ + below, before + below, {}, {}};
    for (std::size_t rest = i + 1; rest < segments.size(); ++rest) {
      // An encoded slash would be one like others in PATH_INFO: the path of another route, say.
      if (segments[rest].find('/') != std::string_view::npos) return {};
      append_segment(script.info, segments[rest]);
    }
    return script;
  }
  const Folder::Holds holds = folder.look(below);
  Script script;
  if (holds == Folder::Holds::folder) script.kind = Script::Kind::folder;
  if (holds == Folder::Holds::forbidden) script.kind = Script::Kind::forbidden;
  return script;
}

}  // namespace trivet::source
