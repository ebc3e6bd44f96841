#include "runtime/plugin/library.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cstring>
#include <exception>

#include "runtime/plugin/call.hpp"
#include "runtime/plugin/private_copy.hpp"
#include "runtime/plugin/trust.hpp"

namespace trivet::plugin {

namespace {

using base::Error;
using base::ErrorCode;

Error rejected(std::string what) { return {ErrorCode::plugin_rejected, std::move(what)}; }

/// Up to its first role, an entry has to reach: less was never an ABI.
constexpr std::size_t smallest_entry = offsetof(trivet_plugin, responder);

template <class Table>
Table read_by_size(const Table& table) noexcept {
  Table known{};
  std::memcpy(&known, &table, table.size < sizeof(Table) ? table.size : sizeof(Table));
  known.size = sizeof(Table);
  return known;
}

/// What the dynamic linker said, without what Boost.DLL wraps around it, and with the file's own name instead
/// of the copy's.
std::string linker_text(std::string what, const std::string& copy) {
  constexpr std::string_view before = "dlerror system message: ";
  if (const std::size_t at = what.find(before); at != std::string::npos) {
    what.erase(0, at + before.size());
    if (const std::size_t end = what.rfind("): "); end != std::string::npos) what.erase(end);
  }
  const std::string prefix = copy + ": ";
  if (what.starts_with(prefix)) what.erase(0, prefix.size());
  return what;
}

bool is_text(trivet_text text) noexcept { return text.len > 0 && text.len <= 256 && text.ptr != nullptr; }

/// Empty when each role that is offered has the hooks it needs.
std::string refuse_roles(const trivet_plugin& entry) {
  if (entry.responder == nullptr && entry.authorizer == nullptr && entry.filter == nullptr) {
    return "offers no role: its class needs handle, check or data";
  }
  if (entry.responder != nullptr) {
    const trivet_responder role = read_table(*entry.responder);
    const bool events = role.open != nullptr;
    if ((role.handle != nullptr) == events)
      return "is a responder with both handle and open, or neither: give one";
    if (events && role.close == nullptr) return "is a responder with open but without close: give both";
    if (!events && (role.body != nullptr || role.room != nullptr || role.close != nullptr)) {
      return "is a responder with handle and hooks of the other way to answer: leave body, room and close "
             "null";
    }
    if (events && role.body == nullptr && role.room == nullptr) {
      return "is a responder that is never called after open: give body or room";
    }
  }
  if (entry.authorizer != nullptr && read_table(*entry.authorizer).check == nullptr) {
    return "is an authorizer without check";
  }
  if (entry.filter != nullptr) {
    const trivet_filter role = read_table(*entry.filter);
    if (role.data == nullptr) return "is a filter without data";
    if ((role.open != nullptr) != (role.close != nullptr))
      return "is a filter with only one of open and close: give both or neither";
  }
  return {};
}

}  // namespace

trivet_responder read_table(const trivet_responder& table) noexcept { return read_by_size(table); }
trivet_authorizer read_table(const trivet_authorizer& table) noexcept { return read_by_size(table); }
trivet_filter read_table(const trivet_filter& table) noexcept { return read_by_size(table); }

base::Result<trivet_plugin> read_entry(const trivet_plugin& exported) {
  constexpr std::string_view cure = ": build it with trivet_add_plugin()";
  if (exported.magic != TRIVET_ABI_MAGIC) {
    return rejected("exports a " TRIVET_ENTRY_NAME " that is no Trivet plugin (wrong magic)" +
                    std::string(cure));
  }
  if (std::string refused = refuse_abi(exported.abi_major, exported.abi_minor); !refused.empty()) {
    return rejected(std::move(refused));
  }
  if (exported.size < smallest_entry) {
    return rejected("exports a " TRIVET_ENTRY_NAME " of only " + std::to_string(exported.size) + " bytes" +
                    std::string(cure));
  }
  trivet_plugin entry = read_by_size(exported);
  if (!is_text(entry.name) || !is_text(entry.version))
    return rejected("has no name or no version: give both");
  constexpr trivet_flags known_flags = TRIVET_NEVER_BLOCKS | TRIVET_SHARED_INSTANCE | TRIVET_WANTS_SHORT |
                                       TRIVET_EXCLUSIVE | TRIVET_PURE | TRIVET_ANY_ENCODING;
  if ((entry.flags & ~known_flags) != 0) {
    return rejected("has flags that this host does not know: rebuild it with this host's SDK");
  }
  if (std::string refused = refuse_roles(entry); !refused.empty()) return rejected(std::move(refused));
  return entry;
}

struct Library::Code {
  boost::dll::shared_library library;
};

Library::Library() = default;

Library::~Library() {
  code_.reset();
  if (is_ours_) unlink(copy_.c_str());
}

namespace {

base::Result<Copy> copy_of(const std::string& path, const std::string& cache_folder, const std::string& name,
                           uid_t owner) {
  const auto original = open_regular(path);
  if (!original) return original.error();
  if (std::string refused = refuse_writers(path, original.value().descriptor.get(), owner); !refused.empty())
    return rejected(std::move(refused));
  // Before the copy, so that nothing large that is no plugin is copied.
  const auto first_look = inspect(ElfFile::of(original.value().descriptor.get(), original.value().size));
  if (!first_look) return first_look.error();
  return copy_private(original.value(), cache_folder, name);
}

}  // namespace

base::Result<std::unique_ptr<Library>> Library::load(const std::string& path, const std::string& cache_folder,
                                                     const std::string& name, uid_t owner) {
  auto copy = copy_of(path, cache_folder, name, owner);
  if (!copy) return copy.error();
  std::unique_ptr<Library> library(new Library());  // NOLINT: the constructor is private
  library->copy_ = std::move(copy->path);
  library->is_ours_ = true;
  if (const auto opened = library->open(copy->file); !opened) return opened.error();
  return library;
}

base::Result<std::string> Library::make_copy(const std::string& path, const std::string& cache_folder,
                                             const std::string& name, uid_t owner) {
  auto copy = copy_of(path, cache_folder, name, owner);
  if (!copy) return copy.error();
  return std::move(copy->path);
}

base::Result<std::unique_ptr<Library>> Library::load_copy(const std::string& path) {
  const auto file = open_regular(path);
  if (!file) return file.error();
  std::unique_ptr<Library> library(new Library());  // NOLINT: the constructor is private
  library->copy_ = path;
  if (const auto opened = library->open(file.value()); !opened) return opened.error();
  return library;
}

base::Result<> Library::open(const OpenFile& copy) {
  // The copy is what will run: the original may have been written to while it was copied.
  auto note = inspect(ElfFile::of(copy.descriptor.get(), copy.size));
  if (!note) return note.error();
  note_ = std::move(*note);

  namespace dll = boost::dll;
  code_ = std::make_unique<Code>();
  // Now, not lazily: a missing symbol shows here, not in the middle of a request. Local: plugins do not see
  // each other. Never unloaded (see the class).
  const auto mode = static_cast<dll::load_mode::type>(dll::load_mode::rtld_now | dll::load_mode::rtld_local |
                                                      RTLD_NODELETE);
  try {
    code_->library.load(std::filesystem::path(copy_),
                        mode);  // The throwing form: only it carries the linker's text.
  } catch (const std::exception& error) {
    return rejected("cannot be loaded: " + linker_text(error.what(), copy_) +
                    ": link what it misses, or rebuild it for this system");
  }
  if (!code_->library.has(TRIVET_ENTRY_NAME)) {
    return rejected("does not export " TRIVET_ENTRY_NAME
                    ": name its class in TRIVET_PLUGIN() and build it with "
                    "trivet_add_plugin()");
  }
  return shake_hands();
}

base::Result<> Library::shake_hands() {
  auto entry = read_entry(code_->library.get<const trivet_plugin>(TRIVET_ENTRY_NAME));
  if (!entry) return entry.error();
  entry_ = *entry;
  Note told = note_;
  told.name = view(entry_.name);
  told.version = view(entry_.version);
  told.abi_major = entry_.abi_major;
  told.abi_minor = entry_.abi_minor;
  told.responder = entry_.responder != nullptr;
  told.authorizer = entry_.authorizer != nullptr;
  told.filter = entry_.filter != nullptr;
  told.never_blocks = (entry_.flags & TRIVET_NEVER_BLOCKS) != 0;
  told.shared_instance = (entry_.flags & TRIVET_SHARED_INSTANCE) != 0;
  told.wants_short = (entry_.flags & TRIVET_WANTS_SHORT) != 0;
  told.exclusive = (entry_.flags & TRIVET_EXCLUSIVE) != 0;
  told.pure = (entry_.flags & TRIVET_PURE) != 0;
  told.any_encoding = (entry_.flags & TRIVET_ANY_ENCODING) != 0;
  if (told == note_) return base::success();
  if (told.name != note_.name || told.version != note_.version) {
    return rejected("calls itself " + told.name + " " + told.version + ", but its note says " + note_.name +
                    " " + note_.version + ": build it again, all of it");
  }
  return rejected(
      "has a note that says something else about its ABI, roles or flags: build it again, all of it");
}

}  // namespace trivet::plugin
