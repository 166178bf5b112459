// SPDX-License-Identifier: Apache-2.0
// Takes the connections of gateways (docs/protocol/uplink.md) and carries their bytes to the hub
// and back. Allocates; never blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <list>
#include <memory>

#include "cloud/server/certificates.hpp"
#include "cloud/server/door.hpp"
#include "cloud/services/hub.hpp"

namespace sotto::cloud::server {

class GatewayPort {
  public:
    // `acceptor` listens already. Without certificates it speaks in the clear. They and `hub` must
    // live until the event loop has ended, which is before this dies.
    GatewayPort(boost::asio::io_context& loop,
                Acceptor acceptor,
                services::Hub& hub,
                const Certificates* certificates = nullptr);

    void start() { door_.open(); }
    // Takes no more.
    void stop() { door_.close(); }

  private:
    class GatewayLine;

    void on_socket(Socket socket);
    bool make_room();

    Door<boost::asio::ip::tcp> door_;
    const Certificates* certificates_;
    services::Hub& hub_;
    std::list<std::weak_ptr<GatewayLine>> strangers_;  // not signed in when last looked at
};

}  // namespace sotto::cloud::server
