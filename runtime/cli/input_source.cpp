#include "runtime/cli/input_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace trivet::cli {

InputSource::InputSource(InputSource&& other) noexcept { *this = std::move(other); }

InputSource& InputSource::operator=(InputSource&& other) noexcept {
  std::swap(text_, other.text_);
  std::swap(at_, other.at_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(may_wait_, other.may_wait_);
  std::swap(length_, other.length_);
  std::swap(modified_, other.modified_);
  return *this;
}

InputSource::~InputSource() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

base::Result<InputSource> InputSource::open(const std::string& from, std::string_view standard_input) {
  InputSource source;
  if (from != standard_input && (from.empty() || from.front() != '@')) {
    source.text_ = from;
    source.length_ = from.size();
    return source;
  }
  if (from == standard_input) {
    source.descriptor_ = STDIN_FILENO;
  } else {
    const std::string path = from.substr(1);
    source.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (source.descriptor_ < 0) return base::system_error("\"" + path + "\" cannot be read", errno);
  }
  struct stat about{};
  if (::fstat(source.descriptor_, &about) != 0)
    return base::system_error("\"" + from + "\" cannot be read", errno);
  if (S_ISDIR(about.st_mode)) return base::system_error("\"" + from + "\" cannot be read", EISDIR);
  source.length_.reset();
  if (S_ISREG(about.st_mode)) {
    const off_t at = ::lseek(source.descriptor_, 0, SEEK_CUR);
    source.length_ =
        static_cast<std::uint64_t>(about.st_size - std::min<off_t>(std::max<off_t>(at, 0), about.st_size));
    source.modified_ = about.st_mtim.tv_sec;
  } else {
    source.may_wait_ = true;
  }
  return source;
}

base::Result<std::size_t> InputSource::read(base::Buffer& out, std::size_t most) {
  if (descriptor_ < 0) {
    const std::string_view piece = std::string_view(text_).substr(at_, most);
    out.append(piece);
    at_ += piece.size();
    return piece.size();
  }
  const auto into = out.prepare(most);
  for (;;) {
    const ssize_t got = ::read(descriptor_, into.data(), into.size());
    if (got >= 0) {
      out.commit(static_cast<std::size_t>(got));
      return static_cast<std::size_t>(got);
    }
    if (errno != EINTR) return base::system_error("reading what is to be sent failed", errno);
  }
}

}  // namespace trivet::cli
