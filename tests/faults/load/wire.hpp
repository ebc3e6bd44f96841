#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the load driver says and hears, in FastCGI and in HTTP/1.1. Written apart from the host's code: a
/// tester that shared it would share its mistakes.
namespace load {

/// What came back for one request, or as much of it as has come.
struct Answer {
  std::string bytes;  ///< FastCGI: of FCGI_STDOUT, the head among them.
  bool is_out_ended = false;
};

/// The whole of a RESPONDER request without a body.
std::string fastcgi_request(std::string_view uri, std::string_view query, std::uint16_t id, bool is_kept);
std::string http_request(std::string_view uri, std::string_view query);

/// One record taken off the front of `in`: its type, id and content, or nothing while it is not whole.
struct Record {
  std::uint8_t type = 0;
  std::uint16_t id = 0;
  std::string content;
};
/// `is_broken` is set where no record can be: then nothing more is to be read.
std::optional<Record> take_record(std::string& in, bool& is_broken);

/// One HTTP answer taken off the front of `in`, or nothing while it is not whole.
struct HttpAnswer {
  bool is_ok = false;  ///< 200 and well formed.
  bool closes = false;
  std::string body;
};
std::optional<HttpAnswer> take_http_answer(std::string& in);

/// The body of a CGI response whose Status is 200; nothing for any other.
std::optional<std::string_view> body_of(std::string_view response);

}  // namespace load
