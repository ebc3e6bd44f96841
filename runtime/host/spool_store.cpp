#include "runtime/host/spool_store.hpp"

#include "runtime/io/unlinked_file.hpp"

namespace trivet::host {
namespace {

class File final : public roles::SpoolFile {
 public:
  explicit File(io::UnlinkedFile file) : file_(std::move(file)) {}
  base::Result<> append(base::Bytes bytes) override { return file_.append(bytes); }
  base::Result<std::size_t> read(std::span<std::uint8_t> into) override { return file_.read(into); }

 private:
  io::UnlinkedFile file_;
};

}  // namespace

base::Result<> SpoolFolder::probe() {
  auto made = io::UnlinkedFile::create(folder_);
  if (!made) return made.error();
  return base::success();
}

base::Result<std::unique_ptr<roles::SpoolFile>> SpoolFolder::create() {
  auto made = io::UnlinkedFile::create(folder_);
  if (!made) return made.error();
  return std::unique_ptr<roles::SpoolFile>(std::make_unique<File>(std::move(made).value()));
}

bool SpoolFolder::reserve(std::size_t n) noexcept {
  if (n > left_) return false;
  left_ -= n;
  return true;
}

void SpoolFolder::give_back(std::size_t n) noexcept { left_ += n; }

}  // namespace trivet::host
