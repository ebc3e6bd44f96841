#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <trivet/followed_file.hpp>
#include <trivet/plugin.hpp>
#include <variant>
#include <vector>

#include "address.hpp"

namespace cidr {

/// Lets requests pass by the address they come from.
///
///     config = { allow = ["192.0.2.0/24", "2001:db8::/32"], deny_file = "/etc/trivet/blocked" }
///
/// Who is denied by one list stays denied, whatever another one says; the order of entries means nothing.
class Cidr {
 public:
  static constexpr bool never_blocks = true;     // Files are read on a thread of theirs.
  static constexpr bool shared_instance = true;  // What changes is in the files, which lock.

  struct Config {
    std::vector<std::string> allow;
    std::vector<std::string> deny;
    std::string allow_file;
    std::string deny_file;
    std::string parameter = "REMOTE_ADDR";
    std::string forwarded;
    std::vector<std::string> trusted;
    std::int64_t status = 403;
    std::int64_t file_bytes = 16 << 20;
    std::int64_t recheck_ms = 1000;
    static constexpr auto settings =
        trivet::settings(trivet::setting("allow", &Config::allow).length(1, 10'000),
                         trivet::setting("deny", &Config::deny).length(1, 10'000),
                         trivet::setting("allow_file", &Config::allow_file).length(1, 4096),
                         trivet::setting("deny_file", &Config::deny_file).length(1, 4096),
                         trivet::setting("parameter", &Config::parameter).length(1, 200),
                         trivet::setting("forwarded", &Config::forwarded).length(1, 200),
                         trivet::setting("trusted", &Config::trusted).length(1, 10'000),
                         trivet::setting("status", &Config::status).between(400, 599),
                         trivet::setting("file_bytes", &Config::file_bytes).between(1024, 1 << 30),
                         trivet::setting("recheck_ms", &Config::recheck_ms).between(100, 60'000));
  };

  Cidr(const Config& config, const trivet::Settings& settings)
      : allow_(ranges_of("allow", config.allow, settings)),
        deny_(ranges_of("deny", config.deny, settings)),
        trusted_(ranges_of("trusted", config.trusted, settings)),
        parameter_(config.parameter),
        forwarded_(config.forwarded),
        status_(static_cast<unsigned>(config.status)),
        allows_only_(!config.allow.empty() || !config.allow_file.empty()) {
    if (!allows_only_ && config.deny.empty() && config.deny_file.empty())
      settings.fail("", "needs one of allow, deny, allow_file, deny_file");
    if (parameter_.starts_with("HTTP_"))
      settings.fail("parameter",
                    "is the client's own word: name it in forwarded, with the proxies in trusted");
    if (forwarded_.empty() != config.trusted.empty()) {
      settings.fail(forwarded_.empty() ? "trusted" : "forwarded",
                    forwarded_.empty() ? "is of no use without forwarded" : "needs the proxies in trusted");
    }
    trivet::FilePace pace;
    pace.every = std::chrono::milliseconds(config.recheck_ms);
    const auto most = static_cast<std::size_t>(config.file_bytes);
    if (!config.allow_file.empty()) {
      allow_file_ =
          std::make_unique<Followed>(settings, "allow_file", config.allow_file, most, pace,
                                     [](std::string_view text, const ListFile*, trivet::Remarks& remarks) {
                                       return ListFile::read_allowed(text, remarks);
                                     });
    }
    if (!config.deny_file.empty())
      deny_file_ = std::make_unique<Followed>(settings, "deny_file", config.deny_file, most, pace,
                                              &ListFile::read_denied);
  }

  trivet::Verdict check(trivet::Request& request) const {
    std::string_view text = request.param(parameter_);
    std::string_view from = parameter_;
    std::optional<Address> address = Address::read(text);
    if (!forwarded_.empty()) {
      std::string_view hops = request.param(forwarded_);
      while (address && trusted_.has(*address) && !hops.empty()) {
        text = take_last(hops);
        from = forwarded_;
        address = Address::read(text);
      }
    }
    if (!address) {
      constexpr std::size_t most_shown = 60;
      return deny(std::string(from) + " " + std::string(why_no_address(text)) + ": \"" +
                  std::string(text.substr(0, most_shown)) + "\"");
    }
    const std::string_view why = why_not(*address);
    if (!why.empty()) return deny(std::string(text) + " " + std::string(why));
    return trivet::allow();
  }

 private:
  using Followed = trivet::FollowedFile<ListFile>;

  static Ranges ranges_of(const std::string& key, const std::vector<std::string>& texts,
                          const trivet::Settings& settings) {
    std::vector<Range> ranges;
    for (std::size_t at = 0; at < texts.size(); ++at) {
      const auto read = Range::read(texts[at]);
      if (const auto* wrong = std::get_if<std::string>(&read))
        settings.fail(key + "." + std::to_string(at), *wrong);
      ranges.push_back(std::get<Range>(read));
    }
    return Ranges(std::move(ranges));
  }

  /// Each proxy adds, at the end, the address that it was asked by.
  static std::string_view take_last(std::string_view& hops) noexcept {
    const std::size_t comma = hops.rfind(',');
    std::string_view last = comma == std::string_view::npos ? hops : hops.substr(comma + 1);
    hops = comma == std::string_view::npos ? std::string_view() : hops.substr(0, comma);
    constexpr std::string_view blank = " \t";
    last.remove_prefix(std::min(last.find_first_not_of(blank), last.size()));
    return last.substr(0, last.find_last_not_of(blank) + 1);
  }

  [[nodiscard]] std::string_view why_not(const Address& address) const {
    // Throws while a file is away: nobody knows then whom it would keep out.
    const auto denied = deny_file_ ? deny_file_->content() : nullptr;
    const auto allowed = allow_file_ ? allow_file_->content() : nullptr;
    if (deny_.has(address)) return "is in deny";
    if (denied != nullptr && denied->has(address)) return "is in deny_file";
    if (!allows_only_ || allow_.has(address)) return {};
    if (allowed != nullptr && allowed->has(address)) return {};
    return "is in no list of those who may";
  }

  [[nodiscard]] trivet::Verdict deny(std::string_view reason) const {
    return trivet::deny(status_)
        .header("Content-Type", "text/plain")
        .body("this address may not come in\n")
        .reason(reason);
  }

  Ranges allow_;
  Ranges deny_;
  Ranges trusted_;
  std::string parameter_;
  std::string forwarded_;
  unsigned status_;
  bool allows_only_;
  std::unique_ptr<Followed> allow_file_;
  std::unique_ptr<Followed> deny_file_;
};

}  // namespace cidr

using cidr::Cidr;
TRIVET_PLUGIN(Cidr, "cidr", "1.0.0")
