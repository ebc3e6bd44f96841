#include "runtime/roles/input_queue.hpp"

#include <algorithm>

namespace trivet::roles {
namespace {
constexpr std::size_t read_back = 65536;
}

InputQueue::Kept InputQueue::append(base::Bytes bytes) {
  if (in_file_ == 0 && memory_.size() + bytes.size() <= in_memory_) {
    memory_.append(bytes);
    return Kept::yes;
  }
  if (!store_->reserve(bytes.size())) return Kept::over_bound;
  if (!file_) {
    auto made = store_->create();
    if (!made) {
      error_ = made.error().message;
      store_->give_back(bytes.size());
      return Kept::failed;
    }
    file_ = std::move(made).value();
  }
  if (auto written = file_->append(bytes); !written) {
    error_ = written.error().message;
    store_->give_back(bytes.size());
    return Kept::failed;
  }
  in_file_ += bytes.size();
  return Kept::yes;
}

base::Bytes InputQueue::front() {
  if (memory_.empty() && in_file_ != 0) {
    const auto into = memory_.prepare(static_cast<std::size_t>(std::min<std::uint64_t>(in_file_, read_back)));
    const auto got = file_->read(into);
    if (!got.ok() || got.value() == 0) {
      error_ = got.ok() ? "the spool file ended early" : got.error().message;
      return {};
    }
    memory_.commit(got.value());
    in_file_ -= got.value();
    store_->give_back(got.value());
  }
  return memory_.bytes();
}

void InputQueue::cut(std::uint64_t n) noexcept {
  if (n < memory_.size()) memory_.truncate(static_cast<std::size_t>(n));
  const std::uint64_t left = std::min(in_file_, n - memory_.size());
  if (in_file_ != left) store_->give_back(static_cast<std::size_t>(in_file_ - left));
  in_file_ = left;
}

void InputQueue::drop() noexcept {
  if (in_file_ != 0) store_->give_back(static_cast<std::size_t>(in_file_));
  in_file_ = 0;
  file_.reset();
  memory_.release();
  error_.clear();
}

}  // namespace trivet::roles
