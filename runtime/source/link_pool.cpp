#include "runtime/source/link_pool.hpp"

#include <algorithm>
#include <array>

namespace trivet::source {
namespace {
constexpr int most_idle_times = 5;  ///< The age at which a connection is not kept any more.
}

LinkPool::Got LinkPool::get(base::Loop& loop, Link::User& user, Client& client, Choice choice) {
  loop_ = &loop;
  Got got;
  const bool others_first = choice == Choice::any && !serving_ && !waiting_.empty();
  if (choice == Choice::any && !others_first) got.link = take_idle();
  if (got.link != nullptr) {
    got.link->set_user(user);
    return got;
  }
  if (others_first || open_ >= bounds_.connections) {
    waiting_.push_back(&client);
    got.queued = true;
    return got;
  }
  auto link = std::make_unique<Link>(user);
  Dialer::Dialed dialed = dialer_.dial(link->events());
  got.error = dialed.error;
  if (dialed.error != 0) return got;
  link->transport = std::move(dialed.transport);
  link->born = loop.now();
  ++open_;
  got.link = std::move(link);
  return got;
}

/// One that is still open, as far as can be seen: whatever is there to read is the end, or nothing that
/// anybody asked for.
std::unique_ptr<Link> LinkPool::take_idle() {
  while (!idle_.empty()) {
    std::unique_ptr<Link> link = std::move(idle_.back());
    idle_.pop_back();
    std::array<std::uint8_t, 1> probe{};
    if (link->transport->read(probe).status == io::Transfer::Status::would_block) return link;
    --open_;
  }
  return nullptr;
}

void LinkPool::forget(Client& client) noexcept { std::erase(waiting_, &client); }

void LinkPool::give_back(std::unique_ptr<Link> link, bool reusable) {
  const base::TimePoint now = loop_->now();
  if (reusable && now - link->born < most_idle_times * bounds_.idle_time) {
    link->set_user(*this);
    link->used_before = true;
    link->rested = now;
    link->transport->await_readable();
    idle_.push_back(std::move(link));
    arm();
  } else {
    link.reset();
    --open_;
  }
  // Not from in here: whoever gives a link back is in the middle of something.
  if (waiting_.empty() || posted_) return;
  posted_ = true;
  loop_->post(*this);
}

void LinkPool::run() {
  posted_ = false;
  serving_ = true;
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    if (idle_.empty() && open_ >= bounds_.connections) break;
    Client* client = waiting_.front();
    waiting_.pop_front();
    client->on_link_free();
  }
  serving_ = false;
}

/// The application closed a link that nobody uses, or sent what nobody asked for.
void LinkPool::on_link(Link& link, Link::Event /*event*/) {
  std::array<std::uint8_t, 1> probe{};
  if (link.transport->read(probe).status == io::Transfer::Status::would_block) {
    link.transport->await_readable();
    return;
  }
  std::erase_if(idle_, [&](const std::unique_ptr<Link>& each) { return each.get() == &link; });
  --open_;
}

void LinkPool::arm() {
  if (timer_.armed() || idle_.empty()) return;
  loop_->timers().arm(timer_, idle_.front()->rested + bounds_.idle_time);
}

void LinkPool::on_idle_time_over(base::TimePoint now) {
  const auto rests_on = std::find_if(idle_.begin(), idle_.end(), [&](const std::unique_ptr<Link>& each) {
    return now < each->rested + bounds_.idle_time;
  });
  open_ -= static_cast<std::size_t>(rests_on - idle_.begin());
  idle_.erase(idle_.begin(), rests_on);
  arm();
}

}  // namespace trivet::source
