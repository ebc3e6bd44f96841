#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/config/config.hpp"
#include "runtime/log/seldom.hpp"
#include "runtime/roles/source.hpp"
#include "runtime/source/disk.hpp"
#include "runtime/source/file_place.hpp"
#include "runtime/source/file_root.hpp"
#include "runtime/source/media_types.hpp"

namespace trivet::source {

/// `respond = { files = ... }`: the files below a folder, or one file, as a web server serves them.
///
/// Thread    [loop].
/// Lifetime  Outlives its requests; `disk` outlives it.
class Files final : public roles::Source {
 public:
  /// `route` has `files`.
  Files(const config::Route& route, Disk& disk, std::shared_ptr<const MediaTypes> types);

  /// Whether the root is there. [startup]
  [[nodiscard]] base::Result<> probe() const { return root_.probe(); }

  [[nodiscard]] std::unique_ptr<roles::Stage> open(roles::StageSink& sink,
                                                   const roles::CallFacts& facts) override;

 private:
  friend class FileStage;

  /// The media type with its charset.
  [[nodiscard]] std::string type_of(std::string_view name) const;
  /// Letters and digits that nobody can have put into a file.
  [[nodiscard]] std::string make_boundary();

  FilePlace place_;
  FileRoot root_;
  std::string charset_;
  std::shared_ptr<const MediaTypes> types_;
  Disk::Share share_;
  std::optional<std::uint64_t> local_device_;  ///< Where files that are in memory are opened on the loop.
  log::Seldom told_;
  std::array<std::uint64_t, 2> secret_;
  std::uint64_t boundaries_ = 0;
};

/// What `files` would answer with for the path, for people: the file and its type, or why there is none.
[[nodiscard]] std::string explain_file(const config::Route& route, const cgi::RequestPath* path);

}  // namespace trivet::source
