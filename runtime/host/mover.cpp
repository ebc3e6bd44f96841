#include "runtime/host/mover.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/host/numbers.hpp"

namespace trivet::host {
namespace {

using process::Channel;

/// The line holds a few hundred messages; it takes more when the supervisor has had its turn.
constexpr auto line_delay = std::chrono::milliseconds(10);
/// Until there may be a worker again that takes what none took.
constexpr auto nobody_delay = std::chrono::milliseconds(100);

}  // namespace

// --- Batch ---

bool Batch::has_room(std::uint32_t listen) const noexcept {
  const std::size_t most = Parcel{config_->listen[listen].name, {}}.packed_size() + Parcel::most_payload;
  return items_.size() < Channel::most_descriptors && text_ + most <= Channel::most_text;
}

void Batch::add(std::uint32_t listen, int descriptor, const base::Buffer& payload) {
  items_.push_back(
      {listen, process::FileDescriptor(descriptor), std::string(base::as_text(payload.bytes()))});
  text_ += Parcel{config_->listen[listen].name, items_.back().payload}.packed_size();
}

std::string Batch::packed() const {
  std::vector<Parcel> parcels;
  parcels.reserve(items_.size());
  for (const Item& each : items_) parcels.push_back({config_->listen[each.listen].name, each.payload});
  return pack(parcels);
}

std::vector<int> Batch::descriptors() const {
  std::vector<int> all;
  all.reserve(items_.size());
  for (const Item& each : items_) all.push_back(each.socket.get());
  return all;
}

// --- Mover ---

Mover::Mover(Owner& owner, Channel& channel, base::Loop& loop, const config::Config& config, log::Log& log)
    : owner_(owner), channel_(channel), loop_(loop), config_(config), log_(log) {}

Channel::Outcome Mover::say(Word word, std::string_view text, std::span<const int> descriptors) {
  return channel_.send(static_cast<std::uint32_t>(word), text, descriptors);
}

void Mover::retire() {
  if (retiring_ || stopping_) return;
  retiring_ = true;
  const base::TimePoint now = loop_.now();
  loop_.timers().arm(freeze_, now + config_.server.reload_grace / 3);
  loop_.timers().arm(over_, now + config_.server.reload_grace);
  on_rest();
}

void Mover::hurry() {
  if (retiring_ && !stopping_) on_freeze(loop_.now());
}

void Mover::stop() noexcept {
  stopping_ = true;
  freeze_.cancel();
  over_.cancel();
}

void Mover::tell_deaf() {
  deaf_owed_ = true;
  send_deaf();
}

void Mover::send_deaf() {
  if (!deaf_owed_) return;
  if (say(Word::deaf) == Channel::Outcome::full) {
    again_in(line_delay);
  } else {
    deaf_owed_ = false;
  }
}

// --- away ---

/// At the end of the turn: others may come to rest in it, too.
void Mover::on_rest() {
  if (!retiring_ || stopping_ || sent_ || again_.armed() || std::exchange(posted_, true)) return;
  loop_.post(*this);
}

void Mover::run() {
  posted_ = false;
  if (stopping_ || sent_) return;
  Batch batch(config_);
  owner_.give(batch);
  hand(std::move(batch));
}

void Mover::hand(Batch batch) {
  if (batch.empty()) return;
  if (!sent_ && !stopping_ &&
      say(Word::hand, batch.packed(), batch.descriptors()) == Channel::Outcome::done) {
    sent_ = std::move(batch);
    return;
  }
  again_in(line_delay);
  take_back(batch.items(), 0);
}

void Mover::on_placed(const process::Message& message) {
  const auto numbers = read_numbers(message.text);
  if (!sent_ || !numbers || numbers->size() != 1) {
    log_.error("the supervisor acknowledges connections that it was not handed");
    return;
  }
  Batch batch = std::move(*sent_);
  sent_.reset();
  const std::size_t placed = std::min<std::size_t>(numbers->front(), batch.items().size());
  if (placed < batch.items().size()) again_in(nobody_delay);
  take_back(batch.items(), placed);
  batch.items().clear();  // Closes ours of those that arrived.
  owner_.on_moved();
  on_rest();
}

void Mover::take_back(std::vector<Batch::Item>& items, std::size_t from) {
  for (std::size_t i = from; i < items.size(); ++i) {
    Batch::Item& each = items[i];
    const io::Peer peer = io::peer_of(each.socket.get()).value_or(io::Peer());
    owner_.serve(each.listen, std::move(each.socket), peer, base::as_bytes(each.payload));
  }
}

void Mover::again_in(base::Duration time) {
  const base::TimePoint then = loop_.now() + time;
  if (!again_.armed() || again_.deadline() > then) loop_.timers().arm(again_, then);
}

void Mover::on_again(base::TimePoint /*now*/) {
  send_deaf();
  answer_take();
  on_rest();
}

void Mover::on_freeze(base::TimePoint now) {
  owner_.freeze_busy();
  loop_.timers().arm(freeze_, now + std::max<base::Duration>(config_.server.reload_grace / 6, line_delay));
}

void Mover::on_over(base::TimePoint /*now*/) {
  freeze_.cancel();
  owner_.on_reload_grace_over();
}

// --- here ---

void Mover::on_take(process::Message& message) {
  if (owed_) {
    log_.error("the supervisor passes connections before it heard of the last ones");
    return;
  }
  auto parcels = unpack_parcels(message.text);
  std::size_t taken = 0;
  if (!parcels) {
    log_.error("connections from another worker cannot be read: the supervisor is of another version");
  } else if (!stopping_) {  // Else the supervisor gives them to somebody else.
    taken = std::min(parcels->size(), message.descriptors.size());
    if (taken < parcels->size()) {
      log_.warn("not every connection from another worker arrived: the limit of open descriptors is too low",
                {{"arrived", std::to_string(taken)}, {"sent", std::to_string(parcels->size())}});
    }
  }
  for (std::size_t i = 0; i < taken; ++i) {
    if (auto arrival = arrival_of((*parcels)[i], std::move(message.descriptors[i])))
      arrived_.push_back(std::move(*arrival));
  }
  owed_ = taken;
  answer_take();
}

/// Nothing where it may not be here: it is closed, which this generation's configuration asks for.
std::optional<Mover::Arrival> Mover::arrival_of(Parcel& parcel, process::FileDescriptor socket) const {
  const auto listen = std::find_if(config_.listen.begin(), config_.listen.end(),
                                   [&](const config::Listen& each) { return each.name == parcel.listener; });
  auto peer = io::peer_of(socket.get());
  std::string_view reason;
  const auto index = static_cast<std::uint32_t>(listen - config_.listen.begin());
  if (listen == config_.listen.end()) {
    reason = "its listener is not in this configuration";
  } else if (!peer) {
    reason = "it is no socket";
  } else {
    reason = owner_.refusal(index, *peer);
  }
  if (reason.empty()) return Arrival{index, std::move(socket), std::move(*peer), std::move(parcel.payload)};
  log_.warn("a connection from another worker was closed",
            {{"reason", reason}, {"peer", peer ? peer->text : "?"}, {"listen", parcel.listener}});
  return std::nullopt;
}

/// First the answer, then the first read: whom the supervisor does not know to be here it gives to another.
void Mover::answer_take() {
  if (!owed_) return;
  if (say(Word::taken, std::to_string(*owed_)) == Channel::Outcome::full) {
    again_in(line_delay);
    return;
  }
  owed_.reset();
  std::vector<Arrival> arrived;
  arrived.swap(arrived_);
  for (Arrival& each : arrived)
    owner_.serve(each.listen, std::move(each.socket), each.peer, base::as_bytes(each.payload));
}

void Mover::on_supervisor_gone() {
  sent_.reset();
  deaf_owed_ = false;
  again_.cancel();
  answer_take();  // Nobody else has them.
}

}  // namespace trivet::host
