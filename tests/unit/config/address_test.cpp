#include "runtime/config/address.hpp"

#include <gtest/gtest.h>

namespace trivet::config {
namespace {

TEST(Address, UnixIsAnAbsolutePath) {
  const auto read = parse_address("unix:/run/trivet/x.sock");
  ASSERT_EQ(read.index(), 0U);
  EXPECT_EQ(std::get<UnixAddress>(std::get<Address>(read)).path, "/run/trivet/x.sock");
}

struct TcpCase {
  std::string_view text;
  std::string_view host;
  std::uint16_t port;
  bool loopback;
};

constexpr TcpCase tcp_cases[] = {
    {"tcp:127.0.0.1:9000", "127.0.0.1", 9000, true},
    {"tcp:127.255.255.254:1", "127.255.255.254", 1, true},
    {"tcp:[::1]:65535", "::1", 65535, true},
    {"tcp:[0:0:0:0:0:0:0:1]:80", "::1", 80, true},
    {"tcp:128.0.0.1:80", "128.0.0.1", 80, false},
    {"tcp:0.0.0.0:80", "0.0.0.0", 80, false},
    {"tcp:[::]:80", "::", 80, false},
    {"tcp:10.0.0.5:80", "10.0.0.5", 80, false},
    {"tcp:[2001:DB8::1]:80", "2001:db8::1", 80, false},
    {"tcp:[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, false},
};

TEST(Address, TcpIsANumericAddressAndAPort) {
  for (const TcpCase& each : tcp_cases) {
    const auto read = parse_address(each.text);
    ASSERT_EQ(read.index(), 0U) << each.text;
    const auto& tcp = std::get<TcpAddress>(std::get<Address>(read));
    EXPECT_EQ(tcp.host, each.host) << each.text;
    EXPECT_EQ(tcp.port, each.port) << each.text;
    EXPECT_EQ(tcp.loopback, each.loopback) << each.text;
  }
}

TEST(Address, DescriptorIsANumber) {
  for (const int number : {0, 3, 1'048'575}) {
    const auto read = parse_address("fd:" + std::to_string(number));
    ASSERT_EQ(read.index(), 0U) << number;
    EXPECT_EQ(std::get<DescriptorAddress>(std::get<Address>(read)).descriptor, number);
  }
}

TEST(Address, SystemdIsTheNameOfASocket) {
  const auto read = parse_address("systemd:web");
  ASSERT_EQ(read.index(), 0U);
  EXPECT_EQ(std::get<SystemdAddress>(std::get<Address>(read)).name, "web");
}

struct RefusedCase {
  std::string_view text;
  std::string_view told;
};

constexpr std::string_view accepted_here = "accepted: unix:/PATH, tcp:ADDRESS:PORT, fd:NUMBER, systemd:NAME";

constexpr RefusedCase refused_cases[] = {
    {"", "\"\" is not an address; accepted: unix:/PATH, tcp:ADDRESS:PORT, fd:NUMBER, systemd:NAME"},
    {"/run/x", "\"/run/x\" is not an address; did you mean \"unix:/run/x\"?"},
    {"127.0.0.1:9000", "\"127.0.0.1:9000\" is not an address; did you mean \"tcp:127.0.0.1:9000\"?"},
    {"tpc:127.0.0.1:9000", "\"tpc:127.0.0.1:9000\" is not an address; did you mean \"tcp:127.0.0.1:9000\"?"},
    {"unix:run/x", "\"unix:run/x\" does not name an absolute path; unix:/run/trivet/trivet.sock, say"},
    {"unix:", "\"unix:\" does not name an absolute path; unix:/run/trivet/trivet.sock, say"},
    {"unix:@name", "\"unix:@name\" does not name an absolute path; unix:/run/trivet/trivet.sock, say"},
    {"unix:/run/", "\"unix:/run/\" names a folder; name the socket in it"},
    {"unix:/run/..", "\"unix:/run/..\" names a folder; name the socket in it"},
    {"unix:/run/.", "\"unix:/run/.\" names a folder; name the socket in it"},
    {"tcp:9000", "\"tcp:9000\" has no port; tcp:127.0.0.1:9000, say"},
    {"tcp:[::1]", "\"tcp:[::1]\" has no port; tcp:127.0.0.1:9000, say"},
    {"tcp:localhost:9000",
     "\"tcp:localhost:9000\": \"localhost\" is not a numeric address; did you mean \"tcp:127.0.0.1:9000\"?"},
    {"tcp:::1:9000", "\"tcp:::1:9000\": \"::1\" is not a numeric address; did you mean \"tcp:[::1]:9000\"?"},
    {"tcp:127.0.0.1:0", "\"tcp:127.0.0.1:0\": the port \"0\" is not a number from 1 to 65535; "},
    {"tcp:127.0.0.1:65536", "\"tcp:127.0.0.1:65536\": the port \"65536\" is not a number from 1 to 65535; "},
    {"tcp:127.0.0.1:4294967297",
     "\"tcp:127.0.0.1:4294967297\": the port \"4294967297\" is not a number from 1 to 65535; "},
    {"tcp:127.0.0.1:http", "\"tcp:127.0.0.1:http\": the port \"http\" is not a number from 1 to 65535; "},
    {"tcp:127.0.0.1:-1", "\"tcp:127.0.0.1:-1\": the port \"-1\" is not a number from 1 to 65535; "},
    {"tcp:[127.0.0.1]:80", "\"tcp:[127.0.0.1]:80\": \"127.0.0.1\" is not a numeric address; "},
    {"tcp:[fe80::1%eth0]:80", "\"tcp:[fe80::1%eth0]:80\": \"fe80::1%eth0\" is not a numeric address; "},
    {"tcp:127.1:80", "\"tcp:127.1:80\": \"127.1\" is not a numeric address; "},
    {"fd:1", "\"fd:1\" is standard output or standard error, not a listening socket; "},
    {"fd:2", "\"fd:2\" is standard output or standard error, not a listening socket; "},
    {"fd:", "\"fd:\": \"\" is not the number of a descriptor; "},
    {"fd:-3", "\"fd:-3\": \"-3\" is not the number of a descriptor; "},
    {"fd:99999999999", "\"fd:99999999999\": \"99999999999\" is not the number of a descriptor; "},
    {"systemd:",
     "\"systemd:\": \"\" is not the name of a socket; systemd:web, with FileDescriptorName=web in the "
     ".socket unit"},
    {"systemd:a:b",
     "\"systemd:a:b\": \"a:b\" is not the name of a socket; systemd:web, with FileDescriptorName=web in the "
     ".socket unit"},
    {"sytemd:web", "\"sytemd:web\" is not an address; did you mean \"systemd:web\"?"},
    {"unix:/a\nb", "\"unix:/a\\nb\" holds a control character; "},
};

TEST(Address, WhatIsWrongAndWhatIsAcceptedIsTold) {
  for (const RefusedCase& each : refused_cases) {
    const auto read = parse_address(each.text);
    ASSERT_EQ(read.index(), 1U) << each.text;
    const std::string told =
        std::string(each.told) + (each.told.ends_with("; ") ? std::string(accepted_here) : "");
    EXPECT_EQ(std::get<std::string>(read), told);
  }
}

TEST(Address, AUnixPathMayHaveAsManyBytesAsTheKernelTakes) {
  const std::string longest = "/" + std::string(106, 'a');
  EXPECT_EQ(parse_address("unix:" + longest).index(), 0U);
  const auto read = parse_address("unix:" + longest + "a");
  ASSERT_EQ(read.index(), 1U);
  EXPECT_EQ(std::get<std::string>(read),
            "\"unix:" + longest.substr(0, 95) +
                "...\" is too long: the path has 108 bytes, a unix socket has room for 107; " +
                std::string(accepted_here));
}

TEST(Address, OneAddressHasOneCanonicalText) {
  const auto text = [](std::string_view from) { return canonical(std::get<Address>(parse_address(from))); };
  EXPECT_EQ(text("unix:/run//a/../x.sock"), text("unix:/run/x.sock"));
  EXPECT_EQ(text("tcp:[0::1]:80"), text("tcp:[::1]:80"));
  EXPECT_EQ(text("fd:03"), text("fd:3"));
  EXPECT_NE(text("tcp:127.0.0.1:80"), text("tcp:127.0.0.1:81"));
  EXPECT_NE(text("unix:/run/x"), text("unix:/run/y"));
}

}  // namespace
}  // namespace trivet::config
