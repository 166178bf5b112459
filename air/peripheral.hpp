// SPDX-License-Identifier: Apache-2.0
// A device on the air: the GATT server as we use it, in whole frames (docs/protocol/air.md). One
// central at a time. Implementations run in the thread of their event loop and never block.
#pragma once

#include <string>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::air {

// What a peripheral reports. Calls come from the event loop, never from within a call of ours.
class PeripheralHandler {
  public:
    // A central has subscribed: send ATTACH.
    virtual void on_connected() = 0;
    // A whole frame, valid during the call. Any bytes of any central: parse it.
    virtual void on_frame(Bytes frame) = 0;
    // A value of the bluz service, likewise.
    virtual void on_value(Bytes /*value*/) {}
    // So many of send() and notify() have left; there is room again.
    virtual void on_sent(std::size_t /*frame_count*/) {}
    // Something came that is no part of a frame, and was dropped: said once for each central.
    virtual void on_dropped() {}
    // The central has never said anything, and is let go.
    virtual void on_silence() {}
    // The central is gone, and with it what was still to be sent.
    virtual void on_disconnected() = 0;

  protected:
    ~PeripheralHandler() = default;  // owned by the caller
};

class Peripheral {
  public:
    virtual ~Peripheral() = default;

    // Queues a copy of the frame. Error::WrongState without a central, Error::Busy when the queue
    // is full (on_sent() follows), Error::InvalidArgument or Error::TooLarge for what is no frame.
    virtual Status send(Bytes frame) = 0;
    // The same for a value of the bluz service; Error::WrongState for another one.
    virtual Status notify(Bytes value) = 0;
    // Shown in the advertisement from now on.
    virtual void set_has_owner(bool has_owner) = 0;
    // Likewise, and where an air has addresses that change, with another address. Precondition: at
    // most kNameSizeMax bytes of printable UTF-8.
    virtual void set_name(const std::string& name) = 0;
    // Lets the central go; on_disconnected() follows from the event loop. Nothing without one.
    virtual void disconnect() = 0;
};

}  // namespace sotto::air
