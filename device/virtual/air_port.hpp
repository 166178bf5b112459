// SPDX-License-Identifier: Apache-2.0
// The device's side of the air (docs/protocol/air.md): frames to the server and back, ATTACH when a
// central comes and when the owner changes. RELEASE is the peripheral's. Allocates; never blocks.
#pragma once

#include "air/virtual/virtual_peripheral.hpp"
#include "device/virtual/device.hpp"

namespace sotto::device {

// The first 12 bytes of the credential's hash [SES-2].
framing::DeviceId device_id_of(const cose::Credential& credential);

class AirPort final : public Carrier, private air::PeripheralHandler {
  public:
    struct Options {
        std::string folder;
        std::string name;
        std::size_t value_size_max = framing::kValueSizeDefault;
    };
    AirPort(boost::asio::io_context& loop, Device& device, const Options& options);

    // Appears on the air.
    Outcome<> open();
    // Leaves it; what is to be sent meanwhile is lost.
    void close() { peripheral_.reset(); }
    bool is_open() const { return peripheral_.has_value(); }
    // When a frame came last, or it appeared.
    Instant last_used_at() const { return last_used_at_; }

    void send(session::Channel channel, Bytes message) override;
    void on_owner_changed() override;

  private:
    void on_connected() override;
    void on_frame(Bytes frame) override;
    void on_sent(std::size_t frame_count) override;
    void on_disconnected() override {}
    void attach();

    Device& device_;
    framing::DeviceId device_id_;
    boost::asio::io_context& loop_;
    Options options_;
    std::optional<air::VirtualPeripheral> peripheral_;
    Instant last_used_at_{};
    bool is_attach_due_ = false;
};

}  // namespace sotto::device
