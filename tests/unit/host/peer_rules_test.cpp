#include "runtime/host/peer_rules.hpp"

#include <gtest/gtest.h>

#include <array>

namespace trivet::host {
namespace {

base::IpAddress four(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  const std::array<std::uint8_t, 4> bytes = {a, b, c, d};
  return base::IpAddress::v4(bytes.data());
}

const base::IpAddress loopback = four(127, 0, 0, 1);

io::Peer local(uid_t uid) {
  io::Peer peer;
  peer.local = true;
  peer.uid = uid;
  return peer;
}

io::Peer remote(const base::IpAddress& address) {
  io::Peer peer;
  peer.address = address;
  return peer;
}

TEST(PeerRules, WithoutAnyEverybodyWhoReachesTheSocketIsWelcome) {
  const auto rules = PeerRules::from({}, std::nullopt, loopback);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules.value().refusal(remote(four(10, 0, 0, 1))), "");
  EXPECT_EQ(rules.value().refusal(local(1000)), "");
}

TEST(PeerRules, UsersAreFoundByNameAndByNumber) {
  config::Listen listen;
  listen.allow_users = {"root", "33"};
  const auto rules = PeerRules::from(listen, std::nullopt, std::nullopt);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules.value().refusal(local(0)), "");
  EXPECT_EQ(rules.value().refusal(local(33)), "");
  EXPECT_EQ(rules.value().refusal(local(34)), "its user is not in allow_users");
}

TEST(PeerRules, AnUnknownUserIsNobodyOnTheList) {
  config::Listen listen;
  listen.allow_users = {"0"};
  const auto rules = PeerRules::from(listen, std::nullopt, std::nullopt);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules.value().refusal(io::Peer{}), "its user is not in allow_users");
  io::Peer unknown = local(static_cast<uid_t>(-1));
  EXPECT_EQ(rules.value().refusal(unknown), "its user is not in allow_users");
}

TEST(PeerRules, C6_WithWebServersWhoIsNotAmongThemOrNotOnTcpIsRefused) {
  const std::vector<base::Network> servers = {{four(10, 0, 0, 1), 32}, {four(10, 0, 0, 2), 32}};
  const auto rules = PeerRules::from({}, servers, loopback);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules.value().refusal(remote(four(10, 0, 0, 2))), "");
  EXPECT_EQ(rules.value().refusal(remote(four(10, 0, 0, 3))), "it is not in FCGI_WEB_SERVER_ADDRS");
  EXPECT_EQ(rules.value().refusal(remote(loopback)), "it is not in FCGI_WEB_SERVER_ADDRS");
  EXPECT_EQ(rules.value().refusal(local(0)), "it is not in FCGI_WEB_SERVER_ADDRS");
}

TEST(PeerRules, AllRulesHaveToHold) {
  config::Listen listen;
  listen.allow_from = {{four(10, 0, 0, 0), 8}};
  const auto rules = PeerRules::from(listen, {{{four(10, 0, 0, 1), 32}, {four(192, 0, 2, 1), 32}}}, loopback);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules.value().refusal(remote(four(10, 0, 0, 1))), "");
  EXPECT_EQ(rules.value().refusal(remote(four(10, 0, 0, 9))), "it is not in FCGI_WEB_SERVER_ADDRS");
  EXPECT_EQ(rules.value().refusal(remote(four(192, 0, 2, 1))), "its address is not in allow_from");
  EXPECT_EQ(rules.value().refusal(local(0)), "its address is not in allow_from");
}

TEST(PeerRules, WhatDoesNotFitTheSocketIsAnError) {
  config::Listen users;
  users.allow_users = {"root"};
  EXPECT_FALSE(PeerRules::from(users, std::nullopt, loopback).ok());
  config::Listen from;
  from.allow_from = {{four(10, 0, 0, 0), 8}};
  EXPECT_FALSE(PeerRules::from(from, std::nullopt, std::nullopt).ok());
  config::Listen nobody;
  nobody.allow_users = {"no such user"};
  const auto rules = PeerRules::from(nobody, std::nullopt, std::nullopt);
  ASSERT_FALSE(rules.ok());
  EXPECT_EQ(rules.error().message, "there is no user \"no such user\" (allow_users)");
}

TEST(PeerRules, AnOpenAddressNeedsARule) {
  EXPECT_FALSE(PeerRules::from({}, std::nullopt, four(0, 0, 0, 0)).ok());
  config::Listen from;
  from.allow_from = {{four(10, 0, 0, 0), 8}};
  EXPECT_TRUE(PeerRules::from(from, std::nullopt, four(0, 0, 0, 0)).ok());
  EXPECT_TRUE(PeerRules::from({}, {{{four(10, 0, 0, 1), 32}}}, four(0, 0, 0, 0)).ok());
}

}  // namespace
}  // namespace trivet::host
