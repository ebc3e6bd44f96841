#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/buffer.hpp"
#include "runtime/cgi/response_head.hpp"

namespace trivet::cgi {

/// Whether a guard may set this variable: `[A-Z0-9_]+` except HTTP_*, CONTENT_*, SCRIPT_*, PATH*, REQUEST_*,
/// SERVER_*, LD_*, TRIVET_*. What is wrong as a static text, or empty.
[[nodiscard]] std::string_view refuse_variable(std::string_view name) noexcept;
/// CR, LF, NUL and other control bytes but TAB are refused.
[[nodiscard]] std::string_view refuse_variable_value(std::string_view value) noexcept;

/// 301-303, 307, 308, 4xx or 5xx.
[[nodiscard]] bool is_denial(int status) noexcept;

/// What a guard decided. Starts as no decision, which denies.
///
/// Thread    One at a time.
/// Memory    Nothing is allocated in steady state: clear() keeps what was grown.
class Verdict {
 public:
  enum class Decision : std::uint8_t {
    none,  ///< The guard said nothing: a failure, 500.
    allow,
    deny,  ///< With head() and body().
  };
  struct Variable {
    std::string name;
    std::string value;
  };

  void clear() noexcept;
  [[nodiscard]] Decision decision() const noexcept { return decision_; }

  /// What is wrong (a second, different decision), or empty. Whoever contradicts himself has decided nothing,
  /// and no later call changes that.
  std::string_view allow() noexcept;
  /// `status` is 301-303, 307, 308, 4xx or 5xx; anything else is refused and leaves no decision, for good: a
  /// failure.
  std::string_view deny(int status) noexcept;
  /// What is wrong with the variable, or empty. Setting one again replaces it.
  std::string_view set_variable(std::string_view name, std::string_view value);
  [[nodiscard]] std::size_t variables() const noexcept { return count_; }
  [[nodiscard]] const Variable& variable(std::size_t index) const noexcept { return variables_[index]; }
  /// Forgets those that were set after the first `count`.
  void keep_variables(std::size_t count) noexcept { count_ = count < count_ ? count : count_; }
  /// Null when absent.
  [[nodiscard]] const Variable* find_variable(std::string_view name) const noexcept;

  ResponseHead& head() noexcept { return head_; }
  [[nodiscard]] const ResponseHead& head() const noexcept { return head_; }
  base::Buffer& body() noexcept { return body_; }
  [[nodiscard]] const base::Buffer& body() const noexcept { return body_; }

 private:
  std::string_view spoil(std::string_view why) noexcept;

  Decision decision_ = Decision::none;
  bool is_spoiled_ = false;  ///< A deny was refused: nothing that follows is a decision.
  ResponseHead head_;
  base::Buffer body_;
  std::vector<Variable> variables_;  ///< Those beyond count_ wait to be used again.
  std::size_t count_ = 0;
};

/// Appends the answer of an authorizer that allows (FastCGI 1.0, 6.3): `Status: 200 OK`, one `Variable-NAME:
/// value` per name in `declared`, in that order, with an empty value where `find` gives null, and
/// `rules.more`; nothing else, no body. What is wrong (too many bytes or fields), or empty.
template <class Find>
[[nodiscard]] std::string_view emit_allow(const std::vector<std::string>& declared, Find find,
                                          const HeadRules& rules, base::Buffer& out) {
  const std::size_t start = out.size();
  out.append("Status: 200 OK\r\n");
  for (const std::string& name : declared) {
    out.append("Variable-");
    out.append(name);
    out.append(": ");
    if (const Verdict::Variable* variable = find(name)) out.append(variable->value);
    out.append("\r\n");
  }
  std::size_t fields = 1 + declared.size();
  if (rules.more != nullptr) fields += append_fields(*rules.more, out);
  out.append("\r\n");
  if (fields > rules.max_fields || out.size() - start > rules.max_bytes) {
    out.truncate(start);
    return fields > rules.max_fields ? "the variables and cookies are more than head_fields"
                                     : "the variables and cookies are larger than head_bytes";
  }
  return {};
}

}  // namespace trivet::cgi
