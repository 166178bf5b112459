// SPDX-License-Identifier: Apache-2.0
// The radio as a device needs it: the Sotto service of docs/protocol/air.md, in GATT values. A
// board with Nordic's SoftDevice implements this in the place of UartRadio (docs/firmware.md says
// how).
#pragma once

#include "core/framing/air_operation.hpp"

namespace sotto::ports {

class RadioHandler {
  public:
    // A central has subscribed; a former connection is over, whatever was under way.
    virtual void on_connected() = 0;
    // A value that it wrote, valid during the call. Any bytes.
    virtual void on_value(Bytes value) = 0;

  protected:
    ~RadioHandler() = default;  // owned by main
};

class Radio {
  public:
    static constexpr std::uint16_t kValueSizeMax = 247;  // the largest that the chip sends or takes

    // Shown to whoever looks, from now on. The name must stay where it is.
    virtual void advertise(const framing::Advertisement& advertisement) = 0;
    // The largest value of the present connection, header included.
    virtual std::size_t value_size() const = 0;
    // Sends a value; waits until there is room. Without a connection it is lost.
    virtual void notify(Bytes value) = 0;
    // Hands over what has come, if anything has.
    virtual void poll(RadioHandler& handler) = 0;
    // Whether something has come that poll() has not seen. To be asked with interrupts off, before
    // the processor sleeps.
    virtual bool has_input() const = 0;

  protected:
    ~Radio() = default;  // owned by main
};

}  // namespace sotto::ports
