// SPDX-License-Identifier: Apache-2.0
#include "app/transport/udp_transport.hpp"

#include <array>

#include <boost/asio/ip/udp.hpp>

#include "app/transport/run.hpp"

namespace sotto::app {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Udp = asio::ip::udp;

constexpr std::size_t kDatagramSizeMax = 1'500;

Failure unreachable(const Endpoint& endpoint, const error_code& error) {
    return {Trouble::Unreachable,
            endpoint.to_string() + " cannot be reached: " + error.message(),
            "Check the address, and that a CoAP server runs there"};
}

}  // namespace

class UdpTransport::Socket {
  public:
    explicit Socket(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

    error_code connect() {
        error_code error;
        Udp::resolver resolver{loop_};
        const auto found = resolver.resolve(endpoint_.host, endpoint_.port, error);
        for (const auto& entry : found) {
            socket_.close(error);
            socket_.connect(entry.endpoint(), error);
            if (!error) break;
        }
        return error;
    }
    Status send(Bytes message) {
        if (message.size() > kDatagramSizeMax) return Error::TooLarge;
        error_code error;
        socket_.send(asio::buffer(message.data(), message.size()), 0, error);
        // What an earlier datagram met is reported here: a network may lose this one as well.
        return {};
    }
    Arrival wait(Duration limit) {
        if (!is_reading_) read();
        if (!run_until(loop_, limit, [this] { return !is_reading_; })) return TimedOut{};
        // Nobody listens there; perhaps in a moment somebody does.
        if (error_) return NotPassedOn{unreachable(endpoint_, error_)};
        return Received{Bytes{input_}.first(size_)};
    }

  private:
    void read() {
        is_reading_ = true;
        socket_.async_receive(asio::buffer(input_), [this](error_code error, std::size_t size) {
            is_reading_ = false;
            error_ = error;
            size_ = size;
        });
    }

    const Endpoint endpoint_;
    asio::io_context loop_{1};
    Udp::socket socket_{loop_};
    std::array<std::uint8_t, kDatagramSizeMax> input_{};
    bool is_reading_ = false;
    error_code error_;
    std::size_t size_ = 0;
};

UdpTransport::UdpTransport(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
UdpTransport::~UdpTransport() = default;

Outcome<std::unique_ptr<UdpTransport>> UdpTransport::connect(const Endpoint& endpoint) {
    auto socket = std::make_unique<Socket>(endpoint);
    if (const error_code error = socket->connect()) return unreachable(endpoint, error);
    return std::unique_ptr<UdpTransport>{new UdpTransport{std::move(socket)}};
}

Status UdpTransport::send(Bytes message) { return socket_->send(message); }
Arrival UdpTransport::wait(Duration limit) { return socket_->wait(limit); }

}  // namespace sotto::app
