#include "runtime/cli/call_address.hpp"

#include <gtest/gtest.h>

namespace trivet::cli {
namespace {

TEST(CallAddress, IsWhatAPersonWouldWrite) {
  for (const std::string_view text :
       {"unix:/run/x.sock", "unix:x.sock", "/run/x.sock", "./x.sock", "../x.sock"}) {
    const auto read = call_address(text);
    ASSERT_EQ(read.index(), 0U) << text;
    EXPECT_TRUE(std::holds_alternative<config::UnixAddress>(std::get<config::Address>(read))) << text;
  }
  for (const std::string_view text :
       {"tcp:127.0.0.1:9000", "127.0.0.1:9000", "localhost:9000", "tcp:localhost:9000"}) {
    const auto read = call_address(text);
    ASSERT_EQ(read.index(), 0U) << text;
    const auto& tcp = std::get<config::TcpAddress>(std::get<config::Address>(read));
    EXPECT_EQ(tcp.host, "127.0.0.1") << text;
    EXPECT_EQ(tcp.port, 9000) << text;
  }
  const auto six = call_address("[::1]:9000");
  ASSERT_EQ(six.index(), 0U);
  EXPECT_EQ(std::get<config::TcpAddress>(std::get<config::Address>(six)).host, "::1");
}

TEST(CallAddress, WhatIsNoneIsToldWithACure) {
  const std::string longer(108, 'a');
  for (const std::string& text :
       std::vector<std::string>{"", "unix:", "x", "fd:3", "systemd:web", "tcp:example:80", "127.0.0.1",
                                "tcp:127.0.0.1:0", "unix:/" + longer}) {
    const auto read = call_address(text);
    ASSERT_EQ(read.index(), 1U) << text;
    EXPECT_NE(std::get<std::string>(read).find(text.substr(0, 20)), std::string::npos)
        << std::get<std::string>(read);
  }
  EXPECT_NE(std::get<std::string>(call_address("fd:3")).find("not where a client connects"),
            std::string::npos);
}

}  // namespace
}  // namespace trivet::cli
