// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/http_port.hpp"

#include <utility>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

using boost::system::error_code;

HttpPort::HttpPort(boost::asio::io_context& loop,
                   Acceptor acceptor,
                   http::Api& api,
                   services::Hub& hub,
                   const Certificates* certificates)
    : door_(loop, std::move(acceptor), [this](Socket socket) { on_socket(std::move(socket)); }),
      certificates_(certificates),
      services_{.api = api, .hub = hub, .connections = connections_, .streams = streams_} {}

HttpPort::~HttpPort() = default;

void HttpPort::stop() {
    door_.close();
    while (!streams_.empty()) streams_.front()->leave();
}

void HttpPort::on_socket(Socket socket) {
    error_code ignored;
    socket.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
    socket.set_option(boost::asio::socket_base::send_buffer_size{kAppSendBuffer}, ignored);
    if (connections_.size() >= kConnectionsMax) connections_.front()->leave();
    Stream stream = stream_of(std::move(socket), certificates_, ports::TlsVersion::Tls12);
    std::make_shared<HttpConnection>(std::move(stream), services_)->start();
}

}  // namespace sotto::cloud::server
