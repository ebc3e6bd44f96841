#include "runtime/cli/call_params.hpp"

#include <algorithm>

#include "runtime/base/version.hpp"

namespace trivet::cli {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::optional<std::string> decoded_path(const std::string& path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      out += path[i];
      continue;
    }
    const int high = i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
    const int low = i + 2 < path.size() ? hex_digit(path[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

void change_params(std::vector<std::pair<std::string, std::string>>& params,
                   const std::vector<std::string>& without,
                   const std::vector<std::pair<std::string, std::string>>& more) {
  const auto drop = [&](const std::string& wanted) {
    std::erase_if(params, [&](const auto& each) { return each.first == wanted; });
  };
  for (const std::string& name : without) drop(name);
  for (const auto& [name, value] : more) drop(name);
  params.insert(params.end(), more.begin(), more.end());
}

std::vector<std::pair<std::string, std::string>> call_params(const CallCommand& command,
                                                             const CallLengths& lengths) {
  std::vector<std::pair<std::string, std::string>> params;
  const auto add = [&](const char* name, std::string value) { params.emplace_back(name, std::move(value)); };
  const bool authorizer = command.role == protocol::Role::authorizer;
  const std::size_t question = command.uri.find('?');
  const std::string path = command.uri.substr(0, question);
  add("GATEWAY_INTERFACE", "CGI/1.1");
  add("SERVER_SOFTWARE", "trivet-call/" + std::string(base::version));
  add("SERVER_PROTOCOL", "HTTP/1.1");
  add("SERVER_NAME", "localhost");
  add("SERVER_PORT", "80");
  add("REMOTE_ADDR", "127.0.0.1");
  add("REQUEST_METHOD", !command.method.empty() ? command.method : lengths.has_body ? "POST" : "GET");
  add("REQUEST_URI", command.uri);
  if (const auto name = decoded_path(path); name && !authorizer) add("SCRIPT_NAME", *name);
  add("QUERY_STRING", question == std::string::npos ? "" : command.uri.substr(question + 1));
  add("HTTP_HOST", "localhost");
  if (lengths.has_body && !authorizer) {
    add("CONTENT_TYPE", "application/octet-stream");
    if (lengths.body) add("CONTENT_LENGTH", std::to_string(*lengths.body));
  }
  if (command.role == protocol::Role::filter) {
    if (lengths.data) add("FCGI_DATA_LENGTH", std::to_string(*lengths.data));
    if (lengths.data_modified) add("FCGI_DATA_LAST_MOD", std::to_string(*lengths.data_modified));
  }
  change_params(params, command.without, command.params);
  return params;
}

}  // namespace trivet::cli
