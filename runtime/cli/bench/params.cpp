#include "runtime/cli/bench/params.hpp"

#include "runtime/cli/call_params.hpp"

namespace trivet::cli::bench {

std::vector<std::pair<std::string, std::string>> bench_params(const BenchCommand& command) {
  std::vector<std::pair<std::string, std::string>> params;
  const auto add = [&](const char* name, std::string value) { params.emplace_back(name, std::move(value)); };
  const bool authorizer = command.role == protocol::Role::authorizer;
  const std::size_t question = command.uri.find('?');
  const std::string written = command.uri.substr(0, question);
  const std::string path = decoded_path(written).value_or(written);
  const bool has_body = command.body.has_value() && !authorizer;
  add("SCRIPT_FILENAME", "/var/www/html" + path);
  add("QUERY_STRING", question == std::string::npos ? "" : command.uri.substr(question + 1));
  add("REQUEST_METHOD", !command.method.empty() ? command.method : has_body ? "POST" : "GET");
  if (!authorizer) {
    add("CONTENT_TYPE", has_body ? "application/octet-stream" : "");
    add("CONTENT_LENGTH", has_body ? std::to_string(*command.body) : "");
    add("SCRIPT_NAME", path);
  }
  add("REQUEST_URI", command.uri);
  add("DOCUMENT_URI", path);
  add("DOCUMENT_ROOT", "/var/www/html");
  add("SERVER_PROTOCOL", "HTTP/1.1");
  add("REQUEST_SCHEME", "https");
  add("HTTPS", "on");
  add("GATEWAY_INTERFACE", "CGI/1.1");
  add("SERVER_SOFTWARE", "nginx/1.22.1");
  add("REMOTE_ADDR", "203.0.113.57");
  add("REMOTE_PORT", "52814");
  add("SERVER_ADDR", "192.0.2.10");
  add("SERVER_PORT", "443");
  add("SERVER_NAME", "www.example.org");
  add("REDIRECT_STATUS", "200");
  add("HTTP_HOST", "www.example.org");
  add("HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
  add("HTTP_ACCEPT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
  add("HTTP_ACCEPT_LANGUAGE", "en-US,en;q=0.5");
  add("HTTP_ACCEPT_ENCODING", "gzip, deflate, br");
  add("HTTP_CONNECTION", "keep-alive");
  add("HTTP_REFERER", "https://www.example.org/list?page=2&sort=date");
  add("HTTP_COOKIE", "session=4b1c8f0e2d7a49c5b6e1f3a2d8c7e9b0; theme=dark; consent=1");
  if (command.role == protocol::Role::filter) {
    add("FCGI_DATA_LENGTH", std::to_string(command.data));
    add("FCGI_DATA_LAST_MOD", "1700000000");
  }
  change_params(params, command.without, command.params);
  return params;
}

}  // namespace trivet::cli::bench
