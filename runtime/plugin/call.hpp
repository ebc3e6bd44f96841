#pragma once

#include <trivet/abi.h>

#include <cstdint>
#include <string_view>

namespace trivet::plugin {

inline std::string_view view(trivet_text text) noexcept {
  return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}
inline trivet_text text(std::string_view view) noexcept { return {view.data(), view.size()}; }

/// What a running plugin hook may ask of its request: the object behind `trivet_request`. Roles implement it;
/// the host table (host_table.hpp) checks null pointers and forwards. Semantics as in <trivet/abi.h>.
///
/// Thread    The thread that runs the hook.
/// Errors    A trivet_status; nothing throws.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  virtual ~Call() = default;

  virtual trivet_status info(trivet_request_info& info) = 0;
  virtual trivet_status param(std::string_view name, trivet_text& value) = 0;
  virtual trivet_status params(const trivet_param*& first, std::size_t& count) = 0;
  virtual trivet_status read(trivet_text& chunk, trivet_end& end) = 0;
  [[nodiscard]] virtual bool cancelled() const noexcept = 0;
  virtual trivet_status set_status(std::uint32_t status) = 0;
  virtual trivet_status add_header(std::string_view name, std::string_view value) = 0;
  virtual trivet_status set_header(std::string_view name, std::string_view value) = 0;
  virtual trivet_status remove_header(std::string_view name) = 0;
  virtual trivet_status get_status(std::uint32_t& status) = 0;
  virtual trivet_status get_header(std::string_view name, trivet_text& value) = 0;
  virtual trivet_status write(std::string_view bytes) = 0;
  virtual trivet_status flush() = 0;
  virtual trivet_status allow() = 0;
  virtual trivet_status set_variable(std::string_view name, std::string_view value) = 0;
  virtual trivet_status deny(std::uint32_t status, std::string_view reason) = 0;
  virtual trivet_status cache_for(std::uint64_t lifetime) = 0;
  virtual trivet_status pass() = 0;
  virtual void fail(std::string_view what) = 0;
  virtual void log(trivet_level level, std::string_view line) = 0;

  /// The handle that plugin code gets.
  [[nodiscard]] trivet_request* handle() noexcept {
    return reinterpret_cast<trivet_request*>(this);
  }  // NOLINT
};

}  // namespace trivet::plugin
