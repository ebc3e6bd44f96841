#include "runtime/cli/snippet/apache.hpp"

#include "runtime/config/pattern.hpp"

namespace trivet::cli::snippet {
namespace {

/// That the file which Apache is about to serve lies where the pattern says, below the document root. What
/// could be more than itself in such a pattern of Apache stands for any character; `*` goes over slashes.
std::string file_matches(std::string_view pattern) {
  std::string glob;
  std::string folder;
  for (const std::string_view segment : config::split_pattern(pattern)) {
    if (segment == "**") {
      folder = glob;
      glob += "*";
      continue;
    }
    folder.clear();
    glob += '/';
    for (const char each : segment) glob += each == '*' || is_plain(std::string_view(&each, 1)) ? each : '?';
  }
  const auto test = [](const std::string& text) {
    return "%{REQUEST_FILENAME} -strmatch '%{DOCUMENT_ROOT}" + text + "'";
  };
  const bool below = pattern.ends_with("/**") && !folder.empty();
  return below ? "(" + test(folder) + " || " + test(folder + "/*") + ")" : test(glob);
}

/// Whether that is all it is true of.
bool is_exact(const Entry& entry) {
  return entry.path.shape != PathRule::Shape::pattern && is_plain(entry.path.literal);
}

/// The section for files, whichever path led there.
std::string file_section(const Site& site, const Entry& entry, const std::string& inside) {
  bool exact = is_exact(entry);
  std::string text = "<If \"'%{REQUEST_FILENAME}%{PATH_INFO}' != '%{DOCUMENT_ROOT}%{REQUEST_URI}' && " +
                     file_matches(entry.pattern);
  for (const std::size_t each : entry.yields_to) {
    const Entry& other = site.entries[each];
    exact = exact && is_exact(other);
    if (is_exact(other)) text += " && ! " + file_matches(other.pattern);
  }
  // Otherwise it is not known which route they belong to.
  return text + "\">\n" + (exact ? inside : apache_refuse) + "</If>\n";
}

}  // namespace

std::string apache_section(const Site& site, const Entry& entry, const std::string& inside) {
  using Shape = PathRule::Shape;
  std::string kind = "LocationMatch";
  std::string name;
  const bool folder = entry.path.shape == Shape::everything || entry.path.shape == Shape::below;
  if (folder && entry.yields_to.empty() && is_plain(entry.path.literal)) {
    kind = "Location";
    name = entry.path.literal.empty() ? "/" : entry.path.literal;
  } else {
    std::string except;
    for (const std::size_t each : entry.yields_to)
      except += (except.empty() ? "" : "|") + path_regex(site.entries[each].pattern).substr(1);
    name = "^" + (except.empty() ? "" : "(?!" + except + ")") + path_regex(entry.pattern).substr(1);
  }
  std::string text = "\n" + comment(entry, "", in_words(entry.treatment, "Apache serves")) + "<" + kind +
                     " \"" + name + "\">\n" + inside + "</" + kind + ">\n";
  return entry.treatment == Treatment::pass ? text : text + file_section(site, entry, inside);
}

std::string apache_steering(const Site& site, const std::string& name, const std::string& value) {
  std::string text;
  if (!name.empty())
    text +=
        "  SetEnvIf Request_URI \"^\" " + apache_assignment(name, value).value_or("\"" + name + "=\"") + "\n";
  if (!site.wish.host.empty())
    text += "  SetEnvIf Request_URI \"^\" " + apache_assignment("TRIVET_HOST", site.wish.host).value_or("") +
            "\n";
  return text;
}

std::string apache_variables(const std::vector<std::string>& variables) {
  std::string text;
  for (const std::string& each : variables) {
    for (const std::string& other : other_headers_of(each, "_."))
      text += "  RequestHeader unset " + other + "\n";
    text += "  RequestHeader set " + header_of(each) + " \"expr=%{reqenv:" + each + "}\"\n";
  }
  return text;
}

std::string apache_pass(const Site& site, const Entry& entry) {
  std::string text = apache_steering(site, "", "");
  if (!entry.route->authorize.empty()) text += "  CGIPassAuth On\n";
  const std::string to = site.is_unix() ? "unix:" + site.address + "|fcgi://trivet/"
                                        : "fcgi://" + site.host + ":" + std::to_string(site.port) + "/";
  return text + "  SetHandler \"proxy:" + to + "\"\n";
}

bool apache_can_name(std::string_view name) { return apache_assignment("", name).has_value(); }

}  // namespace trivet::cli::snippet
