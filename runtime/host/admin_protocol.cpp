#include "runtime/host/admin_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace trivet::host {
namespace {

using Command = AdminRequest::Command;

constexpr std::string_view version = "trivet/1";

constexpr std::pair<std::string_view, Command> commands[] = {
    {"reload", Command::reload}, {"upgrade", Command::upgrade}, {"status", Command::status},
    {"stop", Command::stop},     {"drain", Command::drain},     {"log-level", Command::log_level}};

base::Error refuse(std::string message) { return {base::ErrorCode::protocol_violation, std::move(message)}; }

/// Words with one blank between them; an empty one where there are more.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t blank = line.find(' ');
    words.push_back(line.substr(0, blank));
    if (blank == std::string_view::npos) return words;
    line.remove_prefix(blank + 1);
  }
}

/// Printable ASCII: what is said about a line can be shown to whoever sent it.
bool is_plain(std::string_view line) noexcept {
  return std::all_of(line.begin(), line.end(), [](char each) { return each >= ' ' && each <= '~'; });
}

/// False where the command has no such word.
bool take_word(AdminRequest& request, std::string_view word) {
  switch (request.command) {
    case Command::reload:
    case Command::upgrade:
      return false;
    case Command::status:
      request.json = word == "json";
      return request.json || word == "text";
    case Command::stop:
      if (word == "now") return !std::exchange(request.now, true);
      return word == "no-wait" && std::exchange(request.wait, false);
    case Command::drain:
      return word == "no-wait" && std::exchange(request.wait, false);
    case Command::log_level:
      if (!request.level.empty()) return false;
      request.level = word;
      return !word.empty();
  }
  return false;
}

template <class Number>
bool read_number(std::string_view text, Number& out) noexcept {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return !text.empty() && text.front() != '-' && read.ec == std::errc() &&
         read.ptr == text.data() + text.size();
}

}  // namespace

std::string pack(const AdminRequest& request) {
  std::string line(version);
  for (const auto& [name, command] : commands) {
    if (command == request.command) line += " " + std::string(name);
  }
  if (request.command == Command::status) line += request.json ? " json" : " text";
  if (request.command == Command::log_level) line += " " + request.level;
  if (request.now) line += " now";
  if (!request.wait) line += " no-wait";
  return line + "\n";
}

base::Result<AdminRequest> read_admin_request(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (!is_plain(line) || !words.front().starts_with("trivet/"))
    return refuse("this is the admin socket of a Trivet host; `trivet status` speaks to it");
  if (words.front() != version) {
    return refuse("the host speaks " + std::string(version) + ", not " + std::string(words.front()) +
                  ": use the `trivet` of its version");
  }
  const std::string_view name = words.size() > 1 ? words[1] : std::string_view();
  const auto* const found = std::find_if(std::begin(commands), std::end(commands),
                                         [&](const auto& each) { return each.first == name; });
  if (found == std::end(commands))
    return refuse("the host does not know the command \"" + std::string(name) + "\"");
  AdminRequest request;
  request.command = found->second;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (!take_word(request, words[i]))
      return refuse("\"" + std::string(words[i]) + "\" is nothing that " + std::string(name) + " takes");
  }
  if (request.command == Command::log_level && request.level.empty())
    return refuse("log-level takes the name of a level");
  return request;
}

std::string pack(const AdminAnswer& answer) {
  return std::string(version) + " " + std::to_string(answer.code) + " " +
         std::to_string(answer.messages.size()) + " " + std::to_string(answer.data.size()) + "\n" +
         answer.messages + answer.data;
}

bool AdminAnswerReader::read_head(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  return words.size() == 4 && words[0] == version && read_number(words[1], answer_.code) &&
         answer_.code <= 255 && read_number(words[2], messages_) && messages_ <= AdminAnswer::largest &&
         read_number(words[3], data_) && data_ <= AdminAnswer::largest;
}

AdminAnswerReader::State AdminAnswerReader::take(std::string_view bytes) {
  if (state_ == State::done && !bytes.empty()) state_ = State::broken;
  if (state_ != State::reading) return state_;
  bytes_ += bytes;
  if (!has_head_) {
    const std::size_t end = bytes_.find('\n');
    if (end == std::string::npos) {
      if (bytes_.size() >= AdminAnswer::longest_head) state_ = State::broken;
      return state_;
    }
    has_head_ = read_head(std::string_view(bytes_).substr(0, end));
    if (!has_head_) return state_ = State::broken;
    bytes_.erase(0, end + 1);
  }
  if (bytes_.size() < messages_ + data_) return state_;
  if (bytes_.size() > messages_ + data_) return state_ = State::broken;
  answer_.data = bytes_.substr(messages_);
  bytes_.resize(messages_);
  answer_.messages = std::move(bytes_);
  return state_ = State::done;
}

}  // namespace trivet::host
