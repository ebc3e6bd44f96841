#include "runtime/source/files.hpp"

#include <random>
#include <system_error>
#include <utility>

#include "runtime/base/siphash.hpp"
#include "runtime/source/file_stage.hpp"

namespace trivet::source {
namespace {

std::string with_charset(std::string_view type, const std::string& charset) {
  constexpr std::string_view text = "text/";
  std::string result(type);
  if (!charset.empty() && type.substr(0, text.size()) == text) result += "; charset=" + charset;
  return result;
}

}  // namespace

Files::Files(const config::Route& route, Disk& disk, std::shared_ptr<const MediaTypes> types)
    : place_(route),
      root_(*route.files),
      charset_(route.files->charset),
      types_(std::move(types)),
      share_(disk) {
  std::random_device random;
  for (std::uint64_t& each : secret_) each = static_cast<std::uint64_t>(random()) << 32U | random();
}

std::unique_ptr<roles::Stage> Files::open(roles::StageSink& sink, const roles::CallFacts& facts) {
  return std::make_unique<FileStage>(*this, sink, facts);
}

std::string Files::type_of(std::string_view name) const { return with_charset(types_->of(name), charset_); }

std::string Files::make_boundary() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string boundary = "trivet";
  const std::string number = std::to_string(++boundaries_);
  for (const char* half : {"a", "b"}) {
    std::uint64_t value = base::siphash(secret_, half + number);
    for (int i = 0; i < 16; ++i, value >>= 4U) boundary += digits[value & 0xfU];
  }
  return boundary;
}

std::string explain_file(const config::Route& route, const cgi::RequestPath* path) {
  const FileRoot root(*route.files);
  std::string place;
  if (!FilePlace(route).find(path, place)) return "none: 404, the path names no file below the folder";
  const Found found = root.look_up(place, Reach::anywhere());
  const std::string where = root.path_of(place, found);
  const std::string why = std::generic_category().message(found.error);
  switch (found.what) {
    case Found::What::file:
      return where + " (" +
             with_charset(MediaTypes::read(MediaTypes::system_table).of(root.name_of(place, found)),
                          route.files->charset) +
             ", " + std::to_string(found.facts.size) + " bytes)";
    case Found::What::folder:
      return where + ": 301, a folder, to the same path with a slash";
    case Found::What::no_index:
      return where + ": 403, a folder without an index file";
    case Found::What::missing:
      return where + ": 404, " + (found.error == ENXIO ? "it is no regular file" : why);
    case Found::What::forbidden:
      return where + ": 403, " + why;
    case Found::What::outside:
      return where + ": 403, a symbolic link leads out of the folder";
    case Found::What::not_at_once:
    case Found::What::failed:
      break;
  }
  return where + ": 503, " + why;
}

}  // namespace trivet::source
