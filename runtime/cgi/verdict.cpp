#include "runtime/cgi/verdict.hpp"

#include <algorithm>

#include "runtime/cgi/text.hpp"

namespace trivet::cgi {

std::string_view refuse_variable(std::string_view name) noexcept {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
  if (!plain) return "a variable's name is made of A-Z, 0-9 and _";
  static constexpr std::string_view taken[] = {"HTTP_",    "CONTENT_", "SCRIPT_", "PATH",
                                               "REQUEST_", "SERVER_",  "LD_",     "TRIVET_"};
  for (const std::string_view prefix : taken) {
    if (name.substr(0, prefix.size()) == prefix) {
      return "variables that begin with HTTP_, CONTENT_, SCRIPT_, PATH, REQUEST_, SERVER_, LD_ or TRIVET_ "
             "are not a "
             "guard's to set";
    }
  }
  return {};
}

std::string_view refuse_variable_value(std::string_view value) noexcept {
  return has_control(value) ? "a variable's value holds no control bytes" : std::string_view();
}

bool is_denial(int status) noexcept {
  return (status >= 301 && status <= 303) || status == 307 || status == 308 ||
         (status >= 400 && status <= 599);
}

void Verdict::clear() noexcept {
  decision_ = Decision::none;
  is_spoiled_ = false;
  head_.clear();
  body_.clear();
  count_ = 0;
}

std::string_view Verdict::allow() noexcept {
  if (decision_ == Decision::deny || is_spoiled_) return "the guard has denied already";
  decision_ = Decision::allow;
  return {};
}

std::string_view Verdict::deny(int status) noexcept {
  if (!is_denial(status)) return spoil("a denial has the status 301 to 303, 307, 308, or 400 to 599");
  if (decision_ == Decision::allow || is_spoiled_) return spoil("the guard has allowed already");
  decision_ = Decision::deny;
  head_.set_status(status);
  return {};
}

std::string_view Verdict::spoil(std::string_view why) noexcept {
  decision_ = Decision::none;
  is_spoiled_ = true;
  return why;
}

const Verdict::Variable* Verdict::find_variable(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (variables_[i].name == name) return &variables_[i];
  }
  return nullptr;
}

std::string_view Verdict::set_variable(std::string_view name, std::string_view value) {
  if (const std::string_view wrong = refuse_variable(name); !wrong.empty()) return wrong;
  if (const std::string_view wrong = refuse_variable_value(value); !wrong.empty()) return wrong;
  for (std::size_t i = 0; i < count_; ++i) {
    if (variables_[i].name == name) {
      variables_[i].value = value;
      return {};
    }
  }
  constexpr std::size_t most = 64;
  if (count_ == most) return "a guard sets at most 64 variables";
  if (count_ == variables_.size()) variables_.emplace_back();
  variables_[count_].name = name;
  variables_[count_].value = value;
  ++count_;
  return {};
}

}  // namespace trivet::cgi
