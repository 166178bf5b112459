// SPDX-License-Identifier: Apache-2.0
// The device on CoAP/UDP (RFC 7252): datagrams to the server and back. Allocates; never blocks.
#pragma once

#include <boost/asio/io_context.hpp>

#include "device/virtual/device.hpp"
#include "device/virtual/udp_peers.hpp"

namespace sotto::device {

class UdpPort final : public Carrier {
  public:
    struct Options {
        std::string address;  // numeric
        std::uint16_t port = 0;
    };
    UdpPort(boost::asio::io_context& loop, Device& device) : device_(device), socket_(loop) {}

    Outcome<> open(const Options& options);
    // coap://HOST:PORT, with the port that was chosen if 0 was asked for.
    std::string url() const;

    void send(session::Channel channel, Bytes message) override;

  private:
    static constexpr std::size_t kInputSize = session::kMessageSizeMax + 1;  // or too large

    void receive();
    void on_datagram(Bytes datagram);
    void process(session::Channel channel, Bytes datagram, Instant now);

    Device& device_;
    boost::asio::ip::udp::socket socket_;
    UdpPeers peers_;
    UdpPeers::Endpoint sender_;
    std::array<std::uint8_t, kInputSize> input_{};
};

}  // namespace sotto::device
