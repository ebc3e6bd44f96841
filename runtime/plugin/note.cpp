#include "runtime/plugin/note.hpp"

#include <trivet/abi.h>

#include <boost/json/src.hpp>  // The library itself, compiled here and nowhere else.
#include <charconv>

#include "runtime/plugin/note_schema.hpp"
#include "runtime/plugin/private_copy.hpp"

namespace trivet::plugin {

namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorCode;

Error broken(const std::string& what) {
  return {ErrorCode::plugin_rejected, "carries a broken Trivet note (" + what + "): build it again"};
}

std::optional<std::string> text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

/// "0.1"
bool parse_abi(std::string_view text, Note& note) {
  const char* const end = text.data() + text.size();
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the end is given
  const auto major = std::from_chars(text.data(), end, note.abi_major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return false;
  const auto minor = std::from_chars(major.ptr + 1, end, note.abi_minor);
  return minor.ec == std::errc() && minor.ptr == end;
}

}  // namespace

base::Result<Note> parse_note(std::string_view text) {
  json::error_code failure;
  json::parse_options options;
  options.max_depth = 32;
  const json::value value = json::parse(text, failure, {}, options);
  if (failure) return broken("its JSON: " + failure.message());
  if (!value.is_object()) return broken("it is no JSON object");
  const json::object& object = value.get_object();

  Note note;
  const auto name = text_of(object, "name");
  const auto version = text_of(object, "version");
  const auto abi = text_of(object, "abi");
  if (!name || name->empty()) return broken("no name");
  if (!version || version->empty()) return broken("no version");
  if (!abi || !parse_abi(*abi, note)) return broken("no abi such as \"0.1\"");
  note.name = *name;
  note.version = *version;
  note.sdk = text_of(object, "sdk").value_or("");

  const json::value* roles = object.if_contains("roles");
  if (roles == nullptr || !roles->is_array()) return broken("no list of roles");
  for (const json::value& role : roles->get_array()) {
    if (role == "responder") {
      note.responder = true;
    } else if (role == "authorizer") {
      note.authorizer = true;
    } else if (role == "filter") {
      note.filter = true;
    } else {
      return broken("a role it names is none of responder, authorizer, filter");
    }
  }
  if (const json::value* flags = object.if_contains("flags"); flags != nullptr) {
    if (!flags->is_array()) return broken("flags is no list");
    for (const json::value& flag : flags->get_array()) {
      note.never_blocks = note.never_blocks || flag == "never_blocks";
      note.shared_instance = note.shared_instance || flag == "shared_instance";
      note.wants_short = note.wants_short || flag == "wants_short";
      note.exclusive = note.exclusive || flag == "exclusive";
      note.pure = note.pure || flag == "pure";
      note.any_encoding = note.any_encoding || flag == "any_encoding";
    }
  }
  if (const json::value* settings = object.if_contains("settings"); settings != nullptr) {
    std::string what;
    note.settings = parse_schema(*settings, what);
    if (!note.settings) return broken("its schema of settings " + what);
  }
  return note;
}

std::string refuse_abi(std::uint16_t major, std::uint16_t minor) {
  constexpr std::uint16_t host_major = TRIVET_ABI_MAJOR;
  constexpr std::uint16_t host_minor = TRIVET_ABI_MINOR;
  const bool speaks = major == host_major && minor <= host_minor && minor >= TRIVET_ABI_OLDEST_MINOR;
  if (speaks) return {};
  return "was built for plugin ABI " + std::to_string(major) + "." + std::to_string(minor) +
         ", this host speaks " + std::to_string(host_major) + "." + std::to_string(host_minor) +
         ": rebuild it with this host's SDK";
}

base::Result<Note> inspect(const ElfFile& file) {
  const auto facts = read_elf(file);
  if (!facts) return facts.error();
  auto note = parse_note(facts.value().note);
  if (!note) return note;
  if (std::string refused = refuse_abi(note->abi_major, note->abi_minor); !refused.empty()) {
    return Error{ErrorCode::plugin_rejected, std::move(refused)};
  }
  const std::string& runpath = facts.value().runpath;
  if (runpath.find("$ORIGIN") != std::string::npos || runpath.find("${ORIGIN}") != std::string::npos) {
    return Error{ErrorCode::plugin_rejected,
                 "looks for libraries beside itself (RUNPATH " + runpath +
                     "), where its private copy has none: link them in, or install "
                     "them where the system looks"};
  }
  return note;
}

base::Result<Note> inspect(const std::string& path) {
  auto file = open_regular(path);
  if (!file) return file.error();
  return inspect(ElfFile::of(file->descriptor.get(), file->size));
}

std::optional<config::PluginFacts> look_at(const std::string& path) {
  auto note = inspect(path);
  if (!note) return std::nullopt;
  return config::PluginFacts{.responder = note->responder,
                             .authorizer = note->authorizer,
                             .filter = note->filter,
                             .never_blocks = note->never_blocks,
                             .exclusive = note->exclusive,
                             .settings = note->settings};
}

}  // namespace trivet::plugin
