#include "runtime/config/network.hpp"

#include <gtest/gtest.h>

namespace trivet::config {
namespace {

TEST(Network, IsAnAddressAndANumberOfBits) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"192.0.2.7", "192.0.2.7/32"},
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"::1", "::1/128"},
      {"[::1]", "::1/128"},
      {"2001:DB8::/32", "2001:db8::/32"},
      {"::ffff:10.0.0.1", "10.0.0.1/32"},
  };
  for (const auto& [text, written] : cases) {
    const auto read = read_network(text);
    ASSERT_EQ(read.index(), 0U) << text;
    EXPECT_EQ(to_text(std::get<base::Network>(read)), written);
  }
}

TEST(Network, WhatIsWrongIsTold) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "\"\" is neither a numeric address nor a network"},
      {"localhost", "\"localhost\" is neither a numeric address nor a network"},
      {"10.0.0", "\"10.0.0\" is neither a numeric address nor a network"},
      {"10.0.0.0/", "\"10.0.0.0/\": \"\" is not a number of bits from 0 to 32"},
      {"10.0.0.0/33", "\"10.0.0.0/33\": \"33\" is not a number of bits from 0 to 32"},
      {"10.0.0.0/-1", "\"10.0.0.0/-1\": \"-1\" is not a number of bits from 0 to 32"},
      {"10.0.0.0/08", "\"10.0.0.0/08\": \"08\" is not a number of bits from 0 to 32"},
      {"10.0.0.0/255.0.0.0", "\"10.0.0.0/255.0.0.0\": \"255.0.0.0\" is not a number of bits from 0 to 32"},
      {"::/129", "\"::/129\": \"129\" is not a number of bits from 0 to 128"},
      {"10.0.0.1/8", "\"10.0.0.1/8\" has bits set after the first 8"},
  };
  for (const auto& [text, message] : cases) {
    const auto read = read_network(text);
    ASSERT_EQ(read.index(), 1U) << text;
    EXPECT_EQ(std::get<AddressProblem>(read).message, message);
  }
  EXPECT_EQ(std::get<AddressProblem>(read_network("10.1.2.3/8")).hint, "did you mean \"10.0.0.0/8\"?");
  EXPECT_EQ(std::get<AddressProblem>(read_network("2001:db8:ffff::1/33")).hint,
            "did you mean \"2001:db8:8000::/33\"?");
}

TEST(WebServers, C5_AreDottedQuadsWithCommasBetweenThem) {
  const auto read = read_web_servers("199.170.183.28,199.170.183.71");
  ASSERT_EQ(read.index(), 0U);
  const auto& networks = std::get<std::vector<base::Network>>(read);
  ASSERT_EQ(networks.size(), 2U);
  EXPECT_EQ(to_text(networks[0]), "199.170.183.28/32");
  EXPECT_EQ(to_text(networks[1]), "199.170.183.71/32");
}

TEST(WebServers, C7_AnythingElseIsAnErrorAndNeverEverybody) {
  for (const std::string_view text : {"", ",", "1.2.3.4,", ",1.2.3.4", "1.2.3.4, 1.2.3.5", " 1.2.3.4",
                                      "1.2.3", "1.2.3.256", "1.2.3.4/24", "::1", "localhost"}) {
    EXPECT_EQ(read_web_servers(text).index(), 1U) << text;
  }
}

}  // namespace
}  // namespace trivet::config
