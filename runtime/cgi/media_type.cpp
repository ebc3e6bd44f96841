#include "runtime/cgi/media_type.hpp"

#include "runtime/cgi/request_info.hpp"

namespace trivet::cgi {
namespace {

struct Known {
  std::string_view extension;
  std::string_view type;
};

constexpr Known known[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"ico", "image/vnd.microsoft.icon"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"woff2", "font/woff2"},
};

}  // namespace

std::string_view media_type(std::string_view file_name) noexcept {
  const std::size_t slash = file_name.rfind('/');
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  const std::size_t dot = file_name.rfind('.');
  if (dot != std::string_view::npos && dot != 0) {
    const std::string_view extension = file_name.substr(dot + 1);
    for (const Known& each : known) {
      if (equals_lower(extension, each.extension)) return each.type;
    }
  }
  return "application/octet-stream";
}

}  // namespace trivet::cgi
