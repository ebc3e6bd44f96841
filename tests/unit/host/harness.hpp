#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <trivet/plugin.hpp>
#include <utility>
#include <vector>

#include "runtime/host/connection.hpp"
#include "runtime/log/memory_log.hpp"
#include "runtime/plugin/plugin.hpp"
#include "runtime/roles/environment.hpp"
#include "runtime/roles/router.hpp"

/// The host without sockets and without a clock of its own: a connection over a pipe that the test holds both
/// ends of, a loop whose time the test moves, plugins that are linked in.
namespace trivet::host::testing {

using Names = std::vector<std::pair<std::string, std::string>>;

/// Time stands still until advance().
class FakeLoop final : public base::Loop {
 public:
  [[nodiscard]] base::TimePoint now() const noexcept override { return now_; }
  base::TimerQueue& timers() noexcept override { return timers_; }
  void post(base::Task& task) noexcept override;

  /// Runs what was posted, and what that posts, until nothing is left.
  void run_posted();
  /// Moves the time to each deadline on the way.
  void advance(base::Duration by);
  /// Runs what plugin threads post until `done`, for at most five seconds of real time.
  bool wait_until(const std::function<bool()>& done);

 private:
  base::TimePoint now_ = base::TimePoint{} + std::chrono::hours(1);
  base::TimerQueue timers_;
  std::mutex mutex_;
  std::condition_variable posted_some_;
  base::TaskList posted_;
};

/// What a simulated kernel says to one read or write.
struct Fault {
  enum class Kind : std::uint8_t {
    none,
    would_block,  ///< EAGAIN though there is something; also what is left of EINTR above the socket.
    end,          ///< For a read: the peer ends here, whatever else it sent.
    failed,       ///< ECONNRESET, EPIPE: the peer is gone.
  };
  Kind kind = Kind::none;
  std::size_t most = SIZE_MAX;  ///< Bytes that are moved at most.
};
class Faults {
 public:
  Faults() = default;
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;
  virtual ~Faults() = default;
  virtual Fault on_read() noexcept = 0;
  virtual Fault on_write() noexcept = 0;
};

/// What the test and the connection share of a pipe.
struct Pipe {
  std::string to_host;
  std::string from_host;
  std::vector<std::size_t> writes;  ///< Bytes of each write of the host, while there is capacity.
  std::size_t accepts = SIZE_MAX;   ///< Bytes that the peer will still take.
  bool input_ends = false;
  bool gone = false;
  int descriptor = -1;  ///< What release() gives.
  bool closed = false;  ///< The host closed it.
  bool shut = false;    ///< The host said that it sends no more.
  bool wants_read = false;
  bool wants_write = false;
  bool paused = false;
  std::size_t read_at_most = SIZE_MAX;
  Faults* faults = nullptr;
};

/// Bodies in memory, with a bound, and able to fail.
class FakeSpools final : public roles::SpoolStore {
 public:
  base::Result<std::unique_ptr<roles::SpoolFile>> create() override;
  bool reserve(std::size_t n) noexcept override;
  void give_back(std::size_t n) noexcept override { used -= n; }

  std::size_t bound = 1U << 20U;
  std::size_t used = 0;
  std::size_t files = 0;
  bool disk_full = false;
};

class CountingTally final : public roles::Tally {
 public:
  void request(const roles::Route*, roles::Slice) noexcept override { ++requests; }
  void response(const roles::Route* route, int status, base::Duration) noexcept override {
    ++responses[status];
    if (route == nullptr) ++without_route;
  }
  void decided(const roles::Route*, Decision decision) noexcept override {
    ++(decision == Decision::allow ? allows : decision == Decision::deny ? denies : errors);
  }
  void limit_hit() noexcept override { ++limits; }
  void in_use(std::size_t now) noexcept override { open = now; }

  int requests = 0;
  int without_route = 0;  ///< Responses.
  int allows = 0;
  int denies = 0;
  int errors = 0;
  std::size_t open = 0;
  int limits = 0;
  std::map<int, int> responses;
};

/// One answer, as the web server understands it.
struct Answer {
  std::string out;          ///< All of FCGI_STDOUT.
  std::size_t records = 0;  ///< Non-empty FCGI_STDOUT records.
  std::string first_record;
  bool out_ended = false;
  int ends = 0;  ///< END_REQUEST records, of all requests with this id; the rest is the last one's.
  bool over = false;
  std::uint32_t app_status = 0;
  int protocol_status = -1;

  /// 0 when there is no whole head with a Status.
  [[nodiscard]] int status() const;
  [[nodiscard]] std::string head() const;
  [[nodiscard]] std::string body() const;
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// A host for one test: routes and plugins are added, then connections are made.
class Bench {
 public:
  explicit Bench(log::Level level = log::Level::debug);
  ~Bench();

  base::Limits limits;
  FakeLoop loop;
  log::MemoryLog log;
  FakeSpools spools;
  CountingTally tally;
  plugin::Plugin::MakeWorkers make_workers;  ///< For plugins that are added from now on; empty: threads.
  process::WorkerCounters counters;
  /// For routes whose source is no plugin.
  std::function<std::unique_ptr<roles::Source>(const config::Route&)> make_source;

  /// A plugin from its class; `threads` 0 is the loop.
  template <class T>
  plugin::Plugin& add(const std::string& name, std::uint32_t threads = 0,
                      std::optional<std::chrono::milliseconds> timeout = std::chrono::seconds(2),
                      std::uint32_t queue = 256) {
    static constexpr trivet_plugin entry = trivet::sdk::entry<T>("test", "1.0.0");
    return add_entry(name, entry, threads, timeout, queue);
  }
  plugin::Plugin& add_entry(const std::string& name, const trivet_plugin& entry, std::uint32_t threads,
                            std::optional<std::chrono::milliseconds> timeout, std::uint32_t queue);

  /// A route; plugins by name. `authorize` may hold "allow" and "deny", `listen` the numbers of listeners.
  config::Route& route(const std::string& name, const std::string& path);
  /// After the last route.
  void open();
  [[nodiscard]] roles::Environment& environment() { return *environment_; }

  struct Wire;
  Wire& connect(bool accept_steering = true, std::uint32_t listener = 0);
  /// Connections are told when they come to rest (Wire::rests).
  void retire() { context_->retiring = true; }
  /// Forgets every wire.
  void disconnect() { wires_.clear(); }
  [[nodiscard]] plugin::Plugin* find(const std::string& name);

 private:
  friend struct Wire;
  std::vector<std::unique_ptr<plugin::Plugin>> plugins_;
  std::vector<std::unique_ptr<config::Route>> routes_;
  std::unique_ptr<roles::Router> router_;
  std::unique_ptr<roles::Environment> environment_;
  std::unique_ptr<ConnectionContext> context_;
  std::vector<std::uint8_t> read_buffer_;
  std::vector<std::unique_ptr<Wire>> wires_;
};

/// The web server's end of one connection.
struct Bench::Wire final : private Connection::Owner {
  Wire(Bench& bench, const roles::Request::Origin& origin);
  ~Wire() override;

  /// Bytes arrive, in one piece or one by one.
  void send(std::string_view bytes);
  void send_one_by_one(std::string_view bytes);
  /// The web server sends no more; `gone`: it reads no more either.
  void end(bool everything);
  /// The web server takes this many bytes more.
  void take(std::size_t bytes);
  /// Tells the connection what it asked for, until nothing more happens.
  void settle();
  /// The connection leaves, if it can, and another takes it over: the web server sees one.
  bool move();
  [[nodiscard]] bool closed() const { return connection == nullptr; }
  /// What the host sent so far, by request id. Management records are under id 0.
  [[nodiscard]] std::map<std::uint16_t, Answer> answers() const;
  [[nodiscard]] Answer answer(std::uint16_t id = 1) const;
  /// Runs the loop until request `id` has ended or the connection was closed.
  bool wait(std::uint16_t id = 1);

  Bench& bench;
  Pipe pipe;
  roles::Request::Origin origin;
  std::unique_ptr<Connection> connection;
  int rests = 0;  ///< How often it was told that it can leave.

 private:
  void on_connection_dead(Connection& dead) override;
  void on_connection_idle(Connection& /*idle*/) override { ++rests; }
};

// --- what web servers send ---

struct Ask {
  std::uint16_t id = 1;
  std::uint16_t role = 1;
  bool keep = true;
  Names params = {};                      ///< On top of usual ones.
  std::vector<std::string> without = {};  ///< Usual ones that are left out.
  std::string body = {};
  std::string data = {};
  bool end_params = true;
  bool end_body = true;
  bool end_data = true;
};

std::string begin(std::uint16_t id, std::uint16_t role, bool keep);
std::string params(std::uint16_t id, const Names& names);
std::string stream(std::uint16_t id, std::uint8_t type, std::string_view content);
std::string stream_end(std::uint16_t id, std::uint8_t type);
std::string abort(std::uint16_t id);
/// A whole request.
std::string request(const std::string& uri, const Ask& ask = {});

}  // namespace trivet::host::testing
