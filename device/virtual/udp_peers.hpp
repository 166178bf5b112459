// SPDX-License-Identifier: Apache-2.0
// The peers of a CoAP/UDP socket, as channels, and their last datagrams with what was replied, so
// that a datagram that comes again is not processed again (RFC 7252 §4.2, §4.3). Sans-I/O;
// allocates; bounded: the peer that was silent for longest makes room.
#pragma once

#include <deque>
#include <list>
#include <optional>
#include <vector>

#include <boost/asio/ip/udp.hpp>

#include "core/base/time.hpp"
#include "core/session/channel.hpp"
#include "core/session/fingerprint.hpp"

namespace sotto::device {

inline constexpr std::size_t kUdpPeersMax = 256;
inline constexpr std::size_t kKeptRepliesMax = 8;         // of one peer
inline constexpr Duration kReplyLifetime = seconds(247);  // EXCHANGE_LIFETIME

class UdpPeers {
  public:
    using Endpoint = boost::asio::ip::udp::endpoint;
    using Reply = std::vector<std::uint8_t>;

    // The channel of a peer, which counts as heard.
    session::Channel channel_of(const Endpoint& endpoint);
    // Where a channel leads; null if its peer had to make room.
    const Endpoint* find(session::Channel channel) const;

    // What was replied to the same datagram; null if it is new.
    const Reply* find_reply(session::Channel channel, Bytes datagram, Instant now) const;
    void keep_reply(session::Channel channel, Bytes datagram, Bytes reply, Instant now);

  private:
    struct Exchange {
        session::Fingerprint datagram{};
        Reply reply;
        Instant expires;
    };
    struct Peer {
        std::uint16_t number = 0;
        Endpoint endpoint;
        std::deque<Exchange> exchanges;
    };

    template <class Peers>
    static auto peer_of(Peers& peers, session::Channel channel) -> decltype(&peers.front());

    std::list<Peer> peers_;  // the last one heard comes first
    std::uint16_t next_number_ = 0;
};

}  // namespace sotto::device
