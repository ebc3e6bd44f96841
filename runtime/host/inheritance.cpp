#include "runtime/host/inheritance.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "runtime/base/packing.hpp"
#include "runtime/process/memory_file.hpp"

namespace trivet::host {
namespace {

constexpr std::string_view magic = "trivet inheritance";

void put(base::Packer& packer, int descriptor) { packer.number(static_cast<std::size_t>(descriptor + 1)); }
int get(base::Unpacker& from) { return static_cast<int>(from.number()) - 1; }

/// The clock goes on across exec: it is the machine's.
void put(base::Packer& packer, base::TimePoint time) {
  packer.number(static_cast<std::size_t>(time.time_since_epoch().count()));
}
base::TimePoint get_time(base::Unpacker& from) {
  return base::TimePoint(base::Duration(static_cast<base::Duration::rep>(from.number())));
}

void put(base::Packer& packer, const Inheritance::Socket& socket) {
  packer.text(socket.key);
  packer.text(socket.path);
  put(packer, socket.descriptor);
}
Inheritance::Socket get_socket(base::Unpacker& from) {
  Inheritance::Socket socket;
  socket.key = from.text();
  socket.path = from.text();
  socket.descriptor = get(from);
  return socket;
}

bool is_open(int descriptor) noexcept { return ::fcntl(descriptor, F_GETFD) >= 0; }

}  // namespace

std::vector<int> Inheritance::descriptors() const {
  std::vector<int> all{board, executable, lock, snapshot, statistics};
  for (const process::PassedSocket& each : passed) all.push_back(each.descriptor);
  for (const Socket& each : sockets) all.push_back(each.descriptor);
  for (const Zone& each : zones) all.push_back(each.descriptor);
  for (const Worker& each : workers) {
    all.push_back(each.pidfd);
    all.push_back(each.channel);
  }
  for (const Connection& each : connections) all.push_back(each.descriptor);
  for (const Client& each : clients) all.push_back(each.descriptor);
  for (const int each : {admin.descriptor, attach.descriptor, client}) {
    if (each >= 0) all.push_back(each);
  }
  return all;
}

std::string pack(const Inheritance& from) {
  base::Packer packer;
  packer.text(magic);
  packer.number(Inheritance::format);
  put(packer, from.board);
  put(packer, from.executable);
  packer.number(from.passed.size());
  for (const process::PassedSocket& each : from.passed) {
    packer.text(each.name);
    put(packer, each.descriptor);
  }
  packer.number(from.sockets.size());
  for (const Inheritance::Socket& each : from.sockets) put(packer, each);
  put(packer, from.admin);
  put(packer, from.attach);
  packer.number(from.generation);
  packer.text(from.folder);
  put(packer, from.lock);
  put(packer, from.snapshot);
  put(packer, from.statistics);
  packer.text(from.counted);
  packer.number(from.zones.size());
  for (const Inheritance::Zone& each : from.zones) {
    packer.text(each.about);
    put(packer, each.descriptor);
  }
  packer.number(from.workers.size());
  for (const Inheritance::Worker& each : from.workers) {
    packer.number(each.slot);
    packer.number(each.number);
    packer.number(static_cast<std::size_t>(each.pid));
    put(packer, each.pidfd);
    put(packer, each.channel);
    put(packer, each.started);
  }
  packer.number(from.connections.size());
  for (const Inheritance::Connection& each : from.connections) {
    packer.text(each.parcel);
    put(packer, each.descriptor);
  }
  put(packer, from.client);
  packer.number(from.clients.size());
  for (const Inheritance::Client& each : from.clients) {
    packer.text(each.said);
    put(packer, each.descriptor);
  }
  packer.text(from.failure);
  return packer.take();
}

std::optional<Inheritance> unpack_inheritance(std::string_view bytes) {
  base::Unpacker from(bytes);
  if (from.text() != magic || from.number() != Inheritance::format) return std::nullopt;
  Inheritance got;
  got.board = get(from);
  got.executable = get(from);
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string name = from.text();
    got.passed.push_back({std::move(name), get(from)});
  }
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left)
    got.sockets.push_back(get_socket(from));
  got.admin = get_socket(from);
  got.attach = get_socket(from);
  got.generation = static_cast<std::uint32_t>(from.number());
  got.folder = from.text();
  got.lock = get(from);
  got.snapshot = get(from);
  got.statistics = get(from);
  got.counted = from.text();
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string about = from.text();
    got.zones.push_back({std::move(about), get(from)});
  }
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    Inheritance::Worker worker;
    worker.slot = static_cast<std::uint32_t>(from.number());
    worker.number = static_cast<std::uint32_t>(from.number());
    worker.pid = static_cast<std::int64_t>(from.number());
    worker.pidfd = get(from);
    worker.channel = get(from);
    worker.started = get_time(from);
    got.workers.push_back(worker);
  }
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string parcel = from.text();
    got.connections.push_back({std::move(parcel), get(from)});
  }
  got.client = get(from);
  for (std::size_t left = from.number(); left > 0 && !from.failed(); --left) {
    std::string said = from.text();
    got.clients.push_back({std::move(said), get(from)});
  }
  got.failure = from.text();
  if (from.failed() || !from.at_end()) return std::nullopt;
  for (const int each : got.descriptors()) {
    if (!is_open(each)) return std::nullopt;
  }
  return got;
}

base::Result<process::FileDescriptor> in_memory(const Inheritance& inheritance) {
  return process::make_memory_file("trivet-inheritance", pack(inheritance), process::Sealed::yes,
                                   "cannot keep what the new image needs");
}

base::Result<Inheritance> read_inheritance(int descriptor) {
  const base::Error wrong{base::ErrorCode::system_failure,
                          "what an earlier image left is nothing that this version understands"};
  const auto bytes = process::read_memory_file(descriptor);
  if (!bytes) return wrong;
  auto inheritance = unpack_inheritance(*bytes);
  if (!inheritance) return wrong;
  return std::move(*inheritance);
}

base::Result<std::optional<Inheritance>> take_inheritance() {
  const char* const value = std::getenv(Inheritance::variable);  // NOLINT(concurrency-mt-unsafe): [startup]
  if (value == nullptr) return std::optional<Inheritance>();
  const std::string_view text = value;
  int number = -1;
  const auto read = std::from_chars(text.begin(), text.end(), number);
  const bool good = read.ec == std::errc() && read.ptr == text.end() && number > STDERR_FILENO;
  ::unsetenv(Inheritance::variable);  // NOLINT(concurrency-mt-unsafe): [startup]
  const process::FileDescriptor memory(good ? number : -1);
  auto inheritance = read_inheritance(memory.get());
  if (!inheritance) return inheritance.error();
  for (const int each : inheritance->descriptors()) ::fcntl(each, F_SETFD, FD_CLOEXEC);
  return std::optional<Inheritance>(std::move(inheritance).value());
}

}  // namespace trivet::host
