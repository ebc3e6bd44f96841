// What ends a connection, and what does not: the direction of each type, ids, BEGIN_REQUEST.

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "runtime/protocol/demultiplexer.hpp"
#include "tests/unit/protocol/recorder.hpp"
#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using namespace std::literals;

constexpr std::string_view not_version_1 = "not FastCGI version 1";
constexpr std::string_view wrong_direction = "a record of a type that only an application sends";
constexpr std::string_view request_with_id_0 = "a record of a request with request id 0";
constexpr std::string_view begin_with_id_0 = "FCGI_BEGIN_REQUEST with request id 0";
constexpr std::string_view begin_of_other_length = "FCGI_BEGIN_REQUEST whose body is not 8 bytes";
constexpr std::string_view begin_twice = "FCGI_BEGIN_REQUEST for an active request id";

struct FatalCase {
  std::string_view name;
  std::string record;
  std::string_view failure;

  friend void PrintTo(const FatalCase& each, std::ostream* to) { *to << each.name; }
};

const FatalCase fatal_cases[] = {
    {"C11_Version0", "\0\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"s, not_version_1},
    {"C11_Version2", "\2\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"s, not_version_1},
    {"C11_Version255", "\xff", not_version_1},
    {"C11_AHttpClient", "GET / HTTP/1.0\r\n\r\n", not_version_1},
    {"C11_ATlsClient", "\x16\3\1\2\0\1\0\1"s, not_version_1},
    {"C15_AbortWithId0", wire::record(wire::abort_request, 0, ""), request_with_id_0},
    {"C15_ParamsWithId0", wire::record(wire::params, 0, "ab"), request_with_id_0},
    {"C15_BodyWithId0", wire::record(wire::standard_in, 0, ""), request_with_id_0},
    {"C15_DataWithId0", wire::record(wire::data, 0, "ab"), request_with_id_0},
    {"C15_BeginWithId0", wire::begin(0, wire::responder), begin_with_id_0},
    {"C18_BeginOfAnActiveId", wire::begin(1, wire::responder), begin_twice},
    {"C18_BeginOfAnActiveIdWithAnotherRole", wire::begin(1, wire::filter), begin_twice},
    {"C44_BeginOf0Bytes", wire::record(wire::begin_request, 2, ""), begin_of_other_length},
    {"C44_BeginOf7Bytes", wire::record(wire::begin_request, 2, "\0\1\0\0\0\0\0"sv), begin_of_other_length},
    {"C44_BeginOf9Bytes", wire::record(wire::begin_request, 2, "\0\1\0\0\0\0\0\0\0"sv),
     begin_of_other_length},
    {"C44_BeginOf65535Bytes", "\1\1\0\2\xff\xff\0\0"s, begin_of_other_length},
    {"C92_EndRequest", wire::end(1, 0, 0), wrong_direction},
    {"C92_EndRequestOfAnInactiveId", wire::end(2, 0, 0), wrong_direction},
    {"C92_StandardOut", wire::record(wire::standard_out, 1, "ab"), wrong_direction},
    {"C92_StandardError", wire::record(wire::standard_error, 1, ""), wrong_direction},
    {"C92_GetValuesResult", wire::record(wire::get_values_result, 0, ""), wrong_direction},
    {"C92_UnknownType", wire::record(wire::unknown_type, 0, std::string(8, '\0')), wrong_direction},
};

class FatalRecord : public testing::TestWithParam<FatalCase> {};

TEST_P(FatalRecord, EndsTheConnectionWithoutAnAnswer) {
  // What follows would begin a request and be answered, were it read.
  const std::string bytes = wire::begin(1, wire::responder) + GetParam().record +
                            wire::begin(9, wire::responder) + wire::record(wire::get_values, 0, "");
  EXPECT_EQ(however_cut(bytes),
            (Outcome{{"1 begin responder keep"}, "", std::string(GetParam().failure), 1, 0, false}));
}

/// What was complete before is known to be, so that its answer need not be lost with the connection.
TEST_P(FatalRecord, LeavesOpenWhatWasOpenAndTellsWhatWasComplete) {
  Recorder recorder;
  recorder.feed(wire::request(1, wire::authorizer) + wire::begin(7, wire::responder) + GetParam().record);
  EXPECT_EQ(recorder.outcome().failure, GetParam().failure);
  Demultiplexer& demultiplexer = recorder.demultiplexer();
  EXPECT_EQ(demultiplexer.open_requests(), 2U);
  EXPECT_TRUE(demultiplexer.input_complete(1));
  EXPECT_FALSE(demultiplexer.input_complete(7));
  EXPECT_FALSE(demultiplexer.input_complete(3)) << "never begun";
  EXPECT_EQ(demultiplexer.bytes_to_boundary(), 0U) << "nothing more is worth reading";
  recorder.release(1);
  recorder.release(7);
  EXPECT_EQ(demultiplexer.open_requests(), 0U);
  EXPECT_FALSE(demultiplexer.at_record_boundary()) << "a broken connection is never handed over";
}

INSTANTIATE_TEST_SUITE_P(Table, FatalRecord, testing::ValuesIn(fatal_cases),
                         [](const auto& each) { return std::string(each.param.name); });

/// Appendix A of the specification: each type and what comes of it with id 0, an open id and an inactive id.
enum class Comes : std::uint8_t { taken, answered, ignored, fatal };

struct DirectionCase {
  unsigned type;
  Comes with_id_0;
  Comes with_an_open_id;
  Comes with_an_inactive_id;
};

const DirectionCase direction_cases[] = {
    {0, Comes::answered, Comes::ignored, Comes::ignored},
    {wire::begin_request, Comes::fatal, Comes::fatal, Comes::fatal},  // without a body
    {wire::abort_request, Comes::fatal, Comes::taken, Comes::ignored},
    {wire::end_request, Comes::fatal, Comes::fatal, Comes::fatal},
    {wire::params, Comes::fatal, Comes::taken, Comes::ignored},
    {wire::standard_in, Comes::fatal, Comes::taken, Comes::ignored},  // taken as a violation
    {wire::standard_out, Comes::fatal, Comes::fatal, Comes::fatal},
    {wire::standard_error, Comes::fatal, Comes::fatal, Comes::fatal},
    {wire::data, Comes::fatal, Comes::taken, Comes::ignored},  // taken as a violation
    {wire::get_values, Comes::answered, Comes::ignored, Comes::ignored},
    {wire::get_values_result, Comes::fatal, Comes::fatal, Comes::fatal},
    {wire::unknown_type, Comes::fatal, Comes::fatal, Comes::fatal},
    {12, Comes::answered, Comes::ignored, Comes::ignored},
    {255, Comes::answered, Comes::ignored, Comes::ignored},
};

Comes what_comes_of(unsigned type, unsigned id) {
  const Outcome before = however_cut(wire::begin(1, wire::filter));
  const Outcome after = however_cut(wire::begin(1, wire::filter) + wire::record(type, id, ""));
  EXPECT_EQ((after.events.size() > before.events.size()) + !after.out.empty() + (after.ignored > 0) +
                !after.failure.empty(),
            1)
      << after;
  if (!after.failure.empty()) return Comes::fatal;
  if (!after.out.empty()) return Comes::answered;
  return after.ignored > 0 ? Comes::ignored : Comes::taken;
}

TEST(DirectionTable, C92_HoldsForEveryTypeAndKindOfId) {
  for (const DirectionCase& each : direction_cases) {
    SCOPED_TRACE(each.type);
    EXPECT_EQ(what_comes_of(each.type, 0), each.with_id_0);
    EXPECT_EQ(what_comes_of(each.type, 1), each.with_an_open_id);
    EXPECT_EQ(what_comes_of(each.type, 2), each.with_an_inactive_id);
  }
}

struct BeginCase {
  std::string_view name;
  std::string bytes;
  std::string event;

  friend void PrintTo(const BeginCase& each, std::ostream* to) { *to << each.name; }
};

const BeginCase begin_cases[] = {
    {"C30_KeepConnectionSet", wire::begin(1, wire::responder, 1), "1 begin responder keep"},
    {"C30_KeepConnectionNotSet", wire::begin(1, wire::responder, 0), "1 begin responder"},
    {"C32_UnknownFlagsWithKeepConnection", wire::begin(1, wire::filter, 0xff), "1 begin filter keep"},
    {"C32_UnknownFlagsWithoutKeepConnection", wire::begin(1, wire::authorizer, 0xfe), "1 begin authorizer"},
    {"C13_ReservedBytesAreIgnored",
     wire::record(wire::begin_request, 1, "\0\2\1\xff\xff\xff\xff\xff"sv, {"", 0xff}),
     "1 begin authorizer keep"},
    {"C12_PaddedBegin", wire::record(wire::begin_request, 1, "\0\1\1\0\0\0\0\0"sv, {std::string(255, '\1')}),
     "1 begin responder keep"},
    {"C19_Id256", wire::begin(256, wire::responder), "256 begin responder keep"},
    {"C19_Id32768", wire::begin(32768, wire::responder), "32768 begin responder keep"},
    {"C19_Id65535", wire::begin(65535, wire::responder), "65535 begin responder keep"},
};

class Begin : public testing::TestWithParam<BeginCase> {};

TEST_P(Begin, OpensARequest) {
  EXPECT_EQ(however_cut(GetParam().bytes), (Outcome{{GetParam().event}, "", "", 1, 0, true}));
}

INSTANTIATE_TEST_SUITE_P(Table, Begin, testing::ValuesIn(begin_cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(UnknownRole, C45_IsAnsweredAndTheRestOfItsIdSwallowed) {
  for (const unsigned role : {0U, 4U, 257U, 0x0100U, 65535U}) {
    SCOPED_TRACE(role);
    const std::string bytes = wire::begin(6, wire::responder) + wire::begin(5, role, 0) +
                              wire::record(wire::params, 5, wire::pair("A", "b")) +
                              wire::record(wire::params, 5, "") + wire::record(wire::standard_in, 5, "") +
                              wire::record(wire::abort_request, 5, "") + wire::begin(5, role, 1) +
                              wire::begin(5, wire::authorizer);
    EXPECT_EQ(however_cut(bytes), (Outcome{{"6 begin responder keep", "5 unknown_role", "5 unknown_role keep",
                                            "5 begin authorizer keep"},
                                           wire::end(5, 0, 3) + wire::end(5, 0, 3),
                                           "",
                                           2,
                                           4,
                                           true}));
  }
}

TEST(InactiveIds, C17_AreIgnoredWhateverTheyAreSent) {
  const std::string bytes = wire::record(wire::params, 3, "abc", {"12345"}) +
                            wire::record(wire::params, 3, "") + wire::record(wire::standard_in, 4, "body") +
                            wire::record(wire::data, 65535, std::string(300, 'd')) +
                            wire::record(wire::abort_request, 3, "with content") + wire::begin(3, 2);
  EXPECT_EQ(however_cut(bytes), (Outcome{{"3 begin authorizer keep"}, "", "", 1, 5, true}));
}

TEST(Boundary, IsOnlyBetweenRecords) {
  const std::string bytes = wire::record(wire::params, 1, "ab", {"12"});
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    Recorder recorder;
    recorder.feed(std::string_view(bytes).substr(0, size));
    EXPECT_EQ(recorder.outcome().at_boundary, size == 0 || size == bytes.size()) << size;
    EXPECT_EQ(recorder.demultiplexer().bytes_to_boundary(), size == 0  ? 0
                                                            : size < 8 ? 8 - size
                                                                       : bytes.size() - size)
        << size;
  }
}

}  // namespace
}  // namespace trivet::protocol
