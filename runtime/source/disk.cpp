#include "runtime/source/disk.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace trivet::source {

Disk::Disk(std::unique_ptr<plugin::Workers> threads, std::size_t at_once, std::size_t queue)
    : threads_(std::move(threads)), at_once_(at_once), queue_(queue) {
  blocks_.reserve(at_once);
}

Disk::~Disk() = default;

std::unique_ptr<Disk> Disk::start(std::size_t at_once, std::size_t queue) {
  // No more work is submitted than there are threads: theirs is a queue that nobody stands in.
  const auto bound = static_cast<std::uint32_t>(at_once);
  auto threads = std::make_unique<plugin::Threads>("disk", std::vector<void*>(at_once, nullptr), bound);
  return std::make_unique<Disk>(std::move(threads), at_once, queue);
}

std::span<std::uint8_t> Disk::loop_buffer() {
  if (loop_block_ == nullptr) loop_block_.reset(new std::uint8_t[buffer_size]);
  return {loop_block_.get(), buffer_size};
}

std::size_t Disk::most_of_a_share() const noexcept {
  return shares_ == 1 ? at_once_ : std::max<std::size_t>(at_once_ / 2, 1);
}

void Disk::line_up(Share& share) noexcept {
  if (share.in_line_) return;
  share.in_line_ = true;
  share.next_ = nullptr;
  (last_in_line_ == nullptr ? first_in_line_ : last_in_line_->next_) = &share;
  last_in_line_ = &share;
}

void Disk::start_work(Work& work) {
  Share& share = *work.share_;
  ++share.out_;
  ++out_;
  if (blocks_.empty()) {
    work.block_.reset(new std::uint8_t[buffer_size]);
  } else {
    work.block_ = std::move(blocks_.back());
    blocks_.pop_back();
  }
  work.state_ = Work::State::out;
  [[maybe_unused]] const bool taken = threads_->submit(work);
  assert(taken);  // There is never more work out than there are threads.
}

/// Gives free threads to shares in line. One that has all it may have leaves the line, and comes back when
/// some of its work is done.
void Disk::start_next() {
  while (out_ < at_once_ && first_in_line_ != nullptr) {
    Share& share = *first_in_line_;
    first_in_line_ = share.next_;
    if (first_in_line_ == nullptr) last_in_line_ = nullptr;
    share.in_line_ = false;
    if (share.first_ == nullptr || share.out_ >= most_of_a_share()) continue;
    Work& work = *share.first_;
    work.unlink();
    start_work(work);
    if (share.first_ != nullptr) line_up(share);
  }
}

void Disk::end_work(Share& share, Block block) {
  blocks_.push_back(std::move(block));
  --share.out_;
  --out_;
  if (share.first_ != nullptr) line_up(share);
  start_next();
}

bool Disk::Work::submit(Share& share, base::Loop& loop, Kind kind) {
  Disk& disk = share.disk_;
  share_ = &share;
  loop_ = &loop;
  kind_ = kind;
  if (disk.out_ < disk.at_once_ && share.out_ < disk.most_of_a_share() && share.first_ == nullptr) {
    disk.start_work(*this);
    return true;
  }
  if (kind == Kind::first) {
    if (disk.waiting_ >= disk.queue_) return false;
    ++disk.waiting_;
  }
  state_ = State::waiting;
  next_ = nullptr;
  previous_ = share.last_;
  (share.last_ == nullptr ? share.first_ : share.last_->next_) = this;
  share.last_ = this;
  disk.line_up(share);
  return true;
}

void Disk::Work::unlink() noexcept {
  (previous_ == nullptr ? share_->first_ : previous_->next_) = next_;
  (next_ == nullptr ? share_->last_ : next_->previous_) = previous_;
  next_ = previous_ = nullptr;
  if (kind_ == Kind::first) --share_->disk_.waiting_;
  state_ = State::idle;
}

bool Disk::Work::withdraw() {
  if (state_ == State::waiting) {
    unlink();
    return true;
  }
  if (state_ != State::out || !share_->disk_.threads_->withdraw(*this)) return false;
  state_ = State::idle;
  share_->disk_.end_work(*share_, std::move(block_));
  return true;
}

void Disk::Work::run(void* /*instance*/, std::uint32_t /*thread*/) {
  on_disk({block_.get(), buffer_size});
  loop_->post(*this);
}

void Disk::Work::run() {
  state_ = State::idle;
  Share& share = *share_;
  Block block = std::move(block_);
  on_back({block.get(), buffer_size});  // It may be gone afterwards.
  share.disk_.end_work(share, std::move(block));
}

}  // namespace trivet::source
