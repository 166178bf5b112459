// SPDX-License-Identifier: Apache-2.0
// Takes the connections of gateways (docs/protocol/uplink.md) and carries their bytes to the hub
// and back. Allocates; never blocks; everything happens in the thread that runs the io_context.
#pragma once

#include <list>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "cloud/server/certificates.hpp"
#include "cloud/server/listen.hpp"
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

    void start() { accept(); }
    // Takes no more.
    void stop();

  private:
    class GatewayLine;

    void accept();
    void on_accepted(boost::system::error_code error, Socket socket);
    bool make_room();

    Acceptor acceptor_;
    const Certificates* certificates_;
    boost::asio::steady_timer pause_;
    services::Hub& hub_;
    std::list<std::weak_ptr<GatewayLine>> strangers_;  // not signed in when last looked at
};

}  // namespace sotto::cloud::server
