// SPDX-License-Identifier: Apache-2.0
// A way by which CoAP messages come and go.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/session/channel.hpp"

namespace sotto::device {

class Carrier {
  public:
    // Sends a message to where the channel says. It may be lost, as on any network.
    virtual void send(session::Channel channel, Bytes message) = 0;
    // The owner or his cloud have changed.
    virtual void on_owner_changed() {}
    // Time has passed; called once in a second at least.
    virtual void on_time(Instant /*now*/) {}
    // Somebody stands before the device.
    virtual void on_button() {}

  protected:
    ~Carrier() = default;  // owned by main
};

}  // namespace sotto::device
