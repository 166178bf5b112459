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
    : acceptor_(std::move(acceptor)),
      certificates_(certificates),
      pause_(loop),
      services_{.api = api, .hub = hub, .connections = connections_} {}

HttpPort::~HttpPort() = default;

void HttpPort::accept() {
    acceptor_.async_accept(
        [this](error_code error, Socket socket) { on_accepted(error, std::move(socket)); });
}

void HttpPort::stop() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
}

void HttpPort::on_accepted(error_code error, Socket socket) {
    if (!acceptor_.is_open()) return;
    if (error) {
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([this](error_code cancelled) {
            if (!cancelled) accept();
        });
        return;
    }
    error_code ignored;
    socket.set_option(boost::asio::ip::tcp::no_delay{true}, ignored);
    socket.set_option(boost::asio::socket_base::send_buffer_size{kAppSendBuffer}, ignored);
    if (connections_.size() >= kConnectionsMax) connections_.front()->leave();
    Stream stream = stream_of(std::move(socket), certificates_, ports::TlsVersion::Tls12);
    std::make_shared<HttpConnection>(std::move(stream), services_)->start();
    accept();
}

}  // namespace sotto::cloud::server
