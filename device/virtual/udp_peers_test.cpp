// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/udp_peers.hpp"

#include <gtest/gtest.h>

namespace sotto::device {
namespace {

UdpPeers::Endpoint endpoint(std::uint16_t port) {
    return {boost::asio::ip::address_v4::loopback(), port};
}

TEST(UdpPeers, KeepsThePeersThatWereHeardLast) {
    UdpPeers peers;
    const auto first = peers.channel_of(endpoint(1));
    EXPECT_EQ(peers.channel_of(endpoint(1)), first);
    EXPECT_NE(peers.channel_of(endpoint(2)), first);
    for (std::uint16_t port = 3; port < 3 + kUdpPeersMax - 2; ++port)
        peers.channel_of(endpoint(port));
    EXPECT_EQ(*peers.find(first), endpoint(1));
    const auto second = peers.channel_of(endpoint(2));
    const auto newest = peers.channel_of(endpoint(9'999));
    EXPECT_EQ(peers.find(first), nullptr) << "silent for longest";
    EXPECT_EQ(*peers.find(second), endpoint(2));
    EXPECT_EQ(*peers.find(newest), endpoint(9'999));
    EXPECT_NE(peers.channel_of(endpoint(1)), first) << "its number leads to nobody else";
}

TEST(UdpPeers, KnowsADatagramAgainForItsLifetime) {
    UdpPeers peers;
    const auto channel = peers.channel_of(endpoint(1));
    const Bytes datagram = as_bytes("datagram");
    peers.keep_reply(channel, datagram, as_bytes("reply"), Instant{0});
    const auto* reply = peers.find_reply(channel, datagram, Instant{246'999});
    ASSERT_NE(reply, nullptr);
    EXPECT_EQ(as_text(*reply), "reply");
    EXPECT_EQ(peers.find_reply(channel, datagram, Instant{247'000}), nullptr);
    EXPECT_EQ(peers.find_reply(channel, as_bytes("datagraM"), Instant{0}), nullptr);
    EXPECT_EQ(peers.find_reply(peers.channel_of(endpoint(2)), datagram, Instant{0}), nullptr);
    for (const char* other : {"1", "2", "3", "4", "5", "6", "7", "8"})
        peers.keep_reply(channel, as_bytes(other), {}, Instant{0});
    EXPECT_EQ(peers.find_reply(channel, datagram, Instant{0}), nullptr) << "made room";
}

}  // namespace
}  // namespace sotto::device
