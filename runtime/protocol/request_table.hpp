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
/// Lifetime  Pointers into it last until the next insert() or erase().
/// Memory    Two requests fit inside the object. For more, sixteen bytes per slot on the heap, doubling;
///           given back when the last request is erased. No bound of its own.
class RequestTable {
 public:
  RequestTable() noexcept;
  RequestTable(const RequestTable&) = delete;
  RequestTable& operator=(const RequestTable&) = delete;
  ~RequestTable() = default;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Null when `id` is not open.
  [[nodiscard]] OpenRequest* find(std::uint16_t id) noexcept {
    OpenRequest& slot = slots()[locate(id)];
    return slot.input == nullptr ? nullptr : &slot;
  }
  [[nodiscard]] const OpenRequest* find(std::uint16_t id) const noexcept {
    const OpenRequest& slot = slots()[locate(id)];
    return slot.input == nullptr ? nullptr : &slot;
  }

  /// Makes the next insert() certain to succeed, also after any erase() between. The only call that
  /// allocates.
  void make_room();
  /// After make_room(). `request.id` is not open; `request.input` is not null.
  void insert(const OpenRequest& request) noexcept;
  /// False when `id` was not open.
  bool erase(std::uint16_t id) noexcept;

 private:
  static constexpr std::size_t inline_slots = 4;

  [[nodiscard]] std::size_t home(std::uint16_t id) const noexcept {
    // Twice, or for some seeds consecutive ids, which is what peers choose, lie side by side.
    std::uint64_t mixed = (seed_ ^ id) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ mixed >> 32U) * 0x94d049bb133111ebU;
    return static_cast<std::size_t>(mixed >> 32U) & mask_;  // There are fewer ids than that has values.
  }
  [[nodiscard]] OpenRequest* slots() noexcept { return heap_ ? heap_.get() : inline_.data(); }
  [[nodiscard]] const OpenRequest* slots() const noexcept { return heap_ ? heap_.get() : inline_.data(); }
  /// Where `id` is, or the free slot where it would be put.
  [[nodiscard]] std::size_t locate(std::uint16_t id) const noexcept {
    const OpenRequest* const table = slots();
    std::size_t at = home(id);
    while (table[at].input != nullptr && table[at].id != id) at = (at + 1) & mask_;
    return at;
  }

  std::uint64_t seed_;
  std::size_t size_ = 0;
  std::size_t mask_ = inline_slots - 1;  ///< One less than the number of slots, a power of two.
  std::unique_ptr<OpenRequest[]> heap_;
  std::array<OpenRequest, inline_slots> inline_{};
};

}  // namespace trivet::protocol
