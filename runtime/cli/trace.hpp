#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/protocol/record_decoder.hpp"

namespace trivet::cli {

/// One line per record, as `trivet call --trace` shows it:
///
///   > BEGIN_REQUEST id=1 length=8 padding=0 role=RESPONDER
///   > PARAMS id=1 length=19 padding=5 REQUEST_METHOD="GET"
///   < STDOUT id=1 length=14 padding=2 "Status: 200 OK"
///   < END_REQUEST id=1 length=8 padding=0 app_status=0 protocol_status=REQUEST_COMPLETE
///
/// Parameters are shown as pairs where a record holds whole ones; other content by its first bytes.
///
/// Memory  The content of one PARAMS record; of others 48 bytes.
class Trace {
 public:
  explicit Trace(char direction) : direction_(direction) {}

  /// The lines of the records that these bytes complete, however they were cut.
  [[nodiscard]] std::string feed(base::Bytes bytes);
  /// The line of a record that was cut by the end of the stream; empty if there is none.
  [[nodiscard]] std::string end();

 private:
  void take_content(base::Bytes content);
  [[nodiscard]] std::string start_of_line() const;
  [[nodiscard]] std::string line();
  [[nodiscard]] std::string content_text();

  char direction_;
  protocol::RecordDecoder decoder_;
  std::string kept_;          ///< What is kept of the content of the current record.
  std::size_t received_ = 0;  ///< Of that content.
  bool in_record_ = false;
  bool params_whole_ = true;  ///< The current PARAMS stream was cut between pairs so far.
  bool broken_ = false;
};

/// The name of a record type as the specification has it, or "TYPE_99".
[[nodiscard]] std::string record_name(std::uint8_t type);
/// REQUEST_COMPLETE and so on (FastCGI 1.0, 5.5), or the number.
[[nodiscard]] std::string protocol_status_name(std::uint8_t status);
/// Printable ASCII as it is, but a backslash before quotes and backslashes; the rest as \xNN.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace trivet::cli
