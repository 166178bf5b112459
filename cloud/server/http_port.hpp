// SPDX-License-Identifier: Apache-2.0
// Takes HTTP connections (docs/protocol/http.md). Allocates; never blocks; everything happens in
// the thread that runs the io_context.
#pragma once

#include "cloud/server/certificates.hpp"
#include "cloud/server/door.hpp"
#include "cloud/server/http_connection.hpp"

namespace sotto::cloud::server {

class HttpPort {
  public:
    // `acceptor` listens already. Without certificates it speaks in the clear. All must live until
    // `loop` has ended, which is before this dies.
    HttpPort(boost::asio::io_context& loop,
             Acceptor acceptor,
             http::Api& api,
             services::Hub& hub,
             const Certificates* certificates = nullptr);
    // Streams of these events are served too. To be called before start(), if at all.
    void serve_streams(services::EventRing& ring, http::Rest& rest) {
        services_.ring = &ring;
        services_.rest = &rest;
    }
    ~HttpPort();
    HttpPort(const HttpPort&) = delete;
    HttpPort& operator=(const HttpPort&) = delete;

    void start() { door_.open(); }
    // Takes no more, and ends the streams.
    void stop();
    std::size_t stream_count() const { return streams_.size(); }
    std::size_t connection_count() const { return connections_.size(); }

  private:
    void on_socket(Socket socket);

    Door<boost::asio::ip::tcp> door_;
    const Certificates* certificates_;
    HttpConnections connections_;
    EventStreams streams_;
    HttpConnection::Services services_;
};

}  // namespace sotto::cloud::server
