#include "runtime/protocol/answer_decoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/protocol/wire.hpp"

namespace trivet::protocol {
namespace {

using Kind = AnswerStep::Kind;
using Fault = AnswerDecoder::Fault;

struct Heard {
  std::string output, errors;
  int output_ends = 0;
  bool ended = false;
  base::Bytes rest;
};

void hear(AnswerDecoder& decoder, base::Bytes bytes, Heard& heard) {
  for (;;) {
    const AnswerStep step = decoder.next(bytes);
    switch (step.kind) {
      case Kind::output:
        heard.output += base::as_text(step.content);
        break;
      case Kind::error_output:
        heard.errors += base::as_text(step.content);
        break;
      case Kind::output_end:
        ++heard.output_ends;
        break;
      case Kind::ended:
        heard.ended = true;
        heard.rest = bytes;
        return;
      case Kind::more:
      case Kind::broken:
        return;
    }
  }
}

const std::string whole =
    wire::padded(wire::standard_out, 7, "abc") + wire::padded(wire::standard_error, 7, "oops") +
    wire::record(wire::unknown_type, 0, std::string(8, 'x')) + wire::record(wire::standard_out, 7, "de") +
    wire::record(wire::standard_out, 7, {}) + wire::end(7, 0x01020304, 2);

TEST(AnswerDecoder, FindsTheSameInAnAnswerCutAtEveryByte) {
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    AnswerDecoder decoder(7);
    Heard heard;
    hear(decoder, wire::bytes(whole).first(cut), heard);
    EXPECT_FALSE(heard.ended) << cut;
    hear(decoder, wire::bytes(whole).subspan(cut), heard);
    EXPECT_EQ(heard.output, "abcde") << cut;
    EXPECT_EQ(heard.errors, "oops") << cut;
    EXPECT_EQ(heard.output_ends, 1) << cut;
    ASSERT_TRUE(heard.ended) << cut;
    EXPECT_EQ(decoder.app_status(), 0x01020304U);
    EXPECT_EQ(decoder.protocol_status(), 2);
    EXPECT_TRUE(decoder.finish(heard.rest)) << cut;
  }
}

TEST(AnswerDecoder, TakesOneAnswerAfterTheOther) {
  AnswerDecoder decoder(7);
  for (int i = 0; i < 3; ++i) {
    Heard heard;
    hear(decoder, wire::bytes(whole), heard);
    EXPECT_EQ(heard.output, "abcde");
    EXPECT_TRUE(decoder.finish(heard.rest));
  }
}

TEST(AnswerDecoder, OnlyThePaddingOfTheEndMayFollowIt) {
  const std::string end = wire::record(wire::end_request, 7, std::string(8, '\0'), {"PADDING", 0});
  for (const std::string& more : {std::string(), std::string("x"), wire::record(wire::standard_out, 7, {})}) {
    AnswerDecoder decoder(7);
    Heard heard;
    const std::string bytes = end + more;
    hear(decoder, wire::bytes(bytes), heard);
    ASSERT_TRUE(heard.ended);
    EXPECT_EQ(decoder.finish(heard.rest), more.empty());
  }
  AnswerDecoder cut(7);
  Heard heard;
  hear(cut, wire::bytes(end).first(end.size() - 1), heard);
  ASSERT_TRUE(heard.ended);
  EXPECT_FALSE(cut.finish(heard.rest)) << "some of it is still to come";
}

TEST(AnswerDecoder, C92_WhatNoApplicationSendsIsAFault) {
  struct Case {
    std::string bytes;
    Fault fault;
  };
  std::vector<Case> cases = {
      {wire::record(wire::standard_out, 6, "a"), Fault::unexpected_record},
      {wire::record(wire::standard_out, 0, "a"), Fault::unexpected_record},
      {wire::record(wire::standard_error, 6, "a"), Fault::unexpected_record},
      {wire::end(6, 0, 0), Fault::unexpected_record},
      {wire::record(wire::unknown_type, 7, "a"), Fault::unexpected_record},
      {wire::record(0, 7, "a"), Fault::unexpected_record},
      {wire::record(12, 7, "a"), Fault::unexpected_record},
      {wire::record(wire::end_request, 7, {}), Fault::end_of_other_size},
      {wire::record(wire::end_request, 7, std::string(7, 'x')), Fault::end_of_other_size},
      {wire::record(wire::end_request, 7, std::string(65535, 'x')), Fault::end_of_other_size},
      {std::string("\0", 1), Fault::wrong_version},
      {"HTTP/1.1 200 OK", Fault::wrong_version},
  };
  for (const unsigned type : {wire::begin_request, wire::abort_request, wire::params, wire::standard_in,
                              wire::data, wire::get_values})
    cases.push_back({wire::record(type, 7, "a"), Fault::unexpected_record});
  for (const Case& each : cases) {
    AnswerDecoder decoder(7);
    Heard heard;
    hear(decoder, wire::bytes(each.bytes), heard);
    EXPECT_EQ(decoder.fault(), each.fault);
    hear(decoder, wire::bytes(whole), heard);
    EXPECT_EQ(heard.output, "") << "nothing is believed after that";
    EXPECT_FALSE(heard.ended);
  }
}

}  // namespace
}  // namespace trivet::protocol
