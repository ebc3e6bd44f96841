#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <trivet/basic.hpp>

namespace trivet {

/// Numbers, which `<<` writes in decimal; characters and truth values are none.
template <class T>
concept Number =
    std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// What goes to the client: a head that may be changed until its first byte went out, then bytes. For a
/// filter the head begins as what the stages before it said.
///
/// Thread    The thread that runs the hook it was passed to.
/// Lifetime  Until that hook returns; in a class nested as Responder or Filter, until that object is
///           destroyed.
/// Memory    Nothing is kept here. On a plugin thread a write of `handle` waits while the client is slow.
/// Errors    Writing to a cancelled request throws Cancelled; what the host refuses throws Error and changes
///           nothing.
class Output {
 public:
  Output(const trivet_host* host, trivet_request* request) noexcept : host_(host), request_(request) {}

  /// 200..599; 200 when nothing is said.
  Output& status(unsigned code) {
    sdk::require(host_->set_status(request_, code), "setting the status");
    return *this;
  }
  [[nodiscard]] unsigned status() const {
    std::uint32_t code = 0;
    sdk::require(host_->get_status(request_, &code), "asking for the status");
    return code;
  }
  /// Sets a header, in place of any of that name.
  Output& header(std::string_view name, std::string_view value) {
    sdk::require(host_->set_header(request_, sdk::text(name), sdk::text(value)), "setting header", name);
    return *this;
  }
  /// Adds one more of that name, e.g. a second Set-Cookie.
  Output& add_header(std::string_view name, std::string_view value) {
    sdk::require(host_->add_header(request_, sdk::text(name), sdk::text(value)), "adding header", name);
    return *this;
  }
  /// Removing what is not there is fine.
  Output& remove_header(std::string_view name) {
    const trivet_status status = host_->remove_header(request_, sdk::text(name));
    if (status != TRIVET_E_ABSENT) sdk::require(status, "removing header", name);
    return *this;
  }
  /// A header of the head as it is now; the view lives until the head changes.
  [[nodiscard]] std::optional<std::string_view> find_header(std::string_view name) const {
    trivet_text value{};
    const trivet_status status = host_->get_header(request_, sdk::text(name), &value);
    if (status == TRIVET_E_ABSENT) return std::nullopt;
    sdk::require(status, "asking for header", name);
    return sdk::view(value);
  }

  Output& write(std::string_view bytes) {
    if (!bytes.empty()) sdk::require(host_->write(request_, bytes.data(), bytes.size()), "writing");
    return *this;
  }
  /// What was written so far goes out now, the head first. An answer of a plugin thread that has begun and
  /// gives no more for the host's stall_time (60 s by default) is cut off: a stream of events that may pause
  /// for longer says something in time, such as a comment line.
  Output& flush() {
    sdk::require(host_->flush(request_), "flushing");
    return *this;
  }

  /// In the constructor of a nested Filter, before any write: the body stays as it is. data() is not called;
  /// what was changed in the head holds.
  Output& pass() {
    sdk::require(host_->pass(request_), "passing the body on");
    return *this;
  }

  Output& operator<<(std::string_view bytes) { return write(bytes); }
  Output& operator<<(const char* text) { return write(text); }
  Output& operator<<(char character) { return write({&character, 1}); }
  Output& operator<<(Number auto number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    return write({digits.data(), static_cast<std::size_t>(end.ptr - digits.data())});
  }

 private:
  const trivet_host* host_;
  trivet_request* request_;
};

/// The same under the name that reads well in a responder.
using Response = Output;

}  // namespace trivet
