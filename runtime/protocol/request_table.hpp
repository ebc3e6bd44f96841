#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/protocol/record.hpp"

namespace trivet::protocol {

class RequestInput;

/// How far the input of one request has come.
///
///   responder   params -> body -> complete
///   authorizer  params -> complete
///   filter      params -> body -> data -> complete
///
/// An abort or a violation leads to dropped from any.
enum class InputPhase : std::uint8_t { params, body, data, complete, dropped };

/// One open request of a connection.
struct OpenRequest {
  RequestInput* input = nullptr;  ///< Null marks a free slot of the table.
  std::uint16_t id = 0;
  Role role = Role::responder;
  InputPhase phase = InputPhase::params;
  bool is_forgotten = false;  ///< Its input is complete, and `input` is not to be used any more.
};

/// The open requests of one connection by their ids: arbitrary numbers that the peer chose.
///
/// Open addressing with linear probing, at most half full. The hash is seeded, so that no choice of ids
/// makes probing long.
///
/// Lifetime  Pointers into it last until the next insert(), erase() or clear().
/// Memory    Two requests fit inside the object. For more, sixteen bytes per slot on the heap, four times as
///           many whenever they are half full; given back when the last request is erased. No bound of its
///           own.
class RequestTable {
 public:
  RequestTable() noexcept;
  RequestTable(const RequestTable&) = delete;
  RequestTable& operator=(const RequestTable&) = delete;
  ~RequestTable() = default;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Null when `id` is not open.
  [[nodiscard]] OpenRequest* find(std::uint16_t id) noexcept {
    // The records of a request mostly come one after the other.
    if (slots_[last_].id == id && slots_[last_].input != nullptr) return &slots_[last_];
    const std::size_t at = locate(id);
    if (slots_[at].input == nullptr) return nullptr;
    last_ = at;
    return &slots_[at];
  }
  [[nodiscard]] const OpenRequest* find(std::uint16_t id) const noexcept {
    const OpenRequest& slot = slots_[locate(id)];
    return slot.input == nullptr ? nullptr : &slot;
  }

  /// Makes the next insert() certain to succeed, also after any erase() between. The only call that
  /// allocates.
  void make_room();
  /// After make_room(). `request.id` is not open; `request.input` is not null.
  void insert(const OpenRequest& request) noexcept;
  /// False when `id` was not open.
  bool erase(std::uint16_t id) noexcept;
  void clear() noexcept;  ///< Erases all.

 private:
  static constexpr std::size_t inline_slots = 4;

  [[nodiscard]] std::size_t home(std::uint16_t id) const noexcept {
    // Twice, or for some seeds consecutive ids, which is what peers choose, lie side by side.
    std::uint64_t mixed = (seed_ ^ id) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 32U) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>(mixed >> 32U) & mask_;  // There are fewer ids than that has values.
  }
  /// Where `id` is, or the free slot where it would be put.
  [[nodiscard]] std::size_t locate(std::uint16_t id) const noexcept {
    std::size_t at = home(id);
    while (slots_[at].input != nullptr && slots_[at].id != id) at = (at + 1) & mask_;
    return at;
  }

  std::uint64_t seed_;
  std::size_t size_ = 0;
  std::size_t mask_ = inline_slots - 1;  ///< One less than the number of slots, a power of two.
  std::size_t last_ = 0;                 ///< The slot that was found or filled last.
  std::array<OpenRequest, inline_slots> inline_{};
  std::unique_ptr<OpenRequest[]> heap_;
  OpenRequest* slots_ = inline_.data();  ///< Those on the heap where there are any.
};

}  // namespace trivet::protocol
