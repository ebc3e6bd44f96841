#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/protocol/demultiplexer.hpp"

namespace trivet::protocol {

/// All that can be seen of a Demultiplexer after some bytes. Adjacent payload events of one stream are one
/// event, so that outcomes do not depend on where the bytes were cut.
struct Outcome {
  std::vector<std::string> events;  ///< `ID WHAT` or `ID WHAT PAYLOAD`
  std::string out;
  std::string failure;
  std::size_t open = 0;
  std::uint64_t ignored = 0;
  bool at_boundary = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& to, const Outcome& outcome);

/// A Demultiplexer with an owner that writes down what it is told and does what a script says.
///
/// Each request is an object of its own that release() frees at once, also inside its own calls, and every
/// piece of input lives in a block of exactly its size that is overwritten after feed(): an address sanitizer
/// sees every use that comes too late or reads too far.
class Recorder final : public ConnectionEvents {
 public:
  /// Called after each event with `begin`, `params`, `params_end`, ... `unknown_role`.
  using Script = std::function<void(Recorder&, std::string_view what, std::uint16_t id)>;

  explicit Recorder(Script script = {});
  ~Recorder() override;

  void feed(base::Bytes bytes);
  void feed(std::string_view text) { feed(base::as_bytes(text)); }
  void release(std::uint16_t id);
  void release_all();
  /// BEGIN_REQUEST of this id is refused: on_begin() gives null.
  void refuse(std::uint16_t id) { refused_ = id; }

  [[nodiscard]] Outcome outcome() const;
  [[nodiscard]] Demultiplexer& demultiplexer() { return demultiplexer_; }

 private:
  class Input;

  RequestInput* on_begin(const BeginRequest& begin) override;
  void on_unknown_role(std::uint16_t id, bool keep_connection) override;
  void note(std::uint16_t id, std::string_view what, std::string_view detail);
  void note_payload(std::uint16_t id, std::string_view what, base::Bytes payload);

  Script script_;
  base::Buffer out_;
  Demultiplexer demultiplexer_;
  std::map<std::uint16_t, std::unique_ptr<Input>> inputs_;
  std::uint16_t refused_ = 0;
  std::vector<std::string> events_;
  std::string joined_;  ///< `ID WHAT` of the last event, if it was payload.
  std::string failure_;
};

/// What comes of `bytes`, after it was seen to be the same for: all at once, one byte at a time, and every
/// cut in two.
Outcome however_cut(std::string_view bytes, const Recorder::Script& script = {});

/// The answers of a Recorder: FCGI_MAX_CONNS 100, FCGI_MAX_REQS 20.
inline constexpr Capacity recorder_capacity = {100, 20};

/// Releases each request when its input is complete, aborted or violated.
void release_when_over(Recorder& recorder, std::string_view what, std::uint16_t id);

}  // namespace trivet::protocol
