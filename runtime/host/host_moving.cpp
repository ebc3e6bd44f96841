#include "runtime/host/host.hpp"
#include "runtime/host/share.hpp"
#include "runtime/io/socket.hpp"

namespace trivet::host {

void Host::join(process::Channel& channel, const process::Board& board, std::uint32_t slot) {
  Mover::Owner& owner = *this;
  mover_ = std::make_unique<Mover>(owner, channel, *loop_, config_, log_);
  board_ = &board;
  number_ = slot;
}

void Host::retire(const std::vector<std::uint32_t>& to_empty) {
  if (context_.retiring) return;
  if (environment_.stopping) {
    mover_->tell_deaf();
    return;
  }
  log_.info("retiring", {{"connections", std::to_string(connections_.size())}});
  context_.retiring = true;
  mover_->retire();
  listeners_.finish(to_empty, [this] {
    deaf_ = true;
    mover_->tell_deaf();
    end_if_done();
  });
}

void Host::on_connection_idle(Connection& connection) {
  if (mover_ == nullptr || environment_.stopping) return;
  if (!context_.retiring && !has_more_than_its_share(*board_, number_)) return;
  Batch batch(config_);
  if (!mover_->is_free() || !batch.has_room(connection.listener())) {
    // Of a burst that came to one worker all but one find something on its way.
    context_.retiring ? mover_->on_rest() : connection.ask_again();
    return;
  }
  // Not a moment later, when its next request may be here already.
  let_go(connection, batch);
  mover_->hand(std::move(batch));
}

void Host::let_go(Connection& connection, Batch& batch) {
  const Connection::Leaving leaving = connection.leave();
  batch.add(connection.listener(), leaving.descriptor, leaving.payload);
  forget(connection);
}

void Host::give(Batch& batch) {
  // The last one takes the place of one that goes, and was looked at before.
  for (std::size_t i = connections_.size(); i > 0; --i) {
    Connection& each = *connections_[i - 1];
    if (!batch.has_room(each.listener())) return;
    if (each.can_leave()) let_go(each, batch);
  }
}

void Host::serve(std::uint32_t listen, process::FileDescriptor socket, const io::Peer& peer,
                 base::Bytes payload) {
  Connection& connection = add_connection(listen, peer);
  const std::size_t before = connections_.size();
  connection.take_over(io::adopt(*loop_, socket.release(), connection), payload);
  // One that came back to a worker that stops; it may have ended by itself.
  if (environment_.stopping && connections_.size() == before) connections_.back()->stop();
}

std::string_view Host::refusal(std::uint32_t listen, const io::Peer& peer) const {
  return listeners_.refusal(listen, peer);
}

void Host::freeze_busy() {
  for (const auto& each : connections_) each->freeze();
}

void Host::on_reload_grace_over() { cancel_what_runs("reload_grace is over: what still runs is cancelled"); }

}  // namespace trivet::host
