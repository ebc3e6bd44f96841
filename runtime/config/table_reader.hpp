#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/config/node.hpp"
#include "runtime/config/sink.hpp"

namespace trivet::config {

/// A text from the file and where it stands.
struct NameAt {
  std::string name;
  Span span;
};

/// What a key of whole numbers may hold.
struct IntegerRange {
  std::int64_t least;
  std::int64_t most;
};
/// In bytes.
struct SizeRange {
  std::uint64_t least;
  std::uint64_t most;
};
struct DurationRange {
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
};

/// Whether a list may be empty, and hold one value twice.
enum class ListRule : std::uint8_t { any, some, some_distinct };

/// One table of the file, read key by key: whatever was not asked for when finish() is called is an unknown
/// key.
///
/// Every member that takes a key leaves its `out` alone, and gives null, where the key is absent or its value
/// wrong; the latter is told to the sink.
///
/// Lifetime  `sink` and `table` outlive it; so does the text of every key asked for.
class TableReader {
 public:
  /// `title` as the file writes it: `[server]`.
  TableReader(Sink& sink, const Table& table, std::string title);

  [[nodiscard]] const Entry* find(std::string_view key);
  /// Text without control characters, not empty.
  const Entry* text(std::string_view key, std::string& out);
  /// The same, starting with '/'.
  const Entry* absolute_path(std::string_view key, std::string& out);
  const Entry* boolean(std::string_view key, bool& out);
  const Entry* integer(std::string_view key, const IntegerRange& range, std::int64_t& out);
  const Entry* size(std::string_view key, const SizeRange& range, std::uint64_t& out);
  /// Also a whole number: of bytes.
  const Entry* bytes(std::string_view key, const SizeRange& range, std::uint64_t& out);
  /// Also `"unlimited"`.
  const Entry* size_or_unlimited(std::string_view key, const SizeRange& range, std::uint64_t& out);
  /// Also `"off"`: nothing.
  const Entry* size_or_off(std::string_view key, const SizeRange& range, std::optional<std::uint64_t>& out);
  const Entry* duration(std::string_view key, const DurationRange& range, std::chrono::milliseconds& out);
  /// Also `"off"`: nothing.
  const Entry* duration_or_off(std::string_view key, const DurationRange& range,
                               std::optional<std::chrono::milliseconds>& out);
  /// Texts; wrong ones among them are told and left out.
  const Entry* texts(std::string_view key, ListRule rule, std::vector<NameAt>& out);
  /// One of `words`: its index.
  const Entry* word(std::string_view key, const std::vector<std::string_view>& words, std::size_t& out);

  /// A key that is planned: refused by its name.
  void not_served(std::string_view key);
  /// Tells the keys nobody asked for. `advice` takes the place of the list of known keys where no key looks
  /// like one.
  void finish(std::string_view advice = {});

  /// `node` as a text, told under `name` otherwise.
  const std::string* as_text(const Node& node, std::string_view name);
  [[nodiscard]] Sink& sink() noexcept { return sink_; }
  [[nodiscard]] const std::string& title() const noexcept { return title_; }

 private:
  /// The words "expects EXPECTED, found ..." at the value of `entry`.
  void wrong_type(std::string_view name, const Node& node, std::string_view expected, std::string hint = {});
  std::optional<std::uint64_t> read_size(const Entry& entry, const SizeRange& range,
                                         std::string_view expected);
  std::optional<std::chrono::milliseconds> read_duration(const Entry& entry, const DurationRange& range,
                                                         std::string_view expected);

  Sink& sink_;
  const Table& table_;
  std::string title_;
  std::vector<std::string_view> asked_;
  std::vector<std::string_view> served_;
};

/// `the integer 5`, `the text "x"`, `a list`.
[[nodiscard]] std::string describe(const Node& node);

/// Whether a text asks for an environment variable; such texts were refused by name already.
[[nodiscard]] bool wants_environment(std::string_view text) noexcept;

}  // namespace trivet::config
