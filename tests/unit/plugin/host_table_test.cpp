#include "runtime/plugin/host_table.hpp"

#include <gtest/gtest.h>

#include <new>
#include <string>

#include "runtime/config/config.hpp"
#include "runtime/log/memory_log.hpp"
#include "runtime/plugin/call.hpp"
#include "runtime/plugin/current.hpp"
#include "runtime/plugin/settings.hpp"

namespace trivet::plugin {
namespace {

/// Remembers what was forwarded; `fails` makes every member throw.
class RecordingCall final : public Call {
 public:
  enum class Fails { no, no_memory, other };
  Fails fails = Fails::no;
  std::string last;

  trivet_status info(trivet_request_info& info) override {
    info.number = 7;
    info.id = text("id");
    return did("info");
  }
  trivet_status param(std::string_view name, trivet_text& value) override {
    value = text("value");
    return did("param " + std::string(name));
  }
  trivet_status params(const trivet_param*&, std::size_t& count) override {
    count = 3;
    return did("params");
  }
  trivet_status read(trivet_text& chunk, trivet_end&) override {
    chunk = text("chunk");
    return did("read");
  }
  [[nodiscard]] bool cancelled() const noexcept override { return true; }
  trivet_status set_status(std::uint32_t status) override {
    return did("set_status " + std::to_string(status));
  }
  trivet_status add_header(std::string_view n, std::string_view v) override {
    return did("add_header " + pair(n, v));
  }
  trivet_status set_header(std::string_view n, std::string_view v) override {
    return did("set_header " + pair(n, v));
  }
  trivet_status remove_header(std::string_view name) override {
    return did("remove_header " + std::string(name));
  }
  trivet_status get_status(std::uint32_t& status) override {
    status = 404;
    return did("get_status");
  }
  trivet_status get_header(std::string_view name, trivet_text& value) override {
    value = text("held");
    return did("get_header " + std::string(name));
  }
  trivet_status write(std::string_view bytes) override { return did("write " + std::string(bytes)); }
  trivet_status flush() override { return did("flush"); }
  trivet_status allow() override { return did("allow"); }
  trivet_status set_variable(std::string_view n, std::string_view v) override {
    return did("set_variable " + pair(n, v));
  }
  trivet_status deny(std::uint32_t status, std::string_view reason) override {
    return did("deny " + std::to_string(status) + " " + std::string(reason));
  }
  trivet_status cache_for(std::uint64_t lifetime) override {
    return did("cache_for " + std::to_string(lifetime));
  }
  trivet_status pass() override { return did("pass"); }
  void fail(std::string_view what) override { did("fail " + std::string(what)); }
  void log(trivet_level level, std::string_view line) override {
    did("log " + std::to_string(level) + " " + std::string(line));
  }

 private:
  static std::string pair(std::string_view n, std::string_view v) {
    return std::string(n) + "=" + std::string(v);
  }
  trivet_status did(std::string what) {
    if (fails == Fails::no_memory) throw std::bad_alloc();
    if (fails == Fails::other) throw 1;
    last = std::move(what);
    return TRIVET_OK;
  }
};

const trivet_host& host = host_table();
constexpr trivet_text broken{nullptr, 3};
const trivet_text huge{"x", ~std::size_t{0}};

/// One function of the table, with arguments that are right.
struct Function {
  const char* forwarded;
  trivet_status (*call)(trivet_request*);
};

trivet_status call_info(trivet_request* r) {
  trivet_request_info info{};
  info.size = sizeof info;
  return host.info(r, &info);
}
trivet_status call_param(trivet_request* r) {
  trivet_text value{};
  return host.param(r, text("N"), &value);
}
trivet_status call_params(trivet_request* r) {
  const trivet_param* first = nullptr;
  std::size_t count = 0;
  return host.params(r, &first, &count);
}
trivet_status call_read(trivet_request* r) {
  trivet_text chunk{};
  trivet_end end{};
  return host.read(r, &chunk, &end);
}
trivet_status call_get_status(trivet_request* r) {
  std::uint32_t status = 0;
  return host.get_status(r, &status);
}
trivet_status call_get_header(trivet_request* r) {
  trivet_text value{};
  return host.get_header(r, text("N"), &value);
}

constexpr Function functions[] = {
    {"info", call_info},
    {"param N", call_param},
    {"params", call_params},
    {"read", call_read},
    {"set_status 201", [](trivet_request* r) { return host.set_status(r, 201); }},
    {"add_header N=V", [](trivet_request* r) { return host.add_header(r, text("N"), text("V")); }},
    {"set_header N=V", [](trivet_request* r) { return host.set_header(r, text("N"), text("V")); }},
    {"remove_header N", [](trivet_request* r) { return host.remove_header(r, text("N")); }},
    {"get_status", call_get_status},
    {"get_header N", call_get_header},
    {"write bytes", [](trivet_request* r) { return host.write(r, "bytes", 5); }},
    {"flush", [](trivet_request* r) { return host.flush(r); }},
    {"allow", [](trivet_request* r) { return host.allow(r); }},
    {"set_variable N=V", [](trivet_request* r) { return host.set_variable(r, text("N"), text("V")); }},
    {"deny 403 why", [](trivet_request* r) { return host.deny(r, 403, text("why")); }},
    {"cache_for 5", [](trivet_request* r) { return host.cache_for(r, 5); }},
    {"pass", [](trivet_request* r) { return host.pass(r); }},
};

class HostTable : public testing::TestWithParam<Function> {
 protected:
  RecordingCall call_;
};

TEST_P(HostTable, ForwardsToTheRequest) {
  EXPECT_EQ(GetParam().call(call_.handle()), TRIVET_OK);
  EXPECT_EQ(call_.last, GetParam().forwarded);
}

TEST_P(HostTable, RefusesANullRequest) { EXPECT_EQ(GetParam().call(nullptr), TRIVET_E_ARGUMENT); }

TEST_P(HostTable, LetsNothingBeThrownIntoAPlugin) {
  call_.fails = RecordingCall::Fails::no_memory;
  EXPECT_EQ(GetParam().call(call_.handle()), TRIVET_E_LIMIT);
  call_.fails = RecordingCall::Fails::other;
  EXPECT_EQ(GetParam().call(call_.handle()), TRIVET_E_FAILED);
}

INSTANTIATE_TEST_SUITE_P(Functions, HostTable, testing::ValuesIn(functions), [](const auto& test) {
  const std::string what = test.param.forwarded;
  return what.substr(0, what.find(' '));
});

TEST(HostTableArguments, TextsWithoutBytesAreRefused) {
  RecordingCall call;
  trivet_request* const r = call.handle();
  trivet_text value{};
  for (const trivet_text bad : {broken, huge}) {
    EXPECT_EQ(host.param(r, bad, &value), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.add_header(r, bad, text("v")), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.add_header(r, text("n"), bad), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.set_header(r, bad, text("v")), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.set_header(r, text("n"), bad), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.remove_header(r, bad), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.get_header(r, bad, &value), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.write(r, bad.ptr, bad.len), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.set_variable(r, bad, text("v")), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.set_variable(r, text("n"), bad), TRIVET_E_ARGUMENT);
    EXPECT_EQ(host.deny(r, 403, bad), TRIVET_E_ARGUMENT);
    host.fail(r, bad);
    host.log(r, TRIVET_LEVEL_INFO, bad);
    host.log(nullptr, TRIVET_LEVEL_INFO, bad);
  }
  EXPECT_EQ(call.last, "");
}

TEST(HostTableArguments, PlacesForResultsAreNeeded) {
  RecordingCall call;
  trivet_request* const r = call.handle();
  const trivet_param* first = nullptr;
  std::size_t count = 0;
  trivet_text chunk{};
  trivet_end end{};
  EXPECT_EQ(host.info(r, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.param(r, text("n"), nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.params(r, nullptr, &count), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.params(r, &first, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.read(r, nullptr, &end), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.read(r, &chunk, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.get_status(r, nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.get_header(r, text("n"), nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(call.last, "");
}

TEST(HostTableArguments, EmptyTextsMayComeWithoutAPointer) {
  RecordingCall call;
  EXPECT_EQ(host.set_header(call.handle(), text("n"), {}), TRIVET_OK);
  EXPECT_EQ(call.last, "set_header n=");
  EXPECT_EQ(host.write(call.handle(), nullptr, 0), TRIVET_OK);
}

TEST(HostTableInfo, FillsNoMoreThanThePluginKnows) {
  RecordingCall call;
  trivet_request_info info{};
  info.size = offsetof(trivet_request_info, route);
  info.id = text("untouched");
  EXPECT_EQ(host.info(call.handle(), &info), TRIVET_OK);
  EXPECT_EQ(info.number, 7U);
  EXPECT_EQ(view(info.id), "untouched");
  EXPECT_EQ(info.size, offsetof(trivet_request_info, route));
  info.size = 4;
  EXPECT_EQ(host.info(call.handle(), &info), TRIVET_E_ARGUMENT);
}

TEST(HostTableInfo, FillsWhatItKnowsForALaterPlugin) {
  struct Later {
    trivet_request_info info;
    std::uint64_t more;
  } later{};
  later.info.size = sizeof later;
  later.more = 5;
  RecordingCall call;
  EXPECT_EQ(host.info(call.handle(), &later.info), TRIVET_OK);
  EXPECT_EQ(view(later.info.id), "id");
  EXPECT_EQ(later.more, 5U);
}

TEST(HostTableTelling, ForwardsFailuresAndLines) {
  RecordingCall call;
  host.fail(call.handle(), text("why"));
  EXPECT_EQ(call.last, "fail why");
  host.log(call.handle(), TRIVET_LEVEL_WARN, text("line"));
  EXPECT_EQ(call.last, "log 3 line");
  EXPECT_EQ(host.cancelled(call.handle()), 1U);
  EXPECT_EQ(host.cancelled(nullptr), 0U);
  host.fail(nullptr, text("why"));
  call.fails = RecordingCall::Fails::other;
  host.fail(call.handle(), text("why"));
  host.log(call.handle(), TRIVET_LEVEL_WARN, text("line"));
}

TEST(HostTableTelling, LinesWithoutARequestBelongToThePluginThatRunsHere) {
  log::MemoryLog log;
  const Current outer{"outer", &log};
  const Current inner{"inner", &log};
  const std::uint64_t before = ownerless_lines();
  host.log(nullptr, TRIVET_LEVEL_INFO, text("nobody's"));
  EXPECT_EQ(ownerless_lines(), before + 1);
  {
    const CurrentScope first(outer);
    host.log(nullptr, TRIVET_LEVEL_INFO, text("one"));
    {
      const CurrentScope second(inner);
      host.log(nullptr, TRIVET_LEVEL_DEBUG, text("two"));
    }
    host.log(nullptr, 99, text("three"));
  }
  host.log(nullptr, TRIVET_LEVEL_INFO, text("nobody's"));
  EXPECT_EQ(ownerless_lines(), before + 2);
  EXPECT_EQ(log.lines().size(), 3U);
  EXPECT_TRUE(log.contains("plugin=outer text=one"));
  EXPECT_TRUE(log.contains("plugin=inner text=two"));
  EXPECT_TRUE(log.contains("plugin=outer text=three"));
}

TEST(HostTableSettings, CheckWhatAPluginPasses) {
  config::Plugin plugin;
  plugin.name = "it";
  plugin.settings["key"] = {std::string("value"), {}};
  SettingsReader reader(plugin);
  trivet_value value{};
  trivet_text key{};
  EXPECT_EQ(host.setting(reader.handle(), text("key"), &value), TRIVET_OK);
  EXPECT_EQ(view(value.text), "value");
  EXPECT_EQ(host.setting_key(reader.handle(), {}, 0, &key), TRIVET_OK);
  EXPECT_EQ(view(key), "key");
  EXPECT_EQ(host.setting(nullptr, text("key"), &value), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.setting(reader.handle(), broken, &value), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.setting(reader.handle(), text("key"), nullptr), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.setting_key(nullptr, {}, 0, &key), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.setting_key(reader.handle(), broken, 0, &key), TRIVET_E_ARGUMENT);
  EXPECT_EQ(host.setting_key(reader.handle(), {}, 0, nullptr), TRIVET_E_ARGUMENT);
  host.setting_error(nullptr, {}, {});
  host.setting_error(reader.handle(), broken, {});
  EXPECT_TRUE(reader.errors().empty());
  host.setting_error(reader.handle(), text("key"), text("odd"));
  EXPECT_EQ(reader.errors().size(), 1U);
}

}  // namespace
}  // namespace trivet::plugin
