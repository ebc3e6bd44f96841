#include "runtime/host/exchange.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <utility>

namespace trivet::host {
namespace {

/// For a taker that had no descriptor left.
constexpr auto rest = std::chrono::milliseconds(100);

}  // namespace

void Exchange::set_takers(std::vector<Partner*> takers, bool may_all_wait) {
  takers_ = std::move(takers);
  may_all_wait_ = may_all_wait;
  spread();
  answer_waiting();
}

void Exchange::on_hand(Partner& from, process::Message& message) {
  auto parcels = unpack_parcels(message.text);
  if (!parcels || parcels->size() < message.descriptors.size() || unanswered_.count(&from) != 0) {
    log_.error("a worker hands over what nobody can read: it is killed",
               {{"pid", std::to_string(from.pid())}});
    from.kill(SIGKILL);
    return;
  }
  // Fewer descriptors than parcels: this process had no room for more. They are the last ones.
  const std::size_t arrived = message.descriptors.size();
  for (std::size_t i = 0; i < arrived; ++i)
    waiting_.push_back({std::move((*parcels)[i]), std::move(message.descriptors[i]), &from});
  unanswered_[&from] = arrived;
  spread();
  answer_waiting();
}

void Exchange::answer_waiting() {
  while (!unanswered_.empty() && (may_all_wait_ || waiting_.size() <= most_waiting)) {
    const auto [worker, count] = *unanswered_.begin();
    unanswered_.erase(unanswered_.begin());
    worker->tell(Word::placed, std::to_string(count), {});
  }
}

void Exchange::on_taken(Partner& by, std::string_view count) {
  const auto found = under_way_.find(&by);
  std::size_t taken = 0;
  const auto read = std::from_chars(count.begin(), count.end(), taken);
  if (found == under_way_.end() || found->second.batch.empty() || read.ec != std::errc() ||
      taken > found->second.batch.size()) {
    return;  // Nothing was asked.
  }
  moved_ += taken;
  if (taken == 0) {
    log_.warn("a worker takes no connections: it has no descriptor left",
              {{"pid", std::to_string(by.pid())}});
    found->second.rests_to = loop_.now() + rest;
  }
  take_back(found->second.batch, taken);
  spread();
  answer_waiting();
}

void Exchange::ended(Partner& worker) {
  unanswered_.erase(&worker);
  std::erase(takers_, &worker);
  if (const auto found = under_way_.find(&worker); found != under_way_.end()) {
    take_back(found->second.batch, 0);
    under_way_.erase(found);
  }
  spread();
  answer_waiting();
}

/// What of a batch was not taken is first in line again.
void Exchange::take_back(std::vector<Item>& items, std::size_t from) {
  for (std::size_t i = items.size(); i > from; --i) waiting_.push_front(std::move(items[i - 1]));
  items.clear();
}

void Exchange::close_all() {
  waiting_.clear();
  takers_.clear();
  answer_waiting();
}

std::vector<Inheritance::Connection> Exchange::inheritance() const {
  std::vector<Inheritance::Connection> left;
  for (const Item& each : waiting_)
    left.push_back({pack(std::vector<Parcel>{each.parcel}), each.descriptor.get()});
  return left;
}

bool Exchange::adopt(std::string_view parcel, process::FileDescriptor descriptor) {
  auto parcels = unpack_parcels(parcel);
  if (!parcels || parcels->size() != 1) return false;
  waiting_.push_back({std::move(parcels->front()), std::move(descriptor), nullptr});
  return true;
}

std::size_t Exchange::travelling() const noexcept {
  std::size_t sum = 0;
  for (const auto& [worker, taker] : under_way_) sum += taker.batch.size();
  return sum;
}

/// It has no unanswered batch, and is not who had the connection before, unless there is nobody else.
bool Exchange::is_free(Partner& worker, const Partner* from) {
  const Taker& taker = under_way_[&worker];
  if (!taker.batch.empty() || taker.rests_to > loop_.now()) return false;
  return &worker != from || takers_.size() == 1;
}

/// Null: nobody is free.
Partner* Exchange::least_loaded(const Partner* from) {
  Partner* best = nullptr;
  std::uint64_t least = 0;
  for (Partner* each : takers_) {
    if (!is_free(*each, from)) continue;
    const std::uint64_t load = process::read(board_.slot(each->slot()).counters.connections_open);
    if (best != nullptr && load >= least) continue;
    best = each;
    least = load;
  }
  return best;
}

void Exchange::spread() {
  // An even share each, so that a batch of many does not go to one.
  while (!waiting_.empty()) {
    const Partner* const from = waiting_.front().from;
    Partner* const to = least_loaded(from);
    if (to == nullptr) break;
    const auto free = static_cast<std::size_t>(
        std::count_if(takers_.begin(), takers_.end(), [&](Partner* each) { return is_free(*each, from); }));
    if (!give(*to, (waiting_.size() + free - 1) / free)) break;
  }
  if (waiting_.empty() || takers_.empty()) {
    later_.cancel();
  } else if (!later_.armed()) {
    loop_.timers().arm(later_, loop_.now() + rest);  // Who rests says nothing.
  }
}

bool Exchange::give(Partner& to, std::size_t count) {
  std::vector<Parcel> parcels;
  std::vector<int> descriptors;
  std::size_t size = 0;
  for (const Item& each : waiting_) {
    size += each.parcel.packed_size();
    if (parcels.size() == std::min(count, process::Channel::most_descriptors) ||
        size > process::Channel::most_text) {
      break;
    }
    parcels.push_back(each.parcel);
    descriptors.push_back(each.descriptor.get());
  }
  if (!to.tell(Word::take, pack(parcels), descriptors)) {
    std::erase(takers_, &to);  // It was killed for that.
    return !takers_.empty();
  }
  std::vector<Item>& batch = under_way_[&to].batch;
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return true;
}

}  // namespace trivet::host
