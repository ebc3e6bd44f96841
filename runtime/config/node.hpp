#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trivet::config {

/// From the first code point of something to one past its last; all 1-based, 0 where unknown.
struct Span {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t end_line = 0;
  std::uint32_t end_column = 0;
  std::uint16_t file = 0;  ///< 0: the file itself; the Sink knows the names of those it includes.
};

struct Node;
struct Entry;
using List = std::vector<Node>;
using Table = std::vector<Entry>;  ///< In file order.

/// A date or a time: TOML knows them, no setting takes them.
struct Date {};

/// A value of a TOML document with its place: the library's tree in our words, so that one source file pays
/// for it.
struct Node {
  std::variant<std::string, std::int64_t, double, bool, Date, List, Table> value;
  Span span;

  [[nodiscard]] const std::string* text() const noexcept { return std::get_if<std::string>(&value); }
  [[nodiscard]] const List* list() const noexcept { return std::get_if<List>(&value); }
  [[nodiscard]] const Table* table() const noexcept { return std::get_if<Table>(&value); }
};

/// One `key = value`, or a table and its header.
struct Entry {
  std::string key;
  Span key_span;
  Node value;
};

}  // namespace trivet::config
