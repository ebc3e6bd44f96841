#pragma once

#include <cstdint>
#include <memory>

#include "runtime/base/clock.hpp"
#include "runtime/io/transport.hpp"
#include "runtime/protocol/answer_decoder.hpp"

namespace trivet::source {

/// One connection to an application, which carries one request at a time.
///
/// Thread    [loop].
/// Lifetime  Owned by whoever uses it, or by its LinkPool while nobody does. May be destroyed in its user's
///           on_link(), which is the last thing that happens in an event.
class Link final : private io::TransportEvents {
 public:
  enum class Event : std::uint8_t { readable, writable };
  class User {
   public:
    User() = default;
    User(const User&) = delete;
    User& operator=(const User&) = delete;
    virtual ~User() = default;
    virtual void on_link(Link& link, Event event) = 0;
  };

  explicit Link(User& user) noexcept : user_(&user) {}
  void set_user(User& user) noexcept { user_ = &user; }
  [[nodiscard]] io::TransportEvents& events() noexcept { return *this; }

  std::unique_ptr<io::Transport> transport;
  /// Of the request that it carries, or carried last; 0 before the first.
  std::uint16_t request_id = 0;
  protocol::AnswerDecoder decoder{0};  ///< Of the answer to it.
  base::TimePoint born{};
  base::TimePoint rested{};  ///< Since when nobody uses it.
  bool used_before = false;  ///< It carried a request before: the application may have closed it since.
  bool connected = false;    ///< Something was written to it.

 private:
  void on_readable() override { user_->on_link(*this, Event::readable); }
  void on_writable() override { user_->on_link(*this, Event::writable); }
  void on_hangup() override {}  ///< Nobody pauses reading: a link that is not read is not awaited.

  User* user_;
};

}  // namespace trivet::source
