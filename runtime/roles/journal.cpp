#include "runtime/roles/journal.hpp"

#include <algorithm>

namespace trivet::roles {
namespace {

constexpr std::string_view hidden = "[redacted]";
constexpr std::size_t shortest_secret = 4;

/// `text`, which may be `scratch`, with every `secret` replaced.
std::string_view without(std::string_view secret, std::string_view text, std::string& scratch) {
  std::string replaced;
  std::size_t from = 0;
  for (std::size_t at = 0; (at = text.find(secret, from)) != std::string_view::npos;
       from = at + secret.size()) {
    replaced.append(text.substr(from, at - from)).append(hidden);
  }
  replaced.append(text.substr(from));
  scratch = std::move(replaced);
  return scratch;
}

/// `scratch_of` gives the string for a text's place, where something is found in it.
template <class ScratchOf>
void redact_each(const cgi::Params& params, const std::vector<cgi::ParamName>& names,
                 std::span<std::string_view> texts, ScratchOf&& scratch_of) {
  std::size_t longest = 0;
  for (const std::string_view text : texts) longest = std::max(longest, text.size());
  for (const cgi::ParamName& name : names) {
    const std::string_view value = params.get(name);
    if (value.size() < shortest_secret) continue;
    const std::size_t space = value.find(' ');
    const std::string_view rest = space == std::string_view::npos ? value : value.substr(space + 1);
    if (rest.size() > longest) continue;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto hide = [&](std::string_view secret) {
        if (secret.size() < shortest_secret || texts[i].find(secret) == std::string_view::npos) return;
        texts[i] = without(secret, texts[i], scratch_of(i));
      };
      hide(value);
      if (space != std::string_view::npos) hide(rest);
    }
  }
}

}  // namespace

std::string_view redacted(const cgi::Params& params, const std::vector<cgi::ParamName>& names,
                          std::string_view text, std::string& scratch) {
  redact_each(params, names, {&text, 1}, [&](std::size_t) -> std::string& { return scratch; });
  return text;
}

void redact(const cgi::Params& params, const std::vector<cgi::ParamName>& names,
            std::span<std::string_view> texts, std::vector<std::string>& scratch) {
  redact_each(params, names, texts, [&](std::size_t place) -> std::string& {
    scratch.resize(texts.size());
    return scratch[place];
  });
}

std::string listed(const cgi::Params& params, const std::vector<cgi::ParamName>& names) {
  std::string all;
  std::string scratch;
  for (const cgi::Param& each : params.all()) {
    if (!all.empty()) all += ' ';
    all += each.name;
    all += '=';
    const bool secret = std::ranges::find(names, each.name, &cgi::ParamName::text) != names.end();
    all += secret ? hidden : redacted(params, names, each.value, scratch);
  }
  return all;
}

bool names_request(std::string_view text) noexcept {
  if (text.empty() || text.size() > longest_request_id) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~:/+=@").find(c) != std::string_view::npos;
  });
}

}  // namespace trivet::roles
