#include "runtime/plugin/library.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <string>

#include "runtime/config/config.hpp"
#include "runtime/log/memory_log.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/plugin.hpp"
#include "tests/unit/plugin/files.hpp"

namespace trivet::plugin {
namespace {

TEST(Library, LoadsAPluginFromACopyThatItRemoves) {
  const TemporaryFolder cache;
  {
    const auto library = Library::load(test_plugin("cplain"), cache.path(), "plain");
    ASSERT_TRUE(library.ok()) << library.error().message;
    const Library& loaded = *library.value();
    EXPECT_EQ(loaded.note().name, "cplain");
    EXPECT_EQ(view(loaded.entry().name), "cplain");
    EXPECT_EQ(loaded.entry().abi_minor, 1) << "as all of its kind it was built before this host";
    EXPECT_NE(loaded.entry().responder, nullptr);
    EXPECT_TRUE(loaded.copy().starts_with(cache / "plain-"));
    EXPECT_EQ(cache.entries(), 1U);
  }
  EXPECT_EQ(cache.entries(), 0U);
}

TEST(Library, RunsTheCopyWhateverHappensToTheFile) {
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  write_file(folder / "p.so", read_file(test_plugin("cplain")));
  const auto library = Library::load(folder / "p.so", cache.path(), "p");
  ASSERT_TRUE(library.ok()) << library.error().message;
  write_file(folder / "p.so", "");  // Truncated in place: mapped from there it would be a SIGBUS.
  EXPECT_EQ(view(library.value()->entry().version), "1.0.0");
}

TEST(Library, LoadsOneFileTwiceWithVariablesOfItsOwn) {
  const TemporaryFolder cache;
  const auto one = Library::load(test_plugin("cplain"), cache.path(), "p");
  const auto two = Library::load(test_plugin("cplain"), cache.path(), "p");
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one.value()->entry().responder, two.value()->entry().responder);
}

// --- what is refused ---

struct Refusal {
  const char* name;
  /// Gives the path of the file to load.
  std::function<std::string(const TemporaryFolder&)> make;
  const char* error;
};

std::function<std::string(const TemporaryFolder&)> fixture(const char* name) {
  return [name](const TemporaryFolder&) { return test_plugin(name); };
}

std::string with_text(const TemporaryFolder& folder, std::string_view text) {
  write_file(folder / "p.so", text);
  return folder / "p.so";
}

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, NamePluginFileAndCure) {
  const TemporaryFolder folder;
  const TemporaryFolder cache;
  log::MemoryLog log;
  config::Plugin config;
  config.name = "it";
  config.path = GetParam().make(folder);
  config.place = {"trivet.toml", 12, 3};
  const auto plugin = Plugin::start(config, cache.path(), log);
  ASSERT_FALSE(plugin.ok());
  EXPECT_EQ(plugin.error().code, base::ErrorCode::plugin_rejected);
  EXPECT_EQ(plugin.error().message,
            "trivet.toml:12:3: plugin \"it\" (" + config.path + "): " + std::string(GetParam().error));
  EXPECT_EQ(cache.entries(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Files, Refusals,
    testing::Values(
        Refusal{"Missing", [](const TemporaryFolder& f) { return f / "none.so"; },
                "cannot be opened: No such file or directory: install the plugin there, or correct `file`"},
        Refusal{"Folder", [](const TemporaryFolder& f) { return f.path(); },
                "is a folder: name the plugin's file in `file`"},
        Refusal{"Fifo",
                [](const TemporaryFolder& f) {
                  EXPECT_EQ(mkfifo((f / "p.so").c_str(), 0600), 0);
                  return f / "p.so";
                },
                "is no regular file: name the plugin's file in `file`"},
        Refusal{"Device", [](const TemporaryFolder&) { return std::string("/dev/null"); },
                "is no regular file: name the plugin's file in `file`"},
        Refusal{"Empty", [](const TemporaryFolder& f) { return with_text(f, ""); },
                "is empty: copy the file again"},
        Refusal{"Text",
                [](const TemporaryFolder& f) { return with_text(f, "#include <trivet/plugin.hpp>\n"); },
                "is no ELF file: a plugin is a shared object, built with trivet_add_plugin()"},
        Refusal{"Truncated",
                [](const TemporaryFolder& f) {
                  auto bytes = read_file(test_plugin("cplain"));
                  bytes.resize(bytes.size() / 2);
                  write_file(f / "p.so", bytes);
                  return f / "p.so";
                },
                "is cut off: copy the whole file again"},
        Refusal{"OtherMachine",
                [](const TemporaryFolder& f) {
                  auto bytes = read_file(test_plugin("cplain"));
                  bytes[18] = 183;  // EM_AARCH64
                  write_file(f / "p.so", bytes);
                  return f / "p.so";
                },
                "was built for 64-bit ARM64, this host is 64-bit x86-64: build it for this machine"},
        Refusal{"NoNote", fixture("no_note"),
                "is a shared object without a Trivet note: build it with trivet_add_plugin() and name its "
                "class in "
                "TRIVET_PLUGIN()"},
        Refusal{"OtherAbi", fixture("wrong_abi"),
                "was built for plugin ABI 7.2, this host speaks 0.3: rebuild it with this host's SDK"},
        Refusal{"Origin", fixture("origin"),
                "looks for libraries beside itself (RUNPATH $ORIGIN/lib), where its private copy has none: "
                "link them "
                "in, or install them where the system looks"},
        Refusal{"NoEntry", fixture("no_entry"),
                "does not export trivet_plugin_v0: name its class in TRIVET_PLUGIN() and build it with "
                "trivet_add_plugin()"},
        Refusal{"UndefinedSymbol", fixture("undefined_symbol"),
                "cannot be loaded: undefined symbol: trivet_nobody_has_this: link what it misses, or rebuild "
                "it for "
                "this system"},
        Refusal{"WrongMagic", fixture("wrong_magic"),
                "exports a trivet_plugin_v0 that is no Trivet plugin (wrong magic): build it with "
                "trivet_add_plugin()"},
        Refusal{"WrongName", fixture("wrong_name"),
                "calls itself other 1.0.0, but its note says cplain 1.0.0: build it again, all of it"},
        Refusal{
            "WrongFlags", fixture("wrong_flags"),
            "has a note that says something else about its ABI, roles or flags: build it again, all of it"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Library, ABrokenNoteIsNamed) {
  const TemporaryFolder cache;
  const auto library = Library::load(test_plugin("broken_note"), cache.path(), "p");
  ASSERT_FALSE(library.ok());
  EXPECT_TRUE(library.error().message.starts_with("carries a broken Trivet note (its JSON: "))
      << library.error().message;
}

// --- entries ---

trivet_status hook(void*, trivet_request*) { return TRIVET_OK; }
trivet_status open_hook(void*, trivet_request*, void**) { return TRIVET_OK; }
trivet_status chunk_hook(void*, trivet_request*, void*, trivet_text, trivet_end) { return TRIVET_OK; }
trivet_status room_hook(void*, trivet_request*, void*, std::uint32_t*) { return TRIVET_OK; }
void close_hook(void*, trivet_request*, void*) {}

struct Tables {
  trivet_responder responder{};
  trivet_authorizer authorizer{};
  trivet_filter filter{};
  trivet_plugin plugin{};

  Tables() {
    responder = {sizeof responder, nullptr, open_hook, chunk_hook, room_hook, close_hook};
    authorizer = {sizeof authorizer, hook};
    filter = {sizeof filter, open_hook, chunk_hook, chunk_hook, close_hook};
    plugin.magic = TRIVET_ABI_MAGIC;
    plugin.size = sizeof plugin;
    plugin.abi_major = TRIVET_ABI_MAJOR;
    plugin.abi_minor = TRIVET_ABI_MINOR;
    plugin.name = text("p");
    plugin.version = text("1");
    plugin.responder = &responder;
    plugin.authorizer = &authorizer;
    plugin.filter = &filter;
  }
};

TEST(Entry, OfAllRolesIsTaken) {
  const Tables tables;
  const auto entry = read_entry(tables.plugin);
  ASSERT_TRUE(entry.ok()) << entry.error().message;
  EXPECT_EQ(entry.value().filter, &tables.filter);
}

TEST(Entry, MembersBeyondItsSizeAreNull) {
  Tables tables;
  tables.plugin.size = offsetof(trivet_plugin, authorizer);
  const auto entry = read_entry(tables.plugin);
  ASSERT_TRUE(entry.ok()) << entry.error().message;
  EXPECT_NE(entry.value().responder, nullptr);
  EXPECT_EQ(entry.value().authorizer, nullptr);
  EXPECT_EQ(entry.value().filter, nullptr);
}

TEST(Entry, HooksBeyondTheSizeOfATableAreNull) {
  Tables tables;
  tables.responder.size = offsetof(trivet_responder, close);
  EXPECT_EQ(read_table(tables.responder).close, nullptr);
  EXPECT_NE(read_table(tables.responder).room, nullptr);
  tables.filter.size = 0;
  EXPECT_EQ(read_table(tables.filter).open, nullptr);
}

TEST(Entry, OfALaterAndLargerSizeIsReadAsFarAsItIsKnown) {
  Tables tables;
  tables.plugin.size += 64;
  tables.authorizer.size += 8;
  ASSERT_TRUE(read_entry(tables.plugin).ok());
  EXPECT_EQ(read_table(tables.authorizer).size, sizeof(trivet_authorizer));
}

struct EntryCase {
  const char* name;
  void (*spoil)(Tables&);
  const char* error;
};
class Entries : public testing::TestWithParam<EntryCase> {};

TEST_P(Entries, ThatDoNotFitTogetherAreRefused) {
  Tables tables;
  GetParam().spoil(tables);
  const auto entry = read_entry(tables.plugin);
  ASSERT_FALSE(entry.ok());
  EXPECT_EQ(entry.error().message, GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Each, Entries,
    testing::Values(
        EntryCase{"Magic", [](Tables& all) { all.plugin.magic = 0; },
                  "exports a trivet_plugin_v0 that is no Trivet plugin (wrong magic): build it with "
                  "trivet_add_plugin()"},
        EntryCase{"Major", [](Tables& all) { all.plugin.abi_major = 1; },
                  "was built for plugin ABI 1.3, this host speaks 0.3: rebuild it with this host's SDK"},
        EntryCase{"Minor", [](Tables& all) { all.plugin.abi_minor = 4; },
                  "was built for plugin ABI 0.4, this host speaks 0.3: rebuild it with this host's SDK"},
        EntryCase{"Size", [](Tables& all) { all.plugin.size = 16; },
                  "exports a trivet_plugin_v0 of only 16 bytes: build it with trivet_add_plugin()"},
        EntryCase{"NoName", [](Tables& all) { all.plugin.name = {}; },
                  "has no name or no version: give both"},
        EntryCase{"NoVersion", [](Tables& all) { all.plugin.version = {nullptr, 3}; },
                  "has no name or no version: give both"},
        EntryCase{"Flags", [](Tables& all) { all.plugin.flags = 1U << 31U; },
                  "has flags that this host does not know: rebuild it with this host's SDK"},
        EntryCase{"NoRole",
                  [](Tables& all) {
                    all.plugin.responder = nullptr, all.plugin.authorizer = nullptr,
                    all.plugin.filter = nullptr;
                  },
                  "offers no role: its class needs handle, check or data"},
        EntryCase{"BothWays", [](Tables& all) { all.responder.handle = hook; },
                  "is a responder with both handle and open, or neither: give one"},
        EntryCase{"NeitherWay", [](Tables& all) { all.responder.open = nullptr; },
                  "is a responder with both handle and open, or neither: give one"},
        EntryCase{"OpenWithoutClose", [](Tables& all) { all.responder.close = nullptr; },
                  "is a responder with open but without close: give both"},
        EntryCase{"HandleWithRoom",
                  [](Tables& all) {
                    all.responder.handle = hook, all.responder.open = nullptr, all.responder.close = nullptr;
                  },
                  "is a responder with handle and hooks of the other way to answer: leave body, room and "
                  "close null"},
        EntryCase{"OpenAlone",
                  [](Tables& all) { all.responder.body = nullptr, all.responder.room = nullptr; },
                  "is a responder that is never called after open: give body or room"},
        EntryCase{"NoCheck", [](Tables& all) { all.authorizer.check = nullptr; },
                  "is an authorizer without check"},
        EntryCase{"NoData", [](Tables& all) { all.filter.data = nullptr; }, "is a filter without data"},
        EntryCase{"FilterWithoutClose", [](Tables& all) { all.filter.close = nullptr; },
                  "is a filter with only one of open and close: give both or neither"},
        EntryCase{"FilterWithoutOpen", [](Tables& all) { all.filter.open = nullptr; },
                  "is a filter with only one of open and close: give both or neither"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace trivet::plugin
