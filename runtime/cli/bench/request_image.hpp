#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/protocol/record.hpp"

namespace trivet::cli::bench {

/// The request that is sent again and again: its start, which is copied, and the bulk of its body and data,
/// which is sent from one piece of text that all requests share.
///
///   start  BEGIN_REQUEST, PARAMS; also body and data, where they are small
///   bulk   the records of the body (FCGI_STDIN), then those of the data (FCGI_DATA), with their ends
///
/// An authorizer is sent no FCGI_STDIN unless it is given a body (FastCGI 1.0, 6.3).
///
/// Memory  The parameters, 32 KiB of text and what is small; nothing depends on the sizes of body and data.
class RequestImage {
 public:
  struct What {
    protocol::Role role = protocol::Role::responder;
    bool keep_connection = true;
    std::vector<std::pair<std::string, std::string>> params;
    std::optional<std::uint64_t> body;
    std::uint64_t data = 0;  ///< In the role FILTER.
  };
  /// Headers of the bulk's records, for one id: what gather() gives views of.
  using Headers = std::array<std::array<std::uint8_t, protocol::RecordHeader::wire_size>, 6>;

  explicit RequestImage(const What& what);

  void append_start(base::Buffer& out, std::uint16_t id) const;
  [[nodiscard]] std::size_t start_size() const noexcept { return start_.size(); }
  /// How many bytes of bulk follow the start; 0: none.
  [[nodiscard]] std::uint64_t bulk_size() const noexcept { return bulk_size_; }
  /// The next pieces of the bulk from `offset` on, as many as `pieces` has places for. Gives how many there
  /// are. They are good as long as `headers` and this image are.
  [[nodiscard]] std::size_t gather(std::uint16_t id, std::uint64_t offset, Headers& headers,
                                   std::span<iovec> pieces) const;

 private:
  struct Stream {
    protocol::RecordType type;
    std::uint64_t full;  ///< Records of `record_content` bytes.
    std::size_t rest;    ///< Bytes in the record after them; 0: there is none.

    [[nodiscard]] std::uint64_t size() const noexcept;
  };

  void add_stream(protocol::RecordType type, std::uint64_t length);

  std::vector<std::uint8_t> text_;
  base::Buffer start_;
  std::vector<std::size_t> records_;  ///< Where they begin in start_.
  std::vector<Stream> streams_;       ///< Of the bulk, at most two.
  std::uint64_t bulk_size_ = 0;
};

}  // namespace trivet::cli::bench
