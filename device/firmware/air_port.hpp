// SPDX-License-Identifier: Apache-2.0
// The device's side of the air (docs/protocol/air.md) on the chip: values to frames, frames to the
// server, and back. No allocation; waits for the radio.
#pragma once

#include "core/framing/frame.hpp"
#include "core/framing/segment.hpp"
#include "core/session/server.hpp"
#include "ports/nrf51/radio.hpp"

namespace sotto::firmware {

class AirPort final : public ports::RadioHandler {
  public:
    struct Setup {
        ports::Radio& radio;
        session::Server& server;
        const framing::DeviceId& device_id;
        MutBytes frame;  // for what is sent: framing::kFrameSizeMaxChip
    };
    explicit AirPort(const Setup& setup) : setup_(setup), reassembler_(received_) {}

    // Appears on the air.
    void start() { advertise(); }
    // Takes what has come and sends what is due.
    void poll(Instant now);

    void on_connected() override;
    void on_value(Bytes value) override;

  private:
    void advertise();
    void attach();
    // Where an answer is written, so that its frame needs no room of its own.
    MutBytes message() { return setup_.frame.subspan(framing::kMessageHeaderSize); }
    void send_message(session::Channel channel, Bytes message);
    void send(const Result<Bytes>& frame);

    Setup setup_;
    std::array<std::uint8_t, framing::kFrameSizeMaxChip> received_{};
    framing::Reassembler reassembler_;
    framing::Segmenter segmenter_;
    Instant now_{};
    std::uint32_t revision_ = 0;
    bool is_connected_ = false;
};

}  // namespace sotto::firmware
