#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <trivet/testing.hpp>
#include <vector>

#include "accept_encoding.hpp"

namespace {

/// What the bytes stand for; `whole`: they have to end the stream, and nothing may follow.
std::string gunzip(std::string_view bytes, bool whole) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  std::vector<char> buffer(65536);
  int result = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());  // NOLINT
    stream.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&stream, Z_SYNC_FLUSH);
    text.append(buffer.data(), buffer.size() - stream.avail_out);
  } while (result == Z_OK);
  EXPECT_EQ(result, whole ? Z_STREAM_END : Z_BUF_ERROR);
  EXPECT_EQ(stream.avail_in, 0U);
  inflateEnd(&stream);
  return text;
}

std::string unbrotli(std::string_view bytes, bool whole) {
  const std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance);
  std::string text;
  std::vector<std::uint8_t> buffer(65536);
  std::size_t left = bytes.size();
  const auto* next = reinterpret_cast<const std::uint8_t*>(bytes.data());  // NOLINT
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
  while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
    std::size_t room = buffer.size();
    std::uint8_t* to = buffer.data();
    result = BrotliDecoderDecompressStream(state.get(), &left, &next, &room, &to, nullptr);
    text.append(buffer.begin(), buffer.end() - static_cast<std::ptrdiff_t>(room));
  }
  EXPECT_EQ(result, whole ? BROTLI_DECODER_RESULT_SUCCESS : BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT);
  EXPECT_EQ(left, 0U);
  return text;
}

std::string unzstd(std::string_view bytes, bool whole) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 18);  // What the README promises.
  std::string text;
  std::vector<char> buffer(65536);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t left = 1;
  bool full = false;
  while (in.pos < in.size || full) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) {
      ADD_FAILURE() << ZSTD_getErrorName(left);
      break;
    }
    text.append(buffer.data(), out.pos);
    full = out.pos == buffer.size();
  }
  EXPECT_EQ(left == 0, whole);
  return text;
}

std::string decoded(const std::string& coding, std::string_view bytes, bool whole = true) {
  if (coding == "gzip") return gunzip(bytes, whole);
  return coding == "br" ? unbrotli(bytes, whole) : unzstd(bytes, whole);
}

trivet::Ask ask(std::vector<std::string> data, const std::string& accept = "gzip",
                const std::string& type = "text/html; charset=utf-8") {
  return {.params = {{"REQUEST_METHOD", "GET"}, {"HTTP_ACCEPT_ENCODING", accept}},
          .data = std::move(data),
          .headers = {{"Content-Type", type}}};
}

std::string words(std::size_t size, std::mt19937::result_type seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < size)
    text += "word" + std::to_string(random() % 5000) + (random() % 9 != 0 ? " " : "\n");
  text.resize(size);
  return text;
}

std::vector<std::string> random_pieces(std::string_view text, std::mt19937& random) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::size_t size = std::min<std::size_t>(text.size(), 1 + random() % 5000);
    pieces.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

class CompressIn : public testing::TestWithParam<const char*> {};

TEST_P(CompressIn, GivesBackWhatWentInHoweverItWasCut) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  trivet::FakeHost host;
  for (int round = 0; round < 20; ++round) {
    const std::string text = words(random() % 300000, random());
    const trivet::Answer answer = host.filter(ask(random_pieces(text, random), GetParam()));
    ASSERT_EQ(answer.result, TRIVET_OK) << answer.failure;
    EXPECT_EQ(answer.header("Vary"), "Accept-Encoding");
    if (text.size() < 256) {
      EXPECT_EQ(answer.body, text);
      continue;
    }
    EXPECT_EQ(answer.header("Content-Encoding"), GetParam());
    EXPECT_LT(answer.body.size(), text.size());
    EXPECT_LE(answer.largest_write, 16384U);
    ASSERT_EQ(decoded(GetParam(), answer.body), text);
  }
}

TEST_P(CompressIn, TakesBytesOneByOne) {
  const std::string text = words(5000, 1);
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  trivet::FakeHost host;
  EXPECT_EQ(decoded(GetParam(), host.filter(ask(bytes, GetParam())).body), text);
}

TEST_P(CompressIn, KeepsToItsMemoryWithWhatRepeatsAndWhatDoesNot) {
  trivet::FakeHost host;
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  std::string noise(1U << 20U, '\0');
  std::mt19937 random(7);
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::string& piece : {std::string(1U << 20U, 'a'), noise}) {
    // Cancelled in the middle, so that an encoder that is not freed would show as well.
    trivet::Ask big = ask(std::vector<std::string>(24, piece), GetParam());
    big.cancel_after = piece[0] == 'a' && piece[1] == 'a' ? std::size_t{100} : std::size_t{20U << 20U};
    host.filter(ask({piece}, GetParam()));
    const std::size_t before = used();
    host.filter(big);
    EXPECT_LT(used(), before + (1U << 16U)) << "after the response nothing of it is left";
  }
}

TEST_P(CompressIn, FlushesEachPieceOfAnEventStream) {
  trivet::FakeHost host;
  std::vector<std::string> pieces;
  std::string text;
  for (int i = 1; i <= 4; ++i) {
    pieces.push_back("data: " + std::to_string(i) + "\n\n");
    text += pieces.back();
    trivet::Ask cut = ask(pieces, GetParam(), "text/event-stream");
    const trivet::Answer whole = host.filter(cut);
    EXPECT_EQ(whole.flushes, i);
    EXPECT_EQ(whole.header("Content-Encoding"), GetParam());
    EXPECT_EQ(decoded(GetParam(), whole.body), text);
    // What is there before the end can be read to its last byte: without the end the decoders want more.
    trivet::Ask before = ask(pieces, GetParam(), "text/event-stream");
    before.cancel_after = 1;
    if (i == 1) {
      EXPECT_EQ(decoded(GetParam(), host.filter(before).body, false), text);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Codings, CompressIn, testing::Values("gzip", "br", "zstd"),
                         [](const auto& test) { return std::string(test.param); });

struct Chosen {
  const char* name;
  const char* accept;
  const char* coding;  ///< Empty: as it is.
};
class CompressChooses : public testing::TestWithParam<Chosen> {};

TEST_P(CompressChooses, WhatTheClientLikesBest) {
  trivet::FakeHost host;
  const std::string text = words(1000, 3);
  const trivet::Answer answer = host.filter(ask({text}, GetParam().accept));
  EXPECT_EQ(answer.header("Content-Encoding").value_or(""), GetParam().coding);
  EXPECT_EQ(answer.header("Vary"), "Accept-Encoding");
  if (*GetParam().coding == '\0') {
    EXPECT_EQ(answer.body, text);
  } else {
    EXPECT_EQ(decoded(GetParam().coding, answer.body), text);
  }
}

INSTANTIATE_TEST_SUITE_P(
    AcceptEncoding, CompressChooses,
    testing::Values(
        Chosen{"Empty", "", ""}, Chosen{"Browser", "gzip, deflate, br, zstd", "zstd"},
        Chosen{"OlderBrowser", "gzip, deflate, br", "br"}, Chosen{"Gzip", "gzip", "gzip"},
        Chosen{"XGzip", "x-gzip", "gzip"}, Chosen{"AnyCase", "GZip;Q=1.0", "gzip"},
        Chosen{"Unknown", "deflate, compress, foo", ""}, Chosen{"Star", "*", "zstd"},
        Chosen{"StarBehindRefused", "zstd;q=0, *", "br"}, Chosen{"StarRefused", "*;q=0", ""},
        Chosen{"OnlyGzipNotStar", "gzip, *;q=0", "gzip"},
        Chosen{"Weights", "zstd;q=0.2, br;q=0.1, gzip;q=0.3", "gzip"},
        Chosen{"Thousandths", "zstd;q=0.998, br;q=0.999", "br"},
        Chosen{"AllRefused", "gzip;q=0, br;q=0.000", ""}, Chosen{"IdentityLiked", "gzip;q=0.5, identity", ""},
        Chosen{"IdentityEqual", "gzip, identity", "gzip"},
        Chosen{"IdentityLess", "gzip;q=0.5, identity;q=0.4", "gzip"},
        Chosen{"StarAboveIdentity", "*;q=0.1", "zstd"}, Chosen{"Blanks", " \tgzip \t;\t q=0.8 , ,, ", "gzip"},
        Chosen{"BadWeight", "gzip;q=1.5, br;q=x, zstd;q=", ""},
        Chosen{"BadWeightBehindGood", "br;q=0.1234, gzip", "gzip"}, Chosen{"NegativeWeight", "gzip;q=-1", ""},
        Chosen{"OtherParameter", "gzip;level=1", ""}, Chosen{"TwiceTheFirstCounts", "gzip;q=0, gzip", ""},
        Chosen{"Prefix", "gzipped, brr, zst", ""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(CompressCodings, AreThoseOfTheSettingsInTheirOrder) {
  trivet::FakeHost host;
  host.set("codings.0", "gzip").set("codings.1", "br");
  const std::string text = words(1000, 3);
  EXPECT_EQ(host.filter(ask({text}, "zstd, br, gzip")).header("Content-Encoding"), "gzip");
  EXPECT_EQ(host.filter(ask({text}, "zstd, br, gzip;q=0.9")).header("Content-Encoding"), "br");
  EXPECT_EQ(host.filter(ask({text}, "zstd")).header("Content-Encoding"), std::nullopt);
}

TEST(Compress, WithoutTheHeaderLeavesTheBodyAsItIs) {
  trivet::FakeHost host;
  const trivet::Answer answer = host.filter(
      {.params = {}, .data = {std::string(1000, 'x')}, .headers = {{"Content-Type", "text/plain"}}});
  EXPECT_EQ(answer.header("Content-Encoding"), std::nullopt);
  EXPECT_EQ(answer.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(answer.body, std::string(1000, 'x'));
}

struct Left {
  const char* name;
  unsigned status;
  const char* header;
  const char* value;
};
class CompressLeavesAlone : public testing::TestWithParam<Left> {};

TEST_P(CompressLeavesAlone, WhatIsNotForIt) {
  trivet::FakeHost host;
  trivet::Ask asked = ask({std::string(1000, 'x')});
  asked.status = GetParam().status;
  std::erase_if(asked.headers, [](const auto& pair) { return pair.first == GetParam().header; });
  if (*GetParam().header != '\0') asked.headers.emplace_back(GetParam().header, GetParam().value);
  const auto before = asked.headers;
  const trivet::Answer answer = host.filter(asked);
  EXPECT_EQ(answer.result, TRIVET_OK) << answer.failure;
  EXPECT_EQ(answer.headers, before);
  EXPECT_TRUE(answer.passed);
  EXPECT_EQ(answer.body, std::string(1000, 'x'));
}

INSTANTIATE_TEST_SUITE_P(Each, CompressLeavesAlone,
                         testing::Values(Left{"NoContent", 204, "", ""}, Left{"ResetContent", 205, "", ""},
                                         Left{"PartialContent", 206, "Content-Range", "bytes 0-999/2000"},
                                         Left{"NotModified", 304, "", ""},
                                         Left{"Image", 200, "Content-Type", "image/png"},
                                         Left{"NoType", 200, "Content-Type", ""},
                                         Left{"Woff2", 200, "Content-Type", "font/woff2"},
                                         Left{"Coded", 200, "Content-Encoding", "gzip"},
                                         Left{"CodedInWhatNobodyKnows", 200, "Content-Encoding", "foo"},
                                         Left{"NoTransform", 200, "Cache-Control", "public, No-Transform"},
                                         Left{"Range", 200, "Content-Range", "bytes 0-999/2000"}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Compress, CompressesErrorPagesAndWhatIsCodedInIdentity) {
  trivet::FakeHost host;
  trivet::Ask asked = ask({std::string(1000, 'x')});
  asked.status = 404;
  asked.headers.emplace_back("Content-Encoding", "identity");
  const trivet::Answer answer = host.filter(asked);
  EXPECT_EQ(answer.status, 404U);
  EXPECT_EQ(answer.header("Content-Encoding"), "gzip");
  EXPECT_EQ(gunzip(answer.body, true), std::string(1000, 'x'));
}

TEST(CompressMinSize, GoesByTheLengthThatIsAnnounced) {
  trivet::FakeHost host;
  trivet::Ask asked = ask({std::string(255, 'x')});
  asked.headers.emplace_back("Content-Length", "255");
  trivet::Answer answer = host.filter(asked);
  EXPECT_EQ(answer.header("Content-Encoding"), std::nullopt);
  EXPECT_TRUE(answer.passed);
  EXPECT_EQ(answer.header("Content-Length"), "255");
  EXPECT_EQ(answer.header("Vary"), "Accept-Encoding");
  asked = ask({std::string(256, 'x')});
  asked.headers.emplace_back("Content-Length", "256");
  answer = host.filter(asked);
  EXPECT_EQ(answer.header("Content-Encoding"), "gzip");
  EXPECT_EQ(answer.header("Content-Length"), std::nullopt);
}

TEST(CompressMinSize, GoesByWhatComesWhereNothingIsAnnounced) {
  trivet::FakeHost host;
  for (const std::size_t size : {0U, 1U, 255U, 256U, 257U}) {
    const std::string text(size, 'x');
    for (const auto& pieces : trivet::every_cut(text)) {
      const trivet::Answer answer = host.filter(ask(pieces));
      ASSERT_EQ(answer.header("Content-Encoding").has_value(), size >= 256) << size;
      ASSERT_EQ(size >= 256 ? gunzip(answer.body, true) : answer.body, text);
    }
  }
}

TEST(CompressMinSize, DoesNotCountWhereTheClientRefusesTheBodyAsItIs) {
  trivet::FakeHost host;
  EXPECT_EQ(gunzip(host.filter(ask({"x"}, "gzip, identity;q=0")).body, true), "x");
  EXPECT_EQ(gunzip(host.filter(ask({"x"}, "gzip, *;q=0")).body, true), "x");
  EXPECT_EQ(host.filter(ask({""}, "gzip, identity;q=0")).header("Content-Encoding"), std::nullopt);
}

TEST(Compress, AnswersHeadWithTheHeadOfGetAndNoBytes) {
  trivet::FakeHost host;
  trivet::Ask asked = ask({});
  asked.params["REQUEST_METHOD"] = "HEAD";
  asked.headers.emplace_back("Content-Length", "5000");
  const trivet::Answer answer = host.filter(asked);
  EXPECT_EQ(answer.header("Content-Encoding"), "gzip");
  EXPECT_EQ(answer.header("Content-Length"), std::nullopt);
  EXPECT_EQ(answer.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(answer.body, "");
}

struct Varies {
  const char* name;
  const char* before;
  std::vector<std::string> after;
};
class CompressVary : public testing::TestWithParam<Varies> {};

TEST_P(CompressVary, IsMergedWithWhatIsThere) {
  trivet::FakeHost host;
  trivet::Ask asked = ask({"x"});
  asked.headers.emplace_back("Vary", GetParam().before);
  std::vector<std::string> after;
  for (const auto& [name, value] : host.filter(asked).headers) {
    if (name == "Vary") after.push_back(value);
  }
  EXPECT_EQ(after, GetParam().after);
}

INSTANTIATE_TEST_SUITE_P(Each, CompressVary,
                         testing::Values(Varies{"Other", "Origin", {"Origin", "Accept-Encoding"}},
                                         Varies{
                                             "There", "Origin, accept-encoding", {"Origin, accept-encoding"}},
                                         Varies{"All", "*", {"*"}}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(CompressSettings, AreCheckedWithTheirPlace) {
  const auto errors = [](const char* key, auto value) {
    trivet::FakeHost host;
    host.set("codings.0", "gzip").set(key, value);
    host.start();
    return host.errors();
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(errors("codings.1", "deflate"), (Lines{"codings.1: has to be one of gzip, br, zstd"}));
  EXPECT_EQ(errors("codings.1", "gzip"), (Lines{"codings.1: is there twice: gzip"}));
  EXPECT_EQ(errors("gzip_level", 0), (Lines{"gzip_level: has to be between 1 and 9"}));
  EXPECT_EQ(errors("br_level", 10), (Lines{"br_level: has to be between 0 and 9"}));
  EXPECT_EQ(errors("zstd_level", 20), (Lines{"zstd_level: has to be between 1 and 9"}));
  EXPECT_EQ(errors("min_size", std::int64_t{1} << 40), (Lines{"min_size: has to be between 0 and 65536"}));
  EXPECT_EQ(errors("types", "text/html"), (Lines{"types: has to be a list"}));
}

TEST(CompressTypes, AreThoseOfTheSettings) {
  trivet::FakeHost host;
  host.set("types.0", "application/x-*").set("min_size", 0);
  EXPECT_EQ(host.filter(ask({"x"}, "gzip", "application/x-tar")).header("Content-Encoding"), "gzip");
  EXPECT_EQ(host.filter(ask({"x"}, "gzip", "text/html")).header("Content-Encoding"), std::nullopt);
}

TEST(AcceptEncodingOfAnyBytes, IsReadInLinearTimeAndChoosesNothingThatIsNotNamed) {
  std::string field;
  for (int i = 0; i < 100000; ++i) field += ",;q=";
  EXPECT_EQ(AcceptEncoding(field).choose({Coding::gzip}), std::nullopt);
  std::mt19937 random(std::random_device{}());
  constexpr std::string_view alphabet = "gzipbrstdq*=;,. 01x";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t size = random() % 12; size > 0; --size) text += alphabet[random() % alphabet.size()];
    const bool named = text.find("gzip") != std::string::npos || text.find('*') != std::string::npos;
    if (AcceptEncoding(text).choose({Coding::gzip})) {
      EXPECT_TRUE(named) << text;
    }
  }
}

}  // namespace
