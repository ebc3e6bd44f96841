#include <algorithm>
#include <set>

#include "runtime/cli/snippet/servers.hpp"

namespace trivet::cli::snippet {
namespace {

/// What nginx tells of a request. Not from its fastcgi_params: that says REMOTE_USER, which nginx takes from
/// the header Authorization without looking at the password.
constexpr std::string_view params[] = {
    "GATEWAY_INTERFACE CGI/1.1",        "SERVER_SOFTWARE nginx/$nginx_version",
    "SERVER_PROTOCOL $server_protocol", "SERVER_NAME $server_name",
    "SERVER_ADDR $server_addr",         "SERVER_PORT $server_port",
    "REMOTE_ADDR $remote_addr",         "REMOTE_PORT $remote_port",
    "REQUEST_METHOD $request_method",   "REQUEST_SCHEME $scheme",
    "HTTPS $https if_not_empty",        "REQUEST_URI $request_uri",
    "DOCUMENT_ROOT $document_root",     "HTTP_PROXY \"\"",
};

/// nginx knows no status of an authorizer but 401 and 403: Trivet says the others beside a 401.
constexpr int redirections[] = {301, 302, 303, 307, 308};
constexpr int refusals[] = {400, 402, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414,
                            415, 416, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451};

class Writing {
 public:
  explicit Writing(const Site& site) : site_(site) {
    to_ = site.is_unix() ? "unix:" + site.address : site.host + ":" + std::to_string(site.port);
  }

  std::string run() {
    text_ = heading(
        site_,
        {"For the inside of a `server` block: put it into /etc/nginx/snippets/trivet.conf and write",
         "    include snippets/trivet.conf;",
         "as the first line of that block, for nginx takes regular expressions in order; then `nginx -t`,",
         "and reload nginx. Where your locations and these have the same name, nginx says so. A location of",
         "yours inside a guarded path takes it out of the guard: write such into the file that the guarded",
         "location includes, /etc/nginx/trivet.d/NAME.conf (inside a `location ~` it has to be one too). In",
         "there a location with a fastcgi_param or proxy_set_header of its own inherits none, and has to say",
         "the guard's variables again; and `return` answers before anybody is asked. Leave merge_slashes on.",
         "Bodies of requests: client_max_body_size is 1m unless you set it.", "",
         "To keep connections open, write into the http block",
         "    upstream trivet { server " + to_ + "; keepalive 16; }",
         "and below, for each `fastcgi_pass " + to_ + ";`: fastcgi_pass trivet; fastcgi_keep_conn on;"});
    if (site_.some_ask()) write_asking();
    if (site_.some(Treatment::pass)) {
      text_ += "\nlocation @trivet {\n" + common(with_body) + pass() + "}\n";
    }
    choose_forms();
    for (std::size_t at = 0; at < site_.entries.size(); ++at) write(at);
    return text_;
  }

 private:
  [[nodiscard]] std::string pass() const {
    return "    fastcgi_buffer_size 16k;            # the head of an answer has up to 7,000 bytes\n"
           "    fastcgi_buffers 8 16k;\n"
           "    fastcgi_intercept_errors off;\n"
           "    fastcgi_cache off;                  # what one client may see, another may not\n"
           "    fastcgi_read_timeout 90s;           # Trivet has clocks of its own, which tell what was "
           "slow\n"
           "    fastcgi_pass " +
           to_ + ";\n";
  }

  std::string common(std::string_view more) const {
    std::string text;
    for (const std::string_view each : params) text += "    fastcgi_param " + std::string(each) + ";\n";
    if (!site_.wish.host.empty())
      text += "    fastcgi_param TRIVET_HOST " + nginx_name(site_.wish.host) + ";\n";
    return text + std::string(more);
  }

  /// Of the request that is answered; the question about it has neither a body nor a path of its own.
  static constexpr std::string_view with_body =
      "    fastcgi_param SCRIPT_NAME $fastcgi_script_name;\n"
      "    fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;\n"
      "    fastcgi_param QUERY_STRING $query_string;\n"
      "    fastcgi_param CONTENT_TYPE $content_type;\n"
      "    fastcgi_param CONTENT_LENGTH $content_length;\n";

  /// One for each route, which it names: so that no spelling and no rewriting of a path, and no redirection
  /// inside nginx, leads to the guards of another.
  void write_question(std::size_t at) {
    text_ += "location = " + question(at) + " {\n    internal;\n    set $trivet_query \"\";\n" +
             "    if ($request_uri ~ \"[?](.*)$\") { set $trivet_query $1; }\n" +
             common(
                 "    fastcgi_param QUERY_STRING $trivet_query;\n"
                 "    fastcgi_param CONTENT_LENGTH \"\";\n"
                 "    fastcgi_param TRIVET_ROLE authorizer;\n"
                 "    fastcgi_param TRIVET_ROUTE " +
                 nginx_value(site_.entries[at].route->name).value_or("\"\"") +
                 ";\n"
                 "    fastcgi_param TRIVET_DIALECT nginx;\n"
                 "    fastcgi_pass_request_body off;\n"
                 // What a server block may say for all of its locations would make a yes of the answer.
                 "    error_page 599 /_trivet/nothing;\n") +
             pass() + "}\n";
  }

  static std::string question(std::size_t at) { return "/_trivet/auth/" + std::to_string(at + 1); }

  void write_asking() {
    text_ += "\n# What it said.\n";
    for (const std::string_view each : {"status", "location", "retry_after"}) {
      text_ += "auth_request_set $trivet_" + std::string(each) + " $upstream_http_x_trivet_" +
               std::string(each) + ";\n";
    }
    text_ +=
        "auth_request_set $trivet_cookie $upstream_http_set_cookie;\n"
        "auth_request_set $trivet_cookie_2 $upstream_http_x_trivet_set_cookie_2;\n"
        "auth_request_set $trivet_cookie_3 $upstream_http_x_trivet_set_cookie_3;\n";
    for (const std::string& each : site_.variables())
      text_ += "auth_request_set " + variable(each) + " $upstream_http_variable_" + lower(each) + ";\n";
    text_ +=
        "\n# A denial. Beside 401 and 403 auth_request knows none: Trivet says 401 then, and what it means.\n"
        "location @trivet_denied {\n"
        "    absolute_redirect off;\n"
        "    add_header Retry-After $trivet_retry_after always;\n"
        "    add_header Set-Cookie $trivet_cookie always;\n"
        "    add_header Set-Cookie $trivet_cookie_2 always;\n"
        "    add_header Set-Cookie $trivet_cookie_3 always;\n";
    for (const int each : redirections) write_status(each, " $trivet_location");
    for (const int each : refusals) write_status(each, "");
    text_ += "    if ($trivet_status) { return 403; }\n    return 401;\n}\n";
  }

  void write_status(int status, const std::string& more) {
    const std::string number = std::to_string(status);
    text_ += "    if ($trivet_status = " + number + ") { return " + number + more + "; }\n";
  }

  static std::string variable(const std::string& name) { return "$trivet_var_" + lower(name); }

  /// nginx takes of `=` and `^~` locations the one with the longest name, which is the first route that fits
  /// where routes are folders: either they lie in one another, or they have nothing in common. Where one is a
  /// pattern, it and all that it goes before become regular expressions, which nginx takes in the order
  /// written. So does what takes everything: a server has a `location /` of its own, and others that this
  /// goes before.
  void choose_forms() {
    is_regex_.assign(site_.entries.size(), false);
    for (std::size_t at = 0; at < site_.entries.size(); ++at) {
      const Entry& entry = site_.entries[at];
      const auto& before = entry.yields_to;
      is_regex_[at] =
          entry.path.shape == PathRule::Shape::pattern || entry.path.shape == PathRule::Shape::everything ||
          std::any_of(before.begin(), before.end(), [&](std::size_t each) { return is_regex_[each]; });
    }
  }

  void write(std::size_t at) {
    const Entry& entry = site_.entries[at];
    std::vector<std::string> names;
    if (is_regex_[at]) {
      names.push_back("~ \"" + path_regex(entry.pattern) + "\"");
    } else {
      if (!entry.path.literal.empty()) names.push_back("= " + nginx_name(entry.path.literal));
      if (entry.path.shape == PathRule::Shape::below)
        names.push_back("^~ " + nginx_name(entry.path.literal + "/"));
    }
    text_ += "\n" + comment(entry, "", in_words(entry.treatment, "nginx serves"));
    if (entry.asks()) write_question(at);
    for (const std::string& each : names) {
      // Files are in the folder, and what includes more locations cannot be one that is exact.
      const bool folder_alone = entry.treatment == Treatment::ask && names.size() == 2 &&
                                &each == &names.front() && entry.pattern == entry.route->path;
      if (!names_.insert(each).second) continue;
      text_ +=
          "location " + each + " {\n" +
          (folder_alone ? "    absolute_redirect off;\n    return 301 $uri/$is_args$args;\n" : inside(at)) +
          "}\n";
    }
  }

  [[nodiscard]] std::string inside(std::size_t at) const {
    const Entry& entry = site_.entries[at];
    if (entry.treatment == Treatment::refuse) return "    return 403;\n";
    if (entry.treatment == Treatment::pass) return "    try_files /_trivet/nothing @trivet;\n";
    std::string text = "    auth_request " + question(at) +
                       ";\n"
                       "    error_page 401 = @trivet_denied;\n";
    if (entry.treatment == Treatment::ask_then_pass) {
      text += common(with_body);
    } else {
      text +=
          "    # add_header Set-Cookie $trivet_cookie;  # a guard that renews a cookie; hides add_header of "
          "outside\n"
          "    include trivet.d/" +
          file_name(entry.route->name) + ".con[f];  # what answers, where that is not the files in `root`\n";
    }
    for (const std::string& each : entry.route->variables) {
      text += "    fastcgi_param " + each + " " + variable(each) + ";\n    fastcgi_param HTTP_" + each + " " +
              variable(each) + ";\n";
      if (entry.treatment == Treatment::ask)
        text += "    proxy_set_header " + header_of(each) + " " + variable(each) + ";\n";
    }
    return entry.treatment == Treatment::ask ? text : text + pass();
  }

  /// What no glob and no shell takes for anything else.
  static std::string file_name(std::string_view name) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string result;
    for (const char each : name) {
      const auto byte = static_cast<unsigned char>(each);
      if (is_plain(std::string_view(&each, 1)) && each != '/' && !(each == '.' && result.empty())) {
        result += each;
      } else {
        result += '%';
        result += digits[byte >> 4U];
        result += digits[byte & 15U];
      }
    }
    return result.substr(0, 150);
  }

  const Site& site_;
  std::string to_;
  std::string text_;
  std::vector<bool> is_regex_;
  std::set<std::string> names_;  ///< Locations there are.
};

}  // namespace

std::string write_nginx(const Site& site) { return Writing(site).run(); }

}  // namespace trivet::cli::snippet
