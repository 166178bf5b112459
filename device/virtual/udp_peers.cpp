// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/udp_peers.hpp"

#include <algorithm>

namespace sotto::device {

session::Channel UdpPeers::channel_of(const Endpoint& endpoint) {
    const auto known = std::find_if(
        peers_.begin(), peers_.end(), [&](const Peer& peer) { return peer.endpoint == endpoint; });
    if (known != peers_.end()) {
        peers_.splice(peers_.begin(), peers_, known);
    } else {
        if (peers_.size() >= kUdpPeersMax) peers_.pop_back();
        // Numbers are not used again soon: what was meant for a former peer reaches nobody.
        peers_.push_front({.number = next_number_++, .endpoint = endpoint, .exchanges = {}});
    }
    return {.path = session::Channel::kFirstUdp, .label = peers_.front().number};
}

template <class Peers>
auto UdpPeers::peer_of(Peers& peers, session::Channel channel) -> decltype(&peers.front()) {
    const auto found = std::find_if(
        peers.begin(), peers.end(), [&](const Peer& peer) { return peer.number == channel.label; });
    return found == peers.end() ? nullptr : &*found;
}

const UdpPeers::Endpoint* UdpPeers::find(session::Channel channel) const {
    const Peer* peer = peer_of(peers_, channel);
    return peer == nullptr ? nullptr : &peer->endpoint;
}

const UdpPeers::Reply* UdpPeers::find_reply(session::Channel channel,
                                            Bytes datagram,
                                            Instant now) const {
    const Peer* peer = peer_of(peers_, channel);
    if (peer == nullptr) return nullptr;
    const session::Fingerprint wanted = session::fingerprint_of(datagram);
    for (const Exchange& exchange : peer->exchanges) {
        if (exchange.datagram == wanted && now < exchange.expires) return &exchange.reply;
    }
    return nullptr;
}

void UdpPeers::keep_reply(session::Channel channel, Bytes datagram, Bytes reply, Instant now) {
    Peer* peer = peer_of(peers_, channel);
    if (peer == nullptr) return;
    if (peer->exchanges.size() >= kKeptRepliesMax) peer->exchanges.pop_front();
    peer->exchanges.push_back({.datagram = session::fingerprint_of(datagram),
                               .reply = {reply.begin(), reply.end()},
                               .expires = now + kReplyLifetime});
}

}  // namespace sotto::device
