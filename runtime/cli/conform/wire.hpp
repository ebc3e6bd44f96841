#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Records by hand, right and wrong (FastCGI 1.0, 3.3). Written apart from runtime/protocol on purpose: a
/// tester that shared the host's own encoder would share its mistakes.
namespace trivet::cli::conform {

using Params = std::vector<std::pair<std::string, std::string>>;

enum Kind : std::uint8_t {
  kind_begin = 1,
  kind_abort = 2,
  kind_end = 3,
  kind_params = 4,
  kind_stdin = 5,
  kind_stdout = 6,
  kind_stderr = 7,
  kind_data = 8,
  kind_get_values = 9,
  kind_get_values_result = 10,
  kind_unknown = 11,
};

inline constexpr std::uint16_t role_responder = 1;
inline constexpr std::uint16_t role_authorizer = 2;
inline constexpr std::uint16_t role_filter = 3;
inline constexpr std::size_t largest_content = 65535;

/// What may be odd about a record.
struct Odd {
  std::uint8_t padding = 0;
  std::uint8_t pad_byte = 0;
  std::uint8_t version = 1;
  std::uint8_t reserved = 0;
};

[[nodiscard]] std::string record(std::uint8_t kind, std::string_view content, std::uint16_t id = 1,
                                 Odd odd = {});
[[nodiscard]] std::string begin(std::uint16_t role, bool keep = false, std::uint16_t id = 1);
[[nodiscard]] std::string pair(std::string_view name, std::string_view value, bool long_form = false);
[[nodiscard]] std::string pairs(const Params& params, bool long_form = false);
/// Records of at most `piece` bytes, without the empty one that ends the stream.
[[nodiscard]] std::string pieces(std::uint8_t kind, std::string_view content, std::uint16_t id = 1,
                                 std::size_t piece = 65528, Odd odd = {});
/// The same with the empty one.
[[nodiscard]] std::string stream(std::uint8_t kind, std::string_view content, std::uint16_t id = 1,
                                 std::size_t piece = 65528, Odd odd = {});

/// A whole request.
struct Request {
  std::uint16_t role = role_responder;
  Params params;
  std::string body;
  std::string data;  ///< In the role FILTER.
  bool keep = false;
  std::uint16_t id = 1;
};
[[nodiscard]] std::string wire(const Request& request, std::size_t piece = 65528, Odd odd = {});

/// A record that came.
struct Record {
  std::uint8_t kind = 0;
  std::uint16_t id = 0;
  std::string_view content;  ///< Of the buffer it was taken from.
  bool unset = false;        ///< Its reserved byte or its padding is not zero.
};

enum class Taken : std::uint8_t { whole, partial, broken };

/// The record at `offset` of `buffer`; moves `offset` behind it. Broken: its version is not 1.
[[nodiscard]] Taken take_record(std::string_view buffer, std::size_t& offset, Record& out);

/// Big endian, of at most four bytes.
[[nodiscard]] std::uint32_t number(std::string_view bytes) noexcept;

/// The pairs of a stream; false where a length leads beyond its end.
[[nodiscard]] bool read_pairs(std::string_view bytes, Params& out);

}  // namespace trivet::cli::conform
