#include "runtime/host/attachments.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace trivet::host {

void Attachments::set_takers(std::vector<Partner*> takers) {
  takers_ = std::move(takers);
  for (auto& [id, attached] : attached_) {
    const bool stays = std::any_of(takers_.begin(), takers_.end(), [&taken = attached](const Partner* each) {
      return each->pid() == taken.taker;
    });
    if (!stays) give(id, attached);
  }
}

/// In turn.
void Attachments::give(std::uint32_t id, Attached& attached) {
  attached.taker = 0;
  const std::array<int, 1> socket{attached.socket};
  for (std::size_t tries = takers_.size(); tries > 0 && attached.taker == 0; --tries) {
    Partner& taker = *takers_[turn_++ % takers_.size()];
    if (taker.tell(Word::attach, std::to_string(id), socket)) attached.taker = taker.pid();
  }
}

void Attachments::on_attached(std::uint32_t id, int socket) {
  give(id, attached_.emplace(id, Attached{socket, 0}).first->second);
}

void Attachments::on_detached(std::uint32_t id) {
  const auto found = attached_.find(id);
  if (found == attached_.end()) return;
  const std::int64_t taker = found->second.taker;
  attached_.erase(found);
  for (Partner* each : takers_) {
    if (each->pid() == taker) each->tell(Word::detach, std::to_string(id), {});
  }
}

}  // namespace trivet::host
