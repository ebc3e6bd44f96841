#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "runtime/base/loop.hpp"
#include "runtime/source/dialer.hpp"
#include "runtime/source/link.hpp"

namespace trivet::source {

/// The connections of one worker to one application: which are kept for the next request, how many there are.
///
/// The one that came to rest last is used first, so that what is not needed stays idle and closes. A kept
/// connection occupies one of PHP-FPM's processes: so it is kept for `idle_time` only, and once it is five
/// times that old it is closed after its request, which lets others have their turn who wait for a process.
///
/// Thread    [loop].
/// Lifetime  Outlives its links and clients; the loop and the dialer outlive it.
/// Memory    At most `connections` links; a client that waits costs a pointer.
class LinkPool final : private Link::User, private base::Task {
 public:
  class Client {
   public:
    Client() = default;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    virtual ~Client() = default;
    /// There may be a link for it: it asks again, now.
    virtual void on_link_free() = 0;
  };
  struct Bounds {
    std::size_t connections;
    base::Duration idle_time;
  };
  struct Got {
    std::unique_ptr<Link> link;
    int error = 0;        ///< errno: there is no connection. EAGAIN: there may be one later.
    bool queued = false;  ///< All connections are in use: on_link_free() comes, or forget().
  };
  /// `fresh`: instead of one that was just given back and turned out to be closed.
  enum class Choice : std::uint8_t { any, fresh };

  LinkPool(Dialer& dialer, const Bounds& bounds) noexcept : dialer_(dialer), bounds_(bounds) {}
  ~LinkPool() override = default;
  LinkPool(const LinkPool&) = delete;
  LinkPool& operator=(const LinkPool&) = delete;

  /// A link, whose events go to `user`.
  [[nodiscard]] Got get(base::Loop& loop, Link::User& user, Client& client, Choice choice);
  /// The client does not wait any more.
  void forget(Client& client) noexcept;
  /// `reusable`: its request is over on both sides, and nothing else was read.
  void give_back(std::unique_ptr<Link> link, bool reusable);

  [[nodiscard]] std::size_t open() const noexcept { return open_; }
  [[nodiscard]] std::size_t idle() const noexcept { return idle_.size(); }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  void on_link(Link& link, Link::Event event) override;
  void run() override;
  void on_idle_time_over(base::TimePoint now);
  [[nodiscard]] std::unique_ptr<Link> take_idle();
  void arm();

  Dialer& dialer_;
  Bounds bounds_;
  base::Loop* loop_ = nullptr;               ///< Of whoever asked last: there is one.
  std::vector<std::unique_ptr<Link>> idle_;  ///< The one that rests longest first.
  std::deque<Client*> waiting_;
  std::size_t open_ = 0;
  bool serving_ = false;
  bool posted_ = false;
  base::MemberTimer<LinkPool, &LinkPool::on_idle_time_over> timer_{*this};
};

}  // namespace trivet::source
