#include <gtest/gtest.h>
#include <trivet/abi.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

extern "C" const trivet_plugin* trivet_c_plugin(void);

namespace {

// The layout of ABI 0.1 on 64-bit machines, fixed by hand. A line here is never edited: a new version appends
// lines.
static_assert(offsetof(trivet_text, ptr) == 0);
static_assert(offsetof(trivet_text, len) == 8);
static_assert(sizeof(trivet_text) == 16);

static_assert(offsetof(trivet_param, name) == 0);
static_assert(offsetof(trivet_param, value) == 16);
static_assert(sizeof(trivet_param) == 32);

static_assert(offsetof(trivet_value, type) == 0);
static_assert(offsetof(trivet_value, boolean) == 4);
static_assert(offsetof(trivet_value, integer) == 8);
static_assert(offsetof(trivet_value, real) == 16);
static_assert(offsetof(trivet_value, text) == 24);
static_assert(offsetof(trivet_value, count) == 40);
static_assert(sizeof(trivet_value) == 48);

static_assert(offsetof(trivet_request_info, size) == 0);
static_assert(offsetof(trivet_request_info, role) == 4);
static_assert(offsetof(trivet_request_info, number) == 8);
static_assert(offsetof(trivet_request_info, content_length) == 16);
static_assert(offsetof(trivet_request_info, data_length) == 24);
static_assert(offsetof(trivet_request_info, route) == 32);
static_assert(offsetof(trivet_request_info, id) == 48);
static_assert(offsetof(trivet_request_info, phase) == 64);
static_assert(offsetof(trivet_request_info, reserved) == 68);
static_assert(sizeof(trivet_request_info) == 72);

static_assert(offsetof(trivet_host, size) == 0);
static_assert(offsetof(trivet_host, abi_major) == 4);
static_assert(offsetof(trivet_host, abi_minor) == 6);
static_assert(offsetof(trivet_host, setting) == 8);
static_assert(offsetof(trivet_host, setting_key) == 16);
static_assert(offsetof(trivet_host, setting_error) == 24);
static_assert(offsetof(trivet_host, info) == 32);
static_assert(offsetof(trivet_host, param) == 40);
static_assert(offsetof(trivet_host, params) == 48);
static_assert(offsetof(trivet_host, read) == 56);
static_assert(offsetof(trivet_host, cancelled) == 64);
static_assert(offsetof(trivet_host, set_status) == 72);
static_assert(offsetof(trivet_host, add_header) == 80);
static_assert(offsetof(trivet_host, set_header) == 88);
static_assert(offsetof(trivet_host, remove_header) == 96);
static_assert(offsetof(trivet_host, get_status) == 104);
static_assert(offsetof(trivet_host, get_header) == 112);
static_assert(offsetof(trivet_host, write) == 120);
static_assert(offsetof(trivet_host, flush) == 128);
static_assert(offsetof(trivet_host, allow) == 136);
static_assert(offsetof(trivet_host, set_variable) == 144);
static_assert(offsetof(trivet_host, deny) == 152);
static_assert(offsetof(trivet_host, fail) == 160);
static_assert(offsetof(trivet_host, log) == 168);
static_assert(sizeof(trivet_host) >= 176);  // 0.1

static_assert(offsetof(trivet_responder, size) == 0);
static_assert(offsetof(trivet_responder, handle) == 8);
static_assert(offsetof(trivet_responder, open) == 16);
static_assert(offsetof(trivet_responder, body) == 24);
static_assert(offsetof(trivet_responder, room) == 32);
static_assert(offsetof(trivet_responder, close) == 40);
static_assert(sizeof(trivet_responder) == 48);

static_assert(offsetof(trivet_authorizer, size) == 0);
static_assert(offsetof(trivet_authorizer, check) == 8);
static_assert(sizeof(trivet_authorizer) == 16);

static_assert(offsetof(trivet_filter, size) == 0);
static_assert(offsetof(trivet_filter, open) == 8);
static_assert(offsetof(trivet_filter, body) == 16);
static_assert(offsetof(trivet_filter, data) == 24);
static_assert(offsetof(trivet_filter, close) == 32);
static_assert(sizeof(trivet_filter) == 40);

static_assert(offsetof(trivet_plugin, magic) == 0);
static_assert(offsetof(trivet_plugin, size) == 4);
static_assert(offsetof(trivet_plugin, abi_major) == 8);
static_assert(offsetof(trivet_plugin, abi_minor) == 10);
static_assert(offsetof(trivet_plugin, flags) == 12);
static_assert(offsetof(trivet_plugin, name) == 16);
static_assert(offsetof(trivet_plugin, version) == 32);
static_assert(offsetof(trivet_plugin, create) == 48);
static_assert(offsetof(trivet_plugin, destroy) == 56);
static_assert(offsetof(trivet_plugin, responder) == 64);
static_assert(offsetof(trivet_plugin, authorizer) == 72);
static_assert(offsetof(trivet_plugin, filter) == 80);
static_assert(sizeof(trivet_plugin) == 88);

// What 0.2 appended.
static_assert(offsetof(trivet_host, zones) == 176);
static_assert(sizeof(trivet_host) >= 184);

// What 0.3 appended.
static_assert(offsetof(trivet_host, cache_for) == 184);
static_assert(offsetof(trivet_host, pass) == 192);
static_assert(sizeof(trivet_host) == 200);

static_assert(offsetof(trivet_zone_info, size) == 0);
static_assert(offsetof(trivet_zone_info, key_bytes) == 4);
static_assert(offsetof(trivet_zone_info, value_bytes) == 8);
static_assert(offsetof(trivet_zone_info, counters) == 12);
static_assert(offsetof(trivet_zone_info, entries) == 16);
static_assert(sizeof(trivet_zone_info) == 24);

static_assert(offsetof(trivet_zones, size) == 0);
static_assert(offsetof(trivet_zones, reserved) == 4);
static_assert(offsetof(trivet_zones, open) == 8);
static_assert(offsetof(trivet_zones, info) == 16);
static_assert(offsetof(trivet_zones, now) == 24);
static_assert(offsetof(trivet_zones, get) == 32);
static_assert(offsetof(trivet_zones, put) == 40);
static_assert(offsetof(trivet_zones, add) == 48);
static_assert(offsetof(trivet_zones, remove) == 56);
static_assert(offsetof(trivet_zones, counter) == 64);
static_assert(offsetof(trivet_zones, counter_add) == 72);
static_assert(sizeof(trivet_zones) == 80);

// Who gets what: a changed signature is as fatal as a moved member.
using Host = trivet_host;
using std::is_same_v;
static_assert(is_same_v<decltype(Host::setting),
                        trivet_status (*)(const trivet_settings*, trivet_text, trivet_value*)>);
static_assert(is_same_v<decltype(Host::setting_key),
                        trivet_status (*)(const trivet_settings*, trivet_text, std::uint64_t, trivet_text*)>);
static_assert(
    is_same_v<decltype(Host::setting_error), void (*)(const trivet_settings*, trivet_text, trivet_text)>);
static_assert(is_same_v<decltype(Host::info), trivet_status (*)(trivet_request*, trivet_request_info*)>);
static_assert(
    is_same_v<decltype(Host::param), trivet_status (*)(trivet_request*, trivet_text, trivet_text*)>);
static_assert(is_same_v<decltype(Host::params),
                        trivet_status (*)(trivet_request*, const trivet_param**, std::size_t*)>);
static_assert(is_same_v<decltype(Host::read), trivet_status (*)(trivet_request*, trivet_text*, trivet_end*)>);
static_assert(is_same_v<decltype(Host::cancelled), std::uint32_t (*)(trivet_request*)>);
static_assert(is_same_v<decltype(Host::set_status), trivet_status (*)(trivet_request*, std::uint32_t)>);
static_assert(
    is_same_v<decltype(Host::add_header), trivet_status (*)(trivet_request*, trivet_text, trivet_text)>);
static_assert(
    is_same_v<decltype(Host::set_header), trivet_status (*)(trivet_request*, trivet_text, trivet_text)>);
static_assert(is_same_v<decltype(Host::remove_header), trivet_status (*)(trivet_request*, trivet_text)>);
static_assert(is_same_v<decltype(Host::get_status), trivet_status (*)(trivet_request*, std::uint32_t*)>);
static_assert(
    is_same_v<decltype(Host::get_header), trivet_status (*)(trivet_request*, trivet_text, trivet_text*)>);
static_assert(is_same_v<decltype(Host::write), trivet_status (*)(trivet_request*, const void*, std::size_t)>);
static_assert(is_same_v<decltype(Host::flush), trivet_status (*)(trivet_request*)>);
static_assert(is_same_v<decltype(Host::allow), trivet_status (*)(trivet_request*)>);
static_assert(
    is_same_v<decltype(Host::set_variable), trivet_status (*)(trivet_request*, trivet_text, trivet_text)>);
static_assert(
    is_same_v<decltype(Host::deny), trivet_status (*)(trivet_request*, std::uint32_t, trivet_text)>);
static_assert(is_same_v<decltype(Host::fail), void (*)(trivet_request*, trivet_text)>);
static_assert(is_same_v<decltype(Host::log), void (*)(trivet_request*, trivet_level, trivet_text)>);

static_assert(is_same_v<decltype(Host::zones), const trivet_zones*>);

using Zones = trivet_zones;
static_assert(is_same_v<decltype(Zones::open),
                        trivet_status (*)(const trivet_settings*, trivet_text, trivet_text, trivet_zone**)>);
static_assert(is_same_v<decltype(Zones::info), trivet_status (*)(const trivet_zone*, trivet_zone_info*)>);
static_assert(is_same_v<decltype(Zones::now), std::uint64_t (*)(const trivet_zone*)>);
static_assert(is_same_v<decltype(Zones::get), trivet_status (*)(trivet_zone*, trivet_text, void*, std::size_t,
                                                                std::size_t*, std::uint64_t*)>);
static_assert(
    is_same_v<decltype(Zones::put), trivet_status (*)(trivet_zone*, trivet_text, trivet_text, std::uint64_t,
                                                      std::uint64_t, trivet_zone_full)>);
static_assert(
    is_same_v<decltype(Zones::add), trivet_status (*)(trivet_zone*, trivet_text, std::int64_t, std::uint64_t,
                                                      trivet_zone_full, std::int64_t*)>);
static_assert(
    is_same_v<decltype(Zones::remove), trivet_status (*)(trivet_zone*, trivet_text, std::uint64_t)>);
static_assert(
    is_same_v<decltype(Zones::counter), trivet_status (*)(trivet_zone*, trivet_text, trivet_counter**)>);
static_assert(is_same_v<decltype(Zones::counter_add), std::int64_t (*)(trivet_counter*, std::int64_t)>);
static_assert(TRIVET_ZONE_ANY == UINT64_MAX && TRIVET_ZONE_EVICT == 0 && TRIVET_ZONE_REFUSE == 1);

using Chunk = trivet_status (*)(void*, trivet_request*, void*, trivet_text, trivet_end);
using Call = trivet_status (*)(void*, trivet_request*);
using Open = trivet_status (*)(void*, trivet_request*, void**);
using Close = void (*)(void*, trivet_request*, void*);
static_assert(is_same_v<decltype(trivet_responder::handle), Call>);
static_assert(is_same_v<decltype(trivet_responder::open), Open>);
static_assert(is_same_v<decltype(trivet_responder::body), Chunk>);
static_assert(is_same_v<decltype(trivet_responder::room),
                        trivet_status (*)(void*, trivet_request*, void*, std::uint32_t*)>);
static_assert(is_same_v<decltype(trivet_responder::close), Close>);
static_assert(is_same_v<decltype(trivet_authorizer::check), Call>);
static_assert(is_same_v<decltype(trivet_filter::open), Open>);
static_assert(is_same_v<decltype(trivet_filter::body), Chunk>);
static_assert(is_same_v<decltype(trivet_filter::data), Chunk>);
static_assert(is_same_v<decltype(trivet_filter::close), Close>);
static_assert(is_same_v<decltype(trivet_plugin::create),
                        trivet_status (*)(const trivet_host*, const trivet_settings*, void**)>);
static_assert(is_same_v<decltype(trivet_plugin::destroy), void (*)(void*)>);

// Values travel too.
static_assert(TRIVET_ABI_MAGIC == 0x54525654 && TRIVET_NOTE_TYPE == 0x54520001);
static_assert(TRIVET_OK == 0 && TRIVET_E_ABSENT == -1 && TRIVET_E_CANCELLED == -2 && TRIVET_E_ARGUMENT == -3);
static_assert(TRIVET_E_STATE == -4 && TRIVET_E_LIMIT == -5 && TRIVET_E_FAILED == -6);
static_assert(TRIVET_PHASE_NONE == 0 && TRIVET_PHASE_ACCESS_CHECKER == 1 && TRIVET_PHASE_AUTHENTICATOR == 2 &&
              TRIVET_PHASE_AUTHORIZER == 3);
static_assert(TRIVET_ROLE_RESPONDER == 1 && TRIVET_ROLE_AUTHORIZER == 2 && TRIVET_ROLE_FILTER == 3);
static_assert(TRIVET_END_NOT_YET == 0 && TRIVET_END_COMPLETE == 1 && TRIVET_END_SHORT == 2 &&
              TRIVET_END_LONG == 3);
static_assert(TRIVET_LEVEL_DEBUG == 1 && TRIVET_LEVEL_INFO == 2 && TRIVET_LEVEL_WARN == 3 &&
              TRIVET_LEVEL_ERROR == 4);
static_assert(TRIVET_TYPE_TEXT == 1 && TRIVET_TYPE_INTEGER == 2 && TRIVET_TYPE_REAL == 3);
static_assert(TRIVET_TYPE_BOOLEAN == 4 && TRIVET_TYPE_LIST == 5 && TRIVET_TYPE_TABLE == 6);
static_assert(TRIVET_NEVER_BLOCKS == 1 && TRIVET_SHARED_INSTANCE == 2 && TRIVET_WANTS_SHORT == 4);

TEST(Abi, ReadsTheSameInCAndInCpp) {
  const trivet_plugin& plugin = *trivet_c_plugin();
  EXPECT_EQ(plugin.size, sizeof(trivet_plugin));
  EXPECT_EQ(std::string_view(plugin.name.ptr, plugin.name.len), "c");
  EXPECT_EQ(plugin.authorizer->size, sizeof(trivet_authorizer));
  EXPECT_EQ(plugin.responder, nullptr);
}

}  // namespace
