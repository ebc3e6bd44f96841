#include "runtime/cli/input_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/config/text.hpp"

namespace trivet::cli {

base::Result<InputSource> InputSource::open(std::string_view from) {
  if (from == "@-") return standard_input();
  InputSource source;
  if (!from.starts_with('@')) {
    source.text_ = from;
    source.length_ = from.size();
    return source;
  }
  const std::string path(from.substr(1));
  source.file_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.file_.is_open()) return base::system_error(config::in_quotes(path) + " cannot be read", errno);
  return of_descriptor(std::move(source), config::in_quotes(path));
}

base::Result<InputSource> InputSource::standard_input() {
  InputSource source;
  source.is_standard_input_ = true;
  return of_descriptor(std::move(source), "standard input");
}

base::Result<InputSource> InputSource::of_descriptor(InputSource source, const std::string& name) {
  source.name_ = name;
  source.length_.reset();
  struct stat about{};
  if (::fstat(source.descriptor(), &about) != 0) return base::system_error(name + " cannot be read", errno);
  if (S_ISDIR(about.st_mode)) return base::system_error(name + " cannot be read", EISDIR);
  if (!S_ISREG(about.st_mode)) {
    source.may_wait_ = true;
    return source;
  }
  source.modified_ = about.st_mtim.tv_sec;
  // Standard input may have been read in part by whoever ran before.
  const off_t at = std::max<off_t>(::lseek(source.descriptor(), 0, SEEK_CUR), 0);
  char probe = 0;
  // Files of /proc and /sys say that they are empty.
  if (about.st_size > 0 || ::pread(source.descriptor(), &probe, 1, at) == 0) {
    source.length_ = static_cast<std::uint64_t>(std::max<off_t>(about.st_size - at, 0));
  }
  return source;
}

base::Result<InputSource::Piece> InputSource::read(base::Buffer& out, std::size_t most) {
  if (length_) most = static_cast<std::size_t>(std::min<std::uint64_t>(most, *length_ - at_));
  if (most == 0) return Piece::end;
  if (descriptor() < 0) {
    out.append(std::string_view(text_).substr(static_cast<std::size_t>(at_), most));
    at_ += most;
    return Piece::bytes;
  }
  const auto into = out.prepare(most);
  for (;;) {
    const ssize_t got = ::read(descriptor(), into.data(), into.size());
    if (got > 0) {
      out.commit(static_cast<std::size_t>(got));
      at_ += static_cast<std::uint64_t>(got);
      return Piece::bytes;
    }
    if (got == 0 && length_) {
      return base::Error{base::ErrorCode::system_failure,
                         name_ + " became shorter while it was sent: " + std::to_string(at_) + " of " +
                             std::to_string(*length_) + " bytes were read"};
    }
    if (got == 0) return Piece::end;
    if (errno == EAGAIN && may_wait_) return Piece::later;
    if (errno != EINTR) return base::system_error(name_ + " cannot be read", errno);
  }
}

}  // namespace trivet::cli
