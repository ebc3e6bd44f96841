#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "runtime/config/pattern.hpp"
#include "runtime/config/sections.hpp"
#include "runtime/config/suggest.hpp"
#include "runtime/config/text.hpp"

namespace trivet::config {
namespace {

/// The kinds of source that are tables, each by the key that makes it one.
constexpr std::string_view files_key = "files";
constexpr std::string_view application_key = "fastcgi";

/// A charset's name, as RFC 2978 has them: letters, digits and a few marks.
bool names_charset(std::string_view text) noexcept {
  return text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char each) {
           return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                  (each >= '0' && each <= '9') ||
                  std::string_view("-_.:+").find(each) != std::string_view::npos;
         });
}

/// `**` stands for the file's place below the root, so it is the last segment and the only one; a path
/// without
/// `*` names one file.
void check_path_fits(TableReader& reader, const RouteDraft& route, Files& out) {
  out.one_file = route.route.path.find('*') == std::string::npos;
  if (out.one_file) {
    if (route.route.path.back() == '/') {
      reader.sink().error(
          route.path_span,
          "`files` cannot answer for " + in_quotes(route.route.path) + ", which names no file",
          "end it in `/**` for a folder, or in a name");
    }
    return;
  }
  const std::vector<std::string_view> segments = split_pattern(route.route.path);
  const auto runs = std::count(segments.begin(), segments.end(), "**");
  if (segments.back() == "**" && runs == 1) return;
  reader.sink().error(route.path_span,
                      "`files` needs a `path` in which the last segment and no other is `**`",
                      "what `**` stands for is the file's place below the folder; or a path without `*`, for "
                      "one file");
}

void read_index(TableReader& reader, Files& out) {
  std::vector<NameAt> names;
  const Entry* entry = reader.texts("index", ListRule::any, names);
  if (entry == nullptr) return;
  if (out.one_file) {
    reader.sink().error(entry->key_span, "`index` on a route whose `path` names one file",
                        "it is for folders: end the path in `/**`");
  }
  out.index.clear();
  for (NameAt& each : names) {
    if (each.name.find('/') != std::string::npos || each.name == "." || each.name == "..") {
      reader.sink().error(each.span, in_quotes(each.name) + " is not the name of a file in a folder",
                          "such as \"index.html\"");
    } else {
      out.index.push_back(std::move(each.name));
    }
  }
}

void read_files(TableReader& reader, RouteDraft& out) {
  Files files;
  const Entry* root = reader.absolute_path(files_key, files.root);
  const Entry* key = reader.find(files_key);
  files.place = reader.sink().place(key->value.span);
  if (root != nullptr) out.files_span = root->value.span;
  if (root != nullptr) check_path_fits(reader, out, files);
  read_index(reader, files);
  std::size_t hidden = 0;
  if (reader.word("hidden", {"refuse", "serve"}, hidden) != nullptr) files.serve_hidden = hidden == 1;
  if (const Entry* charset = reader.text("charset", files.charset)) {
    if (!names_charset(files.charset)) {
      reader.sink().error(charset->value.span, in_quotes(files.charset) + " is not a charset",
                          "such as \"utf-8\", or \"off\"");
    }
    if (files.charset == "off") files.charset.clear();
  }
  out.route.files = std::move(files);
}

void read_table(TableReader& route, const Entry& entry, RouteDraft& out) {
  TableReader reader(route.sink(), *entry.value.table(), "`respond`");
  const Entry* files = reader.find(files_key);
  const Entry* application = reader.find(application_key);
  if (files != nullptr && application != nullptr) {
    route.sink().error(application->key_span, "`respond` has both `files` and `fastcgi`",
                       "one source answers: give the other a route of its own");
    return;
  }
  if (files != nullptr) {
    read_files(reader, out);
  } else if (application != nullptr) {
    read_application(reader, out);
  } else {
    std::string hint = "the name of a responder plugin, or { files = \"/srv/www\" }, say";
    for (const Entry& each : *entry.value.table()) {
      const auto meant = closest(each.key, {files_key, application_key});
      if (meant) hint = "did you mean `" + std::string(*meant) + "`?";
    }
    route.sink().error(entry.value.span, "`respond` has neither `files` nor `fastcgi`", std::move(hint));
    return;
  }
  reader.finish();
}

void locate(Sink& sink, const RouteDraft& route) {
  const Files& files = *route.route.files;
  struct stat status{};
  if (::stat(files.root.c_str(), &status) != 0) {
    const int error = errno;
    const std::string why = std::generic_category().message(error);
    if (error == EACCES) {
      // Who checks may be another user than who serves.
      sink.warning(route.files_span, "cannot look at " + in_quotes(files.root) + ": " + why);
    } else {
      sink.error(route.files_span, "cannot serve " + in_quotes(files.root) + ": " + why);
    }
    return;
  }
  if (files.one_file && !S_ISREG(status.st_mode)) {
    sink.error(route.files_span, in_quotes(files.root) + " is not a file, and the route's `path` names one",
               S_ISDIR(status.st_mode) ? "end the path in `/**` for a folder" : "");
  } else if (!files.one_file && !S_ISDIR(status.st_mode)) {
    sink.error(route.files_span, in_quotes(files.root) + " is not a folder",
               S_ISREG(status.st_mode) ? "for one file write a `path` without `*`" : "");
  }
}

}  // namespace

void read_respond(TableReader& reader, RouteDraft& out) {
  const Entry* entry = reader.find("respond");
  if (entry == nullptr) return;
  if (entry->value.table() != nullptr) {
    read_table(reader, *entry, out);
  } else if (entry->value.list() != nullptr) {
    reader.sink().error(entry->value.span, "`respond` expects one name, found a list",
                        "one plugin answers; `filter` takes several");
  } else if (const std::string* text = reader.as_text(entry->value, "respond")) {
    out.respond = NameAt{*text, entry->value.span};
    out.route.respond = *text;
  }
}

void locate_files(Sink& sink, const std::vector<RouteDraft>& routes) {
  for (const RouteDraft& each : routes) {
    if (each.route.files && each.files_span.line != 0) locate(sink, each);
  }
}

}  // namespace trivet::config
