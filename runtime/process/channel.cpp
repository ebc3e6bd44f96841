#include "runtime/process/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace trivet::process {
namespace {

/// In front of the text: what is not one of ours is not read.
struct Header {
  std::uint32_t magic = 0x54525654;
  std::uint32_t kind = 0;
};

}  // namespace

base::Result<std::pair<Channel, Channel>> Channel::make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0)
    return base::system_error("cannot make the line to a worker", errno);
  return std::pair(Channel(process::FileDescriptor(ends[0])), Channel(process::FileDescriptor(ends[1])));
}

pid_t Channel::maker() const noexcept {
  ucred made_by{};
  socklen_t size = sizeof made_by;
  return ::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &made_by, &size) == 0 ? made_by.pid : 0;
}

Channel::Outcome Channel::send(std::uint32_t kind, std::string_view text,
                               std::span<const int> descriptors) noexcept {
  if (text.size() > most_text || descriptors.size() > most_descriptors) return Outcome::gone;
  Header header;
  header.kind = kind;
  std::array<iovec, 2> pieces{};
  pieces[0] = {&header, sizeof header};
  pieces[1] = {const_cast<char*>(text.data()), text.size()};  // NOLINT: the kernel only reads it
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const about = CMSG_FIRSTHDR(&message);
    about->cmsg_level = SOL_SOCKET;
    about->cmsg_type = SCM_RIGHTS;
    about->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(about), descriptors.data(), descriptors.size_bytes());
  }
  while (::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    // Too many descriptors of this user are on their way (ETOOMANYREFS): that passes as well.
    const bool later = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS;
    return later ? Outcome::full : Outcome::gone;
  }
  return Outcome::done;
}

Channel::Outcome Channel::receive(Message& message) {
  Header header;
  message.text.resize(most_text);
  message.descriptors.clear();
  std::array<iovec, 2> pieces{};
  pieces[0] = {&header, sizeof header};
  pieces[1] = {message.text.data(), message.text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_descriptors * sizeof(int))> control{};
  msghdr from{};
  from.msg_iov = pieces.data();
  from.msg_iovlen = pieces.size();
  from.msg_control = control.data();
  from.msg_controllen = control.size();
  ssize_t got = -1;
  while ((got = ::recvmsg(socket_.get(), &from, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == EINTR) continue;
    message.text.clear();
    return errno == EAGAIN ? Outcome::empty : Outcome::gone;
  }
  for (cmsghdr* about = CMSG_FIRSTHDR(&from); about != nullptr; about = CMSG_NXTHDR(&from, about)) {
    if (about->cmsg_level != SOL_SOCKET || about->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (about->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(about) + i * sizeof(int), sizeof(int));
      message.descriptors.emplace_back(descriptor);
    }
  }
  const auto size = static_cast<std::size_t>(got);
  if (size < sizeof header || header.magic != Header().magic || (from.msg_flags & MSG_TRUNC) != 0) {
    message.text.clear();
    return Outcome::gone;
  }
  message.kind = header.kind;
  message.text.resize(size - sizeof header);
  message.lost_descriptors = (from.msg_flags & MSG_CTRUNC) != 0;
  return Outcome::done;
}

}  // namespace trivet::process
