#pragma once

#include <string>

#include "runtime/base/bytes.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::cli {

/// One line per record, as `trivet call --trace` shows it:
///
///   > PARAMS id=1 length=14 padding=2 "REQUEST_METHODGET"
///   < END_REQUEST id=1 length=8 padding=0 app_status=0 protocol_status=REQUEST_COMPLETE
///
/// Fed with the bytes of one direction, in pieces of any size.
class Trace {
 public:
  explicit Trace(char direction) : direction_(direction) {}

  /// The lines of the records that these bytes complete.
  [[nodiscard]] std::string feed(base::Bytes bytes);

 private:
  [[nodiscard]] std::string line() const;

  char direction_;
  protocol::RecordDecoder decoder_;
  std::string preview_;
};

/// The name of a record type as the specification has it, or "TYPE_99".
[[nodiscard]] std::string record_name(std::uint8_t type);
/// Printable ASCII as it is, the rest as \xNN.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace trivet::cli
