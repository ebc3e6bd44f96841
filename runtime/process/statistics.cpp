#include "runtime/process/statistics.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <new>
#include <utility>

namespace trivet::process {
namespace {

struct Header {
  std::uint64_t magic = 0x74617473'76726574;  // "tervstat"
  std::uint32_t version = 1;
  std::uint32_t entry_size = sizeof(PluginCounters);
  std::uint32_t rows = 0;
  std::uint32_t plugins = 0;
  std::uint32_t routes = 0;
};
constexpr std::size_t entry_size = sizeof(PluginCounters);
/// As long as an entry: then none of them reaches from one page into the next.
constexpr std::size_t header_size = entry_size;
static_assert(sizeof(Header) <= header_size && 4096 % entry_size == 0);

std::size_t columns(const Statistics::Shape& shape) noexcept {
  return std::size_t{shape.plugins} + shape.routes;
}
std::size_t size_of(const Statistics::Shape& shape) noexcept {
  return header_size + shape.rows * columns(shape) * entry_size;
}

std::byte* entry_at(void* mapped, std::size_t entry) noexcept {
  return static_cast<std::byte*>(mapped) + header_size + entry * entry_size;
}

void add_to(PluginTotals& totals, const PluginCounters& counters) noexcept {
  totals.calls += read(counters.calls);
  totals.errors += read(counters.errors);
  totals.timeouts += read(counters.timeouts);
  totals.refused += read(counters.refused);
  totals.timed += read(counters.timed);
  totals.running_time += read(counters.running_time);
  totals.waiting_time += read(counters.waiting_time);
  totals.waiting += read(counters.waiting);
  totals.running += read(counters.running);
  totals.lost += read(counters.lost);
  totals.remembered += read(counters.remembered);
  totals.not_remembered += read(counters.not_remembered);
  totals.shadow_allows += read(counters.shadow_allows);
  totals.shadow_denies += read(counters.shadow_denies);
}

void add_to(PluginTotals& totals, const PluginTotals& more, StatisticsTotals::Workers workers) noexcept {
  totals.calls += more.calls;
  totals.errors += more.errors;
  totals.timeouts += more.timeouts;
  totals.refused += more.refused;
  totals.timed += more.timed;
  totals.running_time += more.running_time;
  totals.waiting_time += more.waiting_time;
  totals.remembered += more.remembered;
  totals.not_remembered += more.not_remembered;
  totals.shadow_allows += more.shadow_allows;
  totals.shadow_denies += more.shadow_denies;
  if (workers == StatisticsTotals::Workers::ended) return;
  totals.waiting += more.waiting;
  totals.running += more.running;
  totals.lost += more.lost;
}

template <std::size_t size>
void add_each(std::array<std::uint64_t, size>& totals, const std::array<Counter, size>& counters) noexcept {
  for (std::size_t i = 0; i < size; ++i) totals[i] += read(counters[i]);
}
template <std::size_t size>
void add_each(std::array<std::uint64_t, size>& totals, const std::array<std::uint64_t, size>& more) noexcept {
  for (std::size_t i = 0; i < size; ++i) totals[i] += more[i];
}

void add_to(RouteTotals& totals, const RouteCounters& counters) noexcept {
  totals.requests += read(counters.requests);
  add_each(totals.responses, counters.responses);
  add_each(totals.verdicts, counters.verdicts);
  totals.head_time += read(counters.head_time);
}

void add_to(RouteTotals& totals, const RouteTotals& more) noexcept {
  totals.requests += more.requests;
  add_each(totals.responses, more.responses);
  add_each(totals.verdicts, more.verdicts);
  totals.head_time += more.head_time;
}

template <class Value>
void keep_only(std::map<std::string, Value>& all, const std::vector<std::string>& names) {
  std::map<std::string, Value> kept;
  for (const std::string& name : names) {
    if (const auto found = all.find(name); found != all.end()) kept.insert(all.extract(found));
  }
  all = std::move(kept);
}

template <class Value>
Value find(const std::map<std::string, Value>& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? Value{} : found->second;
}

}  // namespace

base::Result<Statistics> Statistics::make(const Shape& shape) {
  Statistics made;
  made.shape_ = shape;
  made.size_ = size_of(shape);
  made.memory_.reset(::memfd_create("trivet-statistics", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // Nobody who is passed it can take pages away from under those who read it.
  constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
  if (!made.memory_.is_open() || ::ftruncate(made.memory_.get(), static_cast<off_t>(made.size_)) != 0 ||
      ::fcntl(made.memory_.get(), F_ADD_SEALS, seals) != 0) {
    return base::system_error("cannot make the memory that plugins and routes are counted in", errno);
  }
  if (const auto mapped = made.map(); !mapped) return mapped.error();
  Header header;
  header.rows = shape.rows;
  header.plugins = shape.plugins;
  header.routes = shape.routes;
  new (made.mapped_) Header(header);
  return made;
}

base::Result<Statistics> Statistics::open(FileDescriptor memory, const Shape& expected) {
  Statistics opened;
  opened.memory_ = std::move(memory);
  struct stat about{};
  if (::fstat(opened.memory_.get(), &about) != 0)
    return base::system_error("no memory to count plugins and routes in was passed", errno);
  opened.size_ = static_cast<std::size_t>(about.st_size);
  const base::Error other{base::ErrorCode::system_failure,
                          "the memory to count plugins and routes in has another layout"};
  if (opened.size_ < header_size) return other;
  if (const auto mapped = opened.map(); !mapped) return mapped.error();
  const Header header = *static_cast<const Header*>(opened.mapped_);
  const Header wanted;
  opened.shape_ = {header.rows, header.plugins, header.routes};
  if (header.rows == 0 || header.magic != wanted.magic || header.version != wanted.version ||
      header.entry_size != wanted.entry_size || header.plugins != expected.plugins ||
      header.routes != expected.routes || size_of(opened.shape_) != opened.size_) {
    return other;
  }
  return opened;
}

base::Result<> Statistics::map() {
  void* const mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (mapped == MAP_FAILED)
    return base::system_error("cannot map the memory that plugins and routes are counted in", errno);
  mapped_ = mapped;
  return base::success();
}

Statistics::Statistics(Statistics&& other) noexcept
    : memory_(std::move(other.memory_)),
      mapped_(std::exchange(other.mapped_, nullptr)),
      size_(other.size_),
      shape_(other.shape_) {}

Statistics::~Statistics() {
  if (mapped_ != nullptr) ::munmap(mapped_, size_);
}

/// A record lock is the process's, and ends with it however that ends.
bool Statistics::claim(std::uint32_t row) const noexcept {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = row;
  lock.l_len = 1;
  return ::fcntl(memory_.get(), F_SETLK, &lock) == 0;
}

Statistics::Row Statistics::take(std::uint32_t preferred) const noexcept {
  std::uint32_t row = preferred;
  if (row >= shape_.rows || !claim(row)) {
    // From the spare half on, where nobody has a row of right.
    std::uint32_t tried = 0;
    do {
      row = (shape_.rows / 2 + tried) % shape_.rows;
    } while (!claim(row) && ++tried < shape_.rows);
  }
  rest(row);
  return at(row);
}

Statistics::Row Statistics::at(std::uint32_t row) const noexcept {
  const std::size_t first = row * columns(shape_);
  // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): fixed layout
  return {{reinterpret_cast<PluginCounters*>(entry_at(mapped_, first)), shape_.plugins},
          {reinterpret_cast<RouteCounters*>(entry_at(mapped_, first + shape_.plugins)), shape_.routes}};
  // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
}

void Statistics::rest(std::uint32_t row) const noexcept {
  if (row >= shape_.rows) return;
  for (PluginCounters& each : at(row).plugins) {
    set(each.waiting, 0);
    set(each.running, 0);
    set(each.lost, 0);
  }
}

Statistics::Sums Statistics::sum() const {
  Sums sums{std::vector<PluginTotals>(shape_.plugins), std::vector<RouteTotals>(shape_.routes)};
  // Looking at a page that is not there yet would make it.
  const auto end = static_cast<off_t>(size_);
  for (off_t from = 0; from < end;) {
    const off_t data = ::lseek(memory_.get(), from, SEEK_DATA);
    if (data < 0) break;
    const off_t hole = ::lseek(memory_.get(), data, SEEK_HOLE);
    from = hole < 0 ? end : hole;
    add_entries(static_cast<std::size_t>(data), static_cast<std::size_t>(from), sums);
  }
  return sums;
}

void Statistics::add_entries(std::size_t from, std::size_t to, Sums& sums) const {
  from = std::max(from, header_size);
  to = std::min(to, size_);
  for (std::size_t entry = (from - header_size) / entry_size; header_size + entry * entry_size < to;
       ++entry) {
    const std::size_t column = entry % columns(shape_);
    const std::byte* const counters = entry_at(mapped_, entry);
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): fixed layout
    if (column < shape_.plugins) {
      add_to(sums.plugins[column], *reinterpret_cast<const PluginCounters*>(counters));
    } else {
      add_to(sums.routes[column - shape_.plugins], *reinterpret_cast<const RouteCounters*>(counters));
    }
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
  }
}

void StatisticsTotals::add(const Statistics& statistics, const Names& names, Workers workers) {
  const Statistics::Sums sums = statistics.sum();
  const std::size_t plugins = std::min(sums.plugins.size(), names.plugins.size());
  for (std::size_t i = 0; i < plugins; ++i) add_to(plugins_[names.plugins[i]], sums.plugins[i], workers);
  const std::size_t routes = std::min(sums.routes.size(), names.routes.size());
  for (std::size_t i = 0; i < routes; ++i) add_to(routes_[names.routes[i]], sums.routes[i]);
}

void StatisticsTotals::keep(const Names& names) {
  keep_only(plugins_, names.plugins);
  keep_only(routes_, names.routes);
}

PluginTotals StatisticsTotals::plugin(const std::string& name) const { return find(plugins_, name); }
RouteTotals StatisticsTotals::route(const std::string& name) const { return find(routes_, name); }

void add_to(WorkerTotals& totals, const WorkerCounters& counters,
            StatisticsTotals::Workers workers) noexcept {
  add_each(totals.requests, counters.requests);
  add_each(totals.responses, counters.responses);
  add_each(totals.verdicts, counters.verdicts);
  totals.connections_accepted += read(counters.connections_accepted);
  totals.connections_closed += read(counters.connections_closed);
  totals.bytes_in += read(counters.bytes_in);
  totals.bytes_out += read(counters.bytes_out);
  totals.limits_hit += read(counters.limits_hit);
  totals.records_ignored += read(counters.records_ignored);
  totals.log_lines_lost += read(counters.log_lines_lost);
  if (workers == StatisticsTotals::Workers::at_work) {
    totals.requests_open += read(counters.requests_open);
    totals.connections_open += read(counters.connections_open);
  } else {
    totals.connections_closed += read(counters.connections_open);
  }
}

}  // namespace trivet::process
