// SPDX-License-Identifier: Apache-2.0
// The virtual air over the chip's UART (docs/protocol/air.md, "Over a UART"): a radio for boards
// without one, and for the emulator.
#pragma once

#include "ports/nrf51/radio.hpp"

namespace sotto::ports {

class UartRadio final : public Radio {
  public:
    struct Pins {
        std::uint32_t tx;
        std::uint32_t rx;
    };
    explicit UartRadio(const Pins& pins);

    void advertise(const framing::Advertisement& advertisement) override;
    std::size_t value_size() const override { return value_size_; }
    void notify(Bytes value) override;
    void poll(RadioHandler& handler) override;
    bool has_input() const override;

  private:
    void send(const framing::AirOperation& operation);

    framing::Advertisement advertisement_;
    // No WRITE that is longer goes with what is advertised.
    static constexpr std::size_t kOperationSizeMax = 1 + Radio::kValueSizeMax + 2;

    std::array<std::uint8_t, framing::cobs_size_max(kOperationSizeMax)> code_{};
    framing::AirDecoder decoder_{code_};
    std::size_t value_size_ = framing::kValueSizeDefault;
};

}  // namespace sotto::ports
