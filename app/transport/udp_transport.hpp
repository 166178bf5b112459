// SPDX-License-Identifier: Apache-2.0
// To a CoAP server over UDP (RFC 7252 §4). Allocates; blocks for as long as it is told.
#pragma once

#include <memory>

#include "app/client/transport.hpp"
#include "app/transport/url.hpp"

namespace sotto::app {

class UdpTransport final : public Transport {
  public:
    // Trouble::Unreachable if the name cannot be resolved.
    static Outcome<std::unique_ptr<UdpTransport>> connect(const Endpoint& endpoint);
    ~UdpTransport() override;

    Status send(Bytes message) override;
    Arrival wait(Duration limit) override;

  private:
    class Socket;

    explicit UdpTransport(std::unique_ptr<Socket> socket);

    std::unique_ptr<Socket> socket_;
};

}  // namespace sotto::app
