#include <string>
#include <string_view>
#include <trivet/plugin.hpp>

namespace {

std::string decode(std::string_view text) {
  const auto digit = [](char c) { return c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0'; };
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%' && at + 2 < text.size()) {
      plain += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
      at += 2;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

}  // namespace

/// Says what it is told to, allowed or not. QUERY_STRING, percent-encoded, in order: `status=N`, `Name=value`
/// adds a header, `-Name` removes one, `body=TEXT` writes, `flush` flushes. What the host refuses fails the
/// request, unless `catch` comes first: then the refusal is written into the body.
struct Headers {
  static constexpr bool never_blocks = true;

  void handle(trivet::Request& request, trivet::Response& out) {
    bool catches = false;
    std::string refused;
    for (std::string_view query = request.query(); !query.empty();) {
      const std::size_t end = query.find('&');
      const std::string_view item = query.substr(0, end);
      query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
      if (item == "catch") {
        catches = true;
        continue;
      }
      try {
        say(item, out);
      } catch (const trivet::Error& error) {
        if (!catches) throw;
        refused.append(error.what()).append("\n");
      }
    }
    out << refused;
  }

  static void say(std::string_view item, trivet::Response& out) {
    const std::size_t equals = item.find('=');
    const std::string name = decode(item.substr(0, equals));
    const std::string value = equals == std::string_view::npos ? "" : decode(item.substr(equals + 1));
    if (name == "status") {
      out.status(static_cast<unsigned>(std::stoul(value)));
    } else if (name == "body") {
      out << value;
    } else if (name == "flush") {
      out.flush();
    } else if (name.starts_with('-')) {
      out.remove_header(name.substr(1));
    } else {
      out.add_header(name, value);
    }
  }
};

TRIVET_PLUGIN(Headers, "headers", "1.0.0")
