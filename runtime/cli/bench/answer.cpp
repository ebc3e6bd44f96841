#include "runtime/cli/bench/answer.hpp"

#include <algorithm>
#include <cstring>

#include "runtime/cli/trace.hpp"

namespace trivet::cli::bench {
namespace {

/// Without a Status it is 200, or with a Location 302 (CGI/1.1, 6.3.4).
int status_of(const HeadParser& head) { return head.status().value_or(head.has_location() ? 302 : 200); }

bool begins_with(base::Bytes bytes, base::Bytes start) {
  return !start.empty() && bytes.size() >= start.size() &&
         std::memcmp(bytes.data(), start.data(), start.size()) == 0;
}

std::string described(const Expected::Body& body) {
  return std::to_string(body.size) + " bytes with checksum " + std::to_string(body.checksum);
}

}  // namespace

void Answer::begin() noexcept {
  begun_ = false;
  status_.reset();
  parser_.reset();
  size_ = 0;
  checksum_ = Checksum();
}

void Answer::on_output(base::Bytes bytes, Expected& expected) {
  if (!in_head()) {
    on_body(bytes, expected);
  } else if (!begun_ && begins_with(bytes, expected.head)) {
    status_ = expected.head_status;
    on_body(bytes.subspan(expected.head.size()), expected);
  } else {
    on_head(bytes, expected);
  }
  begun_ = true;
}

void Answer::on_head(base::Bytes bytes, Expected& expected) {
  const bool whole = parser_ == nullptr;
  if (whole) parser_ = std::make_unique<HeadParser>();
  const base::Bytes body = parser_->feed(bytes);
  if (parser_->state() != HeadParser::State::complete) return;
  status_ = status_of(*parser_);
  if (whole) {
    const base::Bytes head = bytes.first(bytes.size() - body.size());
    expected.head.assign(head.begin(), head.end());
    expected.head_status = *status_;
  }
  parser_.reset();
  on_body(body, expected);
}

void Answer::on_body(base::Bytes bytes, const Expected& expected) noexcept {
  size_ += bytes.size();
  if (!expected.any_body) checksum_.add(bytes);
}

std::optional<Answer::Problem> Answer::judge_head() const {
  if (!in_head()) return std::nullopt;
  if (!begun_) return Problem{Failure::head, "an answer without output"};
  if (parser_ != nullptr && parser_->state() == HeadParser::State::malformed) {
    return Problem{Failure::head, parser_->problem()};
  }
  return Problem{Failure::head, "an answer that ends within its head"};
}

std::optional<Answer::Problem> Answer::judge_status(const Expected& expected) const {
  const bool authorizer = expected.role == protocol::Role::authorizer;
  const bool good = expected.status ? *status_ == *expected.status
                    : authorizer    ? *status_ == 200
                                    : *status_ < 400;
  if (good) return std::nullopt;
  return Problem{Failure::status, "status " + std::to_string(*status_)};
}

std::optional<Answer::Problem> Answer::judge_body(Expected& expected) const {
  if (expected.any_body) return std::nullopt;
  const Expected::Body body{size_, checksum_.value()};
  if (!expected.body) expected.body = body;
  if (body == *expected.body) return std::nullopt;
  return Problem{Failure::body,
                 "a body of " + described(body) + ", where the first had " + described(*expected.body)};
}

std::optional<Answer::Problem> Answer::judge(std::uint32_t app_status, std::uint8_t protocol_status,
                                             Expected& expected) const {
  if (protocol_status != 0) {
    return Problem{Failure::refused, "protocol status " + protocol_status_name(protocol_status)};
  }
  if (app_status != 0) {
    return Problem{Failure::app_status, "application status " + std::to_string(app_status)};
  }
  if (auto problem = judge_head()) return problem;
  if (auto problem = judge_status(expected)) return problem;
  return judge_body(expected);
}

}  // namespace trivet::cli::bench
