#include <algorithm>
#include <utility>

#include "runtime/protocol/demultiplexer.hpp"

namespace trivet::protocol {

void Demultiplexer::freeze(std::size_t most) {
  if (aside_ != nullptr || !failure_.empty()) return;
  aside_ = std::make_unique<Aside>();
  aside_->most = most;
  // What has come of a BEGIN_REQUEST is no request yet. Any other record was judged when it began.
  if (action_ == Action::begin) keep_record(base::Bytes(begin_body_).first(begin_held_));
}

/// Whether the record that begins would not reach any request that is open, and breaks nothing.
bool Demultiplexer::is_for_later() const noexcept {
  const RecordHeader& header = decoder_.header();
  if (header.request_id == 0 || requests_.find(header.request_id) != nullptr) return false;
  switch (static_cast<RecordType>(header.type)) {
    case RecordType::begin_request:
      return header.content_length == begin_body_.size();
    case RecordType::end_request:
    case RecordType::standard_out:
    case RecordType::standard_error:
    case RecordType::get_values_result:
    case RecordType::unknown_type:
      return false;
    case RecordType::abort_request:
    case RecordType::params:
    case RecordType::standard_in:
    case RecordType::data:
    case RecordType::get_values:
      break;
  }
  return true;  // Also of types that do not exist: they are ignored where they are fed in the end.
}

/// Takes the current record, of which `content` has come, from the decoder: its padding too has to be kept.
void Demultiplexer::keep_record(base::Bytes content) {
  aside_->bytes.append(decoder_.header_bytes());
  aside_->bytes.append(content);
  aside_->left = decoder_.bytes_to_boundary();
  decoder_.leave_record();
  action_ = Action::skip;
  target_ = nullptr;
}

void Demultiplexer::keep_rest(base::Bytes& bytes) {
  const std::size_t kept = std::min(aside_->left, bytes.size());
  aside_->bytes.append(bytes.first(kept));
  aside_->left -= kept;
  bytes = bytes.subspan(kept);
}

std::size_t Demultiplexer::room() const noexcept {
  if (aside_ == nullptr || !failure_.empty()) return 0;
  const std::size_t kept = aside_->bytes.size() + decoder_.held().size();
  const std::size_t free = aside_->most - std::min(aside_->most, kept);
  // The rest of a record that is not kept takes none of it.
  return decoder_.in_record() ? free + decoder_.bytes_to_boundary() : free;
}

std::string_view Demultiplexer::thaw() {
  if (aside_ == nullptr) return failure_;
  if (!decoder_.in_record()) {
    const base::Buffer kept = take_kept();
    return feed(kept.bytes());
  }
  // A record of an open request, or of management, came after all that was kept, and is not over.
  const std::unique_ptr<Aside> kept = std::move(aside_);
  const RecordDecoder current = std::exchange(decoder_, {});
  const Action action = std::exchange(action_, Action::skip);
  target_ = nullptr;
  if (!feed(kept->bytes.bytes()).empty()) return failure_;
  decoder_ = current;
  const OpenRequest* const request = requests_.find(current.header().request_id);
  if (request != nullptr && !request->is_forgotten) target_ = request->input;
  action_ = request != nullptr || action == Action::get_values ? action : Action::skip;
  return {};
}

/// What was kept came before that which broke FastCGI: whoever was complete by then keeps its answer.
void Demultiplexer::thaw_and_fail() {
  const std::string_view reason = std::exchange(failure_, {});
  if (thaw().empty()) failure_ = reason;
}

bool Demultiplexer::can_move() const noexcept {
  return failure_.empty() && requests_.size() == 0 && !decoder_.in_record();
}

base::Buffer Demultiplexer::take_kept() {
  base::Buffer kept;
  if (aside_ != nullptr) kept.swap(aside_->bytes);
  aside_.reset();
  kept.append(decoder_.held());
  decoder_.leave_record();
  return kept;
}

}  // namespace trivet::protocol
