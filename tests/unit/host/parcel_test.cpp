#include "runtime/host/parcel.hpp"

#include <gtest/gtest.h>

#include "runtime/host/start.hpp"

namespace trivet::host {
namespace {

TEST(Parcels, ComeOutAsTheyWentIn) {
  const std::vector<Parcel> sent{
      {"web", {}}, {"", std::string("\0\1 bytes", 8)}, {"spawned", std::string(Parcel::most_payload, 'x')}};
  const std::string text = pack(sent);
  const auto got = unpack_parcels(text);
  ASSERT_TRUE(got);
  ASSERT_EQ(got->size(), sent.size());
  std::size_t size = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ((*got)[i].listener, sent[i].listener);
    EXPECT_EQ((*got)[i].payload, sent[i].payload);
    size += sent[i].packed_size();
  }
  EXPECT_EQ(text.size(), size);
  EXPECT_TRUE(unpack_parcels("")->empty());
}

TEST(Parcels, ThatAreCutAnywhereAreFewerOrNone) {
  const std::string text = pack({{"web", "payload"}, {"tcp", ""}});
  const std::size_t first = Parcel{"web", "payload"}.packed_size();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto got = unpack_parcels(std::string_view(text).substr(0, size));
    EXPECT_EQ(got.has_value(), size == 0 || size == first) << size;
  }
}

TEST(WorkerStart, IsReadAsItWasWrittenAndNothingElseIs) {
  const auto start = read_start(pack(Start{4095, 7, 3}));
  ASSERT_TRUE(start);
  EXPECT_EQ(start->slot, 4095U);
  EXPECT_EQ(start->generation, 7U);
  EXPECT_EQ(start->number, 3U);
  for (const char* other : {"", "1", "1 2", "1 2 3 4", "1 2 x", "-1 2 3", "1  2", "99999999999 1 1"})
    EXPECT_FALSE(read_start(other)) << other;
}

}  // namespace
}  // namespace trivet::host
