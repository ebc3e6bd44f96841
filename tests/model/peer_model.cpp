#include "tests/model/peer_model.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "tests/model/require.hpp"

namespace trivet::model {
namespace {

enum Type : unsigned {
  begin_request = 1,
  abort_request = 2,
  end_request = 3,
  params = 4,
  standard_in = 5,
  standard_out = 6,
  standard_error = 7,
  data = 8,
  get_values_result = 10,
  unknown_type = 11
};
constexpr unsigned authorizer = 2;

unsigned byte_of(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }
unsigned u16(std::string_view text, std::size_t at) {
  return byte_of(text, at) * 256 + byte_of(text, at + 1);
}

using Values = std::vector<std::string>;

/// All values of a name in the bytes of PARAMS, up to where they are broken.
Values values_of(std::string_view pairs, std::string_view name) {
  Values found;
  const auto length = [&]() -> std::optional<std::size_t> {
    if (pairs.empty() || (byte_of(pairs, 0) > 127 && pairs.size() < 4)) return std::nullopt;
    const bool is_long = byte_of(pairs, 0) > 127;
    const std::size_t value = is_long ? (u16(pairs, 0) - 32768UL) * 65536 + u16(pairs, 2) : byte_of(pairs, 0);
    pairs.remove_prefix(is_long ? 4 : 1);
    return value;
  };
  while (!pairs.empty()) {
    const auto name_size = length();
    const auto value_size = name_size ? length() : std::nullopt;
    if (!value_size || *name_size + *value_size > pairs.size()) break;
    if (pairs.substr(0, *name_size) == name) found.emplace_back(pairs.substr(*name_size, *value_size));
    pairs.remove_prefix(*name_size + *value_size);
  }
  return found;
}

/// As a plugin sees it: repeated names are joined.
std::string tag_of(std::string_view pairs) {
  std::string tag;
  for (const std::string& each : values_of(pairs, "HTTP_X_TAG")) tag += (tag.empty() ? "" : ", ") + each;
  return tag;
}

std::string field_of(std::string_view head, std::string_view name) {
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = head.substr(at + wanted.size());
  return std::string(rest.substr(0, rest.find("\r\n")));
}

}  // namespace

void PeerModel::sent(std::string_view bytes) {
  unread_ += bytes;
  while (!is_dead_ && !unread_.empty()) {
    const std::size_t skipped = std::min(padding_, unread_.size());
    unread_.erase(0, skipped);
    padding_ -= skipped;
    if (unread_.empty()) return;
    is_dead_ = byte_of(unread_, 0) != 1;
    if (is_dead_ || unread_.size() < 8) return;
    const std::size_t length = u16(unread_, 4);
    if (unread_.size() < 8 + length) return;
    take_sent(byte_of(unread_, 1), static_cast<std::uint16_t>(u16(unread_, 2)),
              std::string_view(unread_).substr(8, length));
    padding_ = byte_of(unread_, 6);
    unread_.erase(0, 8 + length);
  }
}

void PeerModel::take_sent(unsigned type, std::uint16_t id, std::string_view content) {
  if (type == begin_request && content.size() == 8 && id != 0) {
    Request& begun = ids_[id].requests.emplace_back();
    begun.role = u16(content, 0);
    begun.keeps = byte_of(content, 2) % 2 == 1;
    return;
  }
  const auto found = ids_.find(id);
  if (found == ids_.end()) return;
  Request& request = found->second.requests.back();
  if (type == params && !request.params_ended) {
    request.pairs += content;
    request.params_ended = content.empty();
    if (content.empty()) ++complete_params_;
  } else if (type == abort_request ||
             (!request.params_ended && (type == standard_in || (type == data && request.role == 3)))) {
    request.is_spoiled = request.is_spoiled || !request.params_ended;
  } else if (type == standard_in && !request.body_ended) {
    request.body += content.size();
    request.body_ended = content.empty();
  }
}

void PeerModel::received(std::string& bytes) {
  while (bytes.size() >= 8) {
    const std::size_t length = u16(bytes, 4);
    const std::size_t size = 8 + length + byte_of(bytes, 6);
    require(byte_of(bytes, 0) == 1 && byte_of(bytes, 7) == 0,
            "records are of version 1, their reserved byte is zero");
    if (bytes.size() < size) return;
    const std::string_view padding = std::string_view(bytes).substr(8 + length, size - 8 - length);
    require(padding.find_first_not_of('\0') == std::string_view::npos, "padding is zero");
    take_received(byte_of(bytes, 1), static_cast<std::uint16_t>(u16(bytes, 2)),
                  std::string_view(bytes).substr(8, length));
    digest_ = digest_ * 31 + std::hash<std::string_view>()(std::string_view(bytes).substr(0, size));
    bytes.erase(0, size);
  }
}

void PeerModel::take_received(unsigned type, std::uint16_t id, std::string_view content) {
  if (id == 0) {
    require(type == get_values_result || type == unknown_type, "only management answers have id 0");
    return;
  }
  const auto found = ids_.find(id);
  require(found != ids_.end() && found->second.ended < found->second.requests.size(),
          "only requests that began are answered, and once");
  Answer& answer = found->second.answer;
  if (type == end_request) {
    end(found->second, content);
    return;
  }
  require(type == standard_out || type == standard_error,
          "an application sends STDOUT, STDERR and END_REQUEST");
  if (type != standard_out) return;
  require(!answer.out_ended, "nothing follows the end of STDOUT");
  if (answer.out.empty()) answer.first_record = content;
  answer.out_ended = content.empty();
  answer.out += content;
}

void PeerModel::end(Id& id, std::string_view content) {
  require(content.size() == 8 && content.substr(5) == std::string_view("\0\0\0", 3),
          "END_REQUEST has eight bytes, the last three are zero");
  const unsigned app_status = u16(content, 0) * 65536 + u16(content, 2);
  const unsigned protocol_status = byte_of(content, 4);
  const Request& request = id.requests[id.ended];
  require(protocol_status <= 3 && app_status <= 1, "END_REQUEST says what is defined");
  const bool is_known = request.role >= 1 && request.role <= 3;
  require((protocol_status == 3) == !is_known, "unknown roles, and no others, get UNKNOWN_ROLE");
  if (is_known) {
    ++book_.answers[check_answer(request, id.answer, app_status)];
  } else {
    ++book_.answers[0];
    require(id.answer.out.empty(), "an unknown role gets nothing but its END_REQUEST");
  }
  wants_close_ = wants_close_ || !request.keeps;
  if (request.params_ended && !request.is_spoiled) book_.ended.insert(tag_of(request.pairs));
  ++id.ended;
  id.answer = {};
}

int PeerModel::check_answer(const Request& request, const Answer& answer, unsigned app_status) {
  const std::size_t end = answer.first_record.find("\r\n\r\n");
  require(answer.first_record.starts_with("Status: ") && end != std::string::npos,
          "an answer begins with a whole head, in one record, Status first");
  const std::string_view head = std::string_view(answer.first_record).substr(0, end + 2);
  const std::string_view body = std::string_view(answer.out).substr(end + 4);
  const int status = std::stoi(std::string(head.substr(8, 3)));
  require(status >= 200 && status <= 599, "a status is 200 to 599");
  check_grant(request, answer, status);
  if (app_status != 0) return status;  // Cut, and told so.
  require(answer.out_ended, "an answer that is whole has an end");
  const Values methods = values_of(request.pairs, "REQUEST_METHOD");
  const bool may_be_head = std::find(methods.begin(), methods.end(), "HEAD") != methods.end() ||
                           !values_of(request.pairs, "TRIVET_METHOD").empty();
  const std::string length = field_of(head, "Content-Length");
  require(may_be_head ? body.empty() || length.empty() || length == std::to_string(body.size())
                      : length.empty() || length == std::to_string(body.size()),
          "a body has the length that its head says");
  require((status != 204 && status != 304) || body.empty(), "204 and 304 have no body");
  if (status != 200 || !body.starts_with("body=")) return status;
  const Values announced = values_of(request.pairs, "CONTENT_LENGTH");
  const bool is_one_number = announced.size() == 1 && !announced[0].empty() &&
                             announced[0].find_first_not_of("0123456789") == std::string::npos;
  require(!is_one_number || announced[0].size() > 18 || std::stoull(announced[0]) <= request.body,
          "a body shorter than announced is no answer's body");
  const std::string counted(body.substr(5));
  require(counted == std::to_string(request.body) ||
              (std::find(announced.begin(), announced.end(), counted) != announced.end() &&
               std::stoul(counted) < request.body),
          "the source got the body that was sent, or as much of it as was announced");
  return status;
}

void PeerModel::check_grant(const Request& request, const Answer& answer, int status) {
  require(answer.out.find("never-") == std::string::npos,
          "what one guard denies is not granted because another allows");
  const Values roles = values_of(request.pairs, "TRIVET_ROLE");
  const bool authorizes =
      request.role == authorizer || std::find(roles.begin(), roles.end(), "authorizer") != roles.end();
  if (authorizes && status == 200) {
    require(answer.out == "Status: 200 OK\r\nVariable-REMOTE_USER: " +
                              field_of(answer.out, "Variable-REMOTE_USER") + "\r\n\r\n",
            "a grant is its status and the declared variables, nothing else");
  }
  const std::size_t at = answer.out.find("yes-");
  const bool tells_secret = answer.out.find("secret for ") != std::string::npos;
  if (at == std::string::npos) {
    require(!tells_secret, "nobody reaches what is guarded without a guard's yes");
    require(!authorizes || status != 200, "an authorizer's 200 needs a guard's yes");
    return;
  }
  require(answer.out.find("yes-", at + 1) == std::string::npos,
          "only the guard's word stands where it belongs");
  const std::size_t word_end = answer.out.find_first_not_of("0123456789", at + 4);
  const auto yes = book_.yes.find(answer.out.substr(at, word_end - at));
  require(yes != book_.yes.end(), "a grant tells a yes that a guard has said");
  require(!yes->second.is_used, "a yes is used once");
  yes->second.is_used = true;
  ++book_.grants;
  require(request.params_ended && !request.is_spoiled, "a request is granted only with all its parameters");
  const Values keys = values_of(request.pairs, "HTTP_X_KEY");
  require(std::find(keys.begin(), keys.end(), "good") != keys.end(),
          "a yes belongs to a request that earned it");
  for (const std::string& deny : values_of(request.pairs, "HTTP_X_DENY")) {
    require(deny.empty(), "no parameter is lost between the web server and the guard");
  }
  require(yes->second.tag == tag_of(request.pairs), "a yes goes to the request that it was said for");
}

bool PeerModel::all_ended() const {
  return std::all_of(ids_.begin(), ids_.end(),
                     [](const auto& each) { return each.second.ended == each.second.requests.size(); });
}

}  // namespace trivet::model
