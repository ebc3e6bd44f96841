#include "runtime/source/file_answer.hpp"

#include <algorithm>
#include <charconv>

namespace trivet::source {
namespace {

constexpr std::uint64_t young = 2;

}  // namespace

FileTag::FileTag(const FileFacts& file, cgi::UnixSeconds now) noexcept {
  char* at = text_.data();
  char* const end = at + text_.size();
  // Unsigned: a file system may say any time.
  const auto then = static_cast<std::uint64_t>(file.modified);
  const auto today = static_cast<std::uint64_t>(now);
  if ((file.modified > now ? then - today : today - then) < young) {
    *at++ = 'W';
    *at++ = '/';
  }
  *at++ = '"';
  // Of a time before 1970 the two's complement is as good.
  for (const std::uint64_t part :
       {then, static_cast<std::uint64_t>(file.modified_ns), file.size, file.inode}) {
    if (at[-1] != '"') *at++ = '-';
    at = std::to_chars(at, end, part, 16).ptr;
  }
  *at++ = '"';
  size_ = static_cast<std::size_t>(at - text_.data());
}

FileAnswer answer_for(const FileFacts& file, const cgi::Params& params, std::string_view method,
                      cgi::UnixSeconds now) noexcept {
  FileAnswer answer;
  const FileTag tag(file, now);
  const cgi::Validators validators{tag.view(), file.modified};
  if (const auto conditions = cgi::Preconditions::from(params); conditions.any()) {
    switch (cgi::evaluate(conditions, validators, method, now)) {
      case cgi::Condition::proceed:
        break;
      case cgi::Condition::not_modified:
        answer.status = 304;
        return answer;
      case cgi::Condition::failed:
        answer.status = 412;
        return answer;
    }
  }
  const std::string_view range = params.get("HTTP_RANGE");
  if (method != "GET" || range.empty()) return answer;
  if (!cgi::if_range_holds(params.get("HTTP_IF_RANGE"), validators, now)) return answer;
  answer.ranges = ByteRanges::read(range, file.size);
  switch (answer.ranges.kind()) {
    case ByteRanges::Kind::whole:
      break;
    case ByteRanges::Kind::parts:
      answer.status = 206;
      break;
    case ByteRanges::Kind::unsatisfiable:
      answer.status = 416;
      break;
  }
  return answer;
}

std::string content_range(const ByteRange* part, std::uint64_t size) {
  const std::string asked =
      part == nullptr ? "*" : std::to_string(part->first) + "-" + std::to_string(part->last());
  return "bytes " + asked + "/" + std::to_string(size);
}

Multipart::Multipart(std::string_view boundary, std::string_view type, std::uint64_t file_size)
    : boundary_(boundary), type_(type), file_size_(file_size) {}

std::string Multipart::content_type() const { return "multipart/byteranges; boundary=" + boundary_; }

std::string Multipart::before(const ByteRange& part, bool first) const {
  return (first ? "--" : "\r\n--") + boundary_ + "\r\nContent-Type: " + type_ +
         "\r\nContent-Range: " + content_range(&part, file_size_) + "\r\n\r\n";
}

std::string Multipart::end() const { return "\r\n--" + boundary_ + "--\r\n"; }

std::uint64_t Multipart::length(std::span<const ByteRange> parts) const {
  std::uint64_t sum = end().size();
  for (const ByteRange& each : parts) sum += before(each, &each == parts.data()).size() + each.length;
  return sum;
}

void fill_head(cgi::ResponseHead& head, const FileAnswer& answer, const FileFacts& file,
               std::string_view type, const Multipart& multipart, cgi::UnixSeconds now) {
  // Every value here is made of what a field may hold: none is refused.
  const auto set = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) static_cast<void>(head.set(name, value));
  };
  head.set_status(answer.status);
  set("ETag", FileTag(file, now).view());
  // Not later than this answer (RFC 9110, 8.8.2.1).
  set("Last-Modified", cgi::HttpDate(std::min(file.modified, now)).view());
  if (answer.status == 304) return;
  set("Accept-Ranges", "bytes");
  const auto parts = answer.ranges.parts();
  std::uint64_t length = file.size;
  if (answer.status == 206 && parts.size() > 1) {
    type = {};
    set("Content-Type", multipart.content_type());
    length = multipart.length(parts);
  } else if (answer.status == 206) {
    set("Content-Range", content_range(parts.data(), file.size));
    length = parts.front().length;
  }
  set("Content-Type", type);
  set("Content-Length", std::to_string(length));
}

}  // namespace trivet::source
