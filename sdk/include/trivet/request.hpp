#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/basic.hpp>

namespace trivet {

/// All parameters of a request, each name once: `for (const trivet::Param& param : request.params())`.
class Params {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Param;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Param;

    Iterator() = default;
    explicit Iterator(const trivet_param* at) noexcept : at_(at) {}
    Param operator*() const noexcept { return {sdk::view(at_->name), sdk::view(at_->value)}; }
    Iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    Iterator operator++(int) noexcept { return Iterator(at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const trivet_param* at_ = nullptr;
  };

  Params(const trivet_param* first, std::size_t count) noexcept : first_(first), count_(count) {}
  [[nodiscard]] Iterator begin() const noexcept { return Iterator(first_); }
  [[nodiscard]] Iterator end() const noexcept { return Iterator(first_ + count_); }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  const trivet_param* first_;
  std::size_t count_;
};

/// What the client asks.
///
/// Thread    The thread that runs the hook it was passed to.
/// Lifetime  Until that hook returns; in a class nested as Responder or Filter, until that object is
/// destroyed. Views
///           it gives (but for read()) live as long.
/// Errors    Reading from a cancelled request throws Cancelled; what the host refuses throws Error.
class Request {
 public:
  Request(const trivet_host* host, trivet_request* request) noexcept : host_(host), request_(request) {}

  /// A CGI variable, e.g. "REMOTE_ADDR"; empty when there is none.
  [[nodiscard]] std::string_view param(std::string_view name) const {
    return find(name).value_or(std::string_view());
  }
  /// The same, where empty and absent differ.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
    trivet_text value{};
    const trivet_status status = host_->param(request_, sdk::text(name), &value);
    if (status == TRIVET_E_ABSENT) return std::nullopt;
    sdk::require(status, "reading parameter", name);
    return sdk::view(value);
  }
  /// A header of the client by its usual name: "X-Api-Key" reads HTTP_X_API_KEY. Empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const {
    std::string variable = "HTTP_";
    variable.reserve(variable.size() + name.size());
    for (const char c : name) {
      if (c >= 'a' && c <= 'z') {
        variable += static_cast<char>(c - 'a' + 'A');
      } else {
        variable += c == '-' ? '_' : c;
      }
    }
    return param(variable);
  }
  [[nodiscard]] Params params() const {
    const trivet_param* first = nullptr;
    std::size_t count = 0;
    sdk::require(host_->params(request_, &first, &count), "reading the parameters");
    return {first, count};
  }

  [[nodiscard]] std::string_view method() const { return param("REQUEST_METHOD"); }
  [[nodiscard]] std::string_view query() const { return param("QUERY_STRING"); }
  /// The path as the client sent it, not decoded: REQUEST_URI without its query (and without `http://host`,
  /// which a proxy request has). Where the server gives no REQUEST_URI: SCRIPT_NAME followed by PATH_INFO,
  /// which are decoded.
  [[nodiscard]] std::string path() const {
    std::string_view uri = param("REQUEST_URI");
    if (uri.empty()) return std::string(param("SCRIPT_NAME")).append(param("PATH_INFO"));
    uri = uri.substr(0, uri.find_first_of("?#"));
    if (uri.starts_with('/')) return std::string(uri);
    const std::size_t scheme = uri.find("://");
    if (scheme == std::string_view::npos) return std::string(uri);
    const std::size_t slash = uri.find('/', scheme + 3);
    return slash == std::string_view::npos ? "/" : std::string(uri.substr(slash));
  }

  /// The place this plugin runs in: TRIVET_ROLE_RESPONDER and so on.
  [[nodiscard]] trivet_role role() const { return info().role; }
  /// For authorizers behind Apache, where one request is asked about up to three times.
  [[nodiscard]] Phase phase() const { return static_cast<Phase>(info().phase); }
  /// Unique within the worker process.
  [[nodiscard]] std::uint64_t number() const { return info().number; }
  [[nodiscard]] std::string_view route() const { return sdk::view(info().route); }
  /// The request id that log lines carry.
  [[nodiscard]] std::string_view id() const { return sdk::view(info().id); }
  /// The announced length of the body.
  [[nodiscard]] std::optional<std::uint64_t> content_length() const { return length(info().content_length); }
  /// The announced length of the data to filter.
  [[nodiscard]] std::optional<std::uint64_t> data_length() const { return length(info().data_length); }

  /// The next bytes of the body, waiting for them: for `handle` on a plugin thread. Nothing once it has
  /// ended: see end(). The bytes live until the next read.
  [[nodiscard]] std::optional<std::string_view> read() {
    if (end_ != End::not_yet) return std::nullopt;
    trivet_text chunk{};
    trivet_end end = TRIVET_END_NOT_YET;
    sdk::require(host_->read(request_, &chunk, &end), "reading the body");
    end_ = static_cast<End>(end);
    if (end_ != End::not_yet && chunk.len == 0) return std::nullopt;
    return sdk::view(chunk);
  }
  /// The rest of the body. Nothing when it is larger than `limit` bytes: answer 413 then.
  [[nodiscard]] std::optional<std::string> read_all(std::size_t limit) {
    std::string body;
    while (const std::optional<std::string_view> chunk = read()) {
      if (chunk->size() > limit - body.size()) return std::nullopt;
      body += *chunk;
    }
    return body;
  }
  /// How the body ended, after read() gave nothing.
  [[nodiscard]] End end() const noexcept { return end_; }

  /// Whether nobody waits for the answer any more. For loops that neither read nor write.
  [[nodiscard]] bool cancelled() const noexcept { return host_->cancelled(request_) != 0; }

  /// A line in the host's log, with this request's id.
  void log(Level level, std::string_view line) const noexcept {
    host_->log(request_, static_cast<trivet_level>(level), sdk::text(line));
  }

 private:
  [[nodiscard]] trivet_request_info info() const {
    trivet_request_info info{};
    info.size = sizeof info;
    sdk::require(host_->info(request_, &info), "asking about the request");
    return info;
  }
  [[nodiscard]] static std::optional<std::uint64_t> length(std::uint64_t announced) noexcept {
    if (announced == UINT64_MAX) return std::nullopt;
    return announced;
  }

  const trivet_host* host_;
  trivet_request* request_;
  End end_ = End::not_yet;
};

}  // namespace trivet
