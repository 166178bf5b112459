// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/udp_port.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>

#include "core/coap/message.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::device {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

bool is_confirmable(Bytes datagram) {
    return (datagram[0] >> 4 & 3) == static_cast<int>(coap::Type::Confirmable);
}

}  // namespace

Outcome<> UdpPort::open(const Options& options) {
    error_code error;
    const auto address = asio::ip::make_address(options.address, error);
    if (error) return "--coap-bind " + options.address + " is no address, as 127.0.0.1 or ::1 is";
    const UdpPeers::Endpoint endpoint{address, options.port};
    socket_.open(endpoint.protocol(), error);
    if (!error) socket_.bind(endpoint, error);
    if (!error) socket_.non_blocking(true, error);
    if (error == asio::error::address_in_use)
        return "UDP port " + std::to_string(options.port) + " of " + options.address +
               " is in use. Stop what uses it, or choose another with --coap-udp";
    if (error)
        return "UDP port " + std::to_string(options.port) + " of " + options.address +
               " cannot be used: " + error.message() + ". Check --coap-udp and --coap-bind";
    device_.set_udp(*this);
    receive();
    return {};
}

std::string UdpPort::url() const {
    const auto endpoint = socket_.local_endpoint();
    const std::string host = endpoint.address().to_string();
    const bool is_v6 = endpoint.address().is_v6();
    return "coap://" + (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

void UdpPort::receive() {
    socket_.async_receive_from(
        asio::buffer(input_), sender_, [this](error_code error, std::size_t size) {
            if (error == asio::error::operation_aborted) return;
            if (!error && size > 0) on_datagram(Bytes{input_}.first(size));
            receive();
        });
}

void UdpPort::on_datagram(Bytes datagram) {
    const session::Channel channel = peers_.channel_of(sender_);
    if (datagram.size() > session::kMessageSizeMax) {
        std::array<std::uint8_t, coap::kHeaderSize + coap::kTokenSizeMax> reply{};
        const Bytes refusal = coap::refuse_too_large(datagram, reply);
        if (!refusal.empty()) send(channel, refusal);
        return;
    }
    process(channel, datagram, ports::SystemClock::now());
}

// [SES-73]
void UdpPort::process(session::Channel channel, Bytes datagram, Instant now) {
    if (const auto* reply = peers_.find_reply(channel, datagram, now); reply != nullptr) {
        if (is_confirmable(datagram)) send(channel, *reply);
        return;
    }
    const Bytes answer = device_.receive(channel, datagram, now);
    if (!answer.empty()) {
        send(channel, answer);
        peers_.keep_reply(channel, datagram, answer, now);
    }
    device_.settle(now);
}

void UdpPort::send(session::Channel channel, Bytes message) {
    const UdpPeers::Endpoint* endpoint = peers_.find(channel);
    if (endpoint == nullptr) return;
    error_code lost;  // as a network may lose it
    socket_.send_to(asio::buffer(message.data(), message.size()), *endpoint, 0, lost);
}

}  // namespace sotto::device
