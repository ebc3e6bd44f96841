#pragma once

#include <array>
#include <cstdint>

#include "runtime/base/buffer.hpp"
#include "runtime/plugin/call.hpp"

namespace trivet::roles {

/// Which hooks of a plugin a stage calls.
enum class StageRole : std::uint8_t { responder, filter };
/// Which stream it is given.
enum class StageInput : std::uint8_t { body, data };

/// The input of one stage that its plugin has not seen yet: a responder has a body; a filter has data and,
/// where it is given FCGI_STDIN, a body that comes before it (FastCGI 1.0, 6.4), whatever the order they
/// arrive in.
///
/// Thread  [loop].
class Lanes {
 public:
  struct Lane {
    base::Buffer waiting;
    trivet_end end = TRIVET_END_NOT_YET;
    bool end_told = false;
  };

  void reset(StageRole role, bool takes_body) noexcept {
    for (Lane& lane : lanes_) {
      lane.waiting.clear();
      lane.end = TRIVET_END_NOT_YET;
      lane.end_told = false;
    }
    role_ = role;
    takes_body_ = takes_body;
  }
  [[nodiscard]] Lane& lane(StageInput input) noexcept { return lanes_[static_cast<std::size_t>(input)]; }
  [[nodiscard]] const Lane& lane(StageInput input) const noexcept {
    return lanes_[static_cast<std::size_t>(input)];
  }

  /// The stream whose turn it is.
  [[nodiscard]] StageInput current() const noexcept {
    if (role_ == StageRole::responder) return StageInput::body;
    return takes_body_ && !lane(StageInput::body).end_told ? StageInput::body : StageInput::data;
  }
  /// After the end of this stream nothing follows.
  [[nodiscard]] bool is_last(StageInput input) const noexcept {
    return role_ == StageRole::responder || input == StageInput::data;
  }
  [[nodiscard]] bool all_told() const noexcept {
    return lane(role_ == StageRole::responder ? StageInput::body : StageInput::data).end_told;
  }
  [[nodiscard]] std::size_t size() const noexcept {
    return lanes_[0].waiting.size() + lanes_[1].waiting.size();
  }
  void release() noexcept {
    for (Lane& lane : lanes_) lane.waiting.release();
  }

 private:
  std::array<Lane, 2> lanes_;
  StageRole role_ = StageRole::responder;
  bool takes_body_ = false;
};

}  // namespace trivet::roles
