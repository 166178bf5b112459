// SPDX-License-Identifier: Apache-2.0
// The device's side of the air (docs/protocol/air.md): frames to the server and back, ATTACH when a
// central comes and when the owner changes, and its name, or its tag of the moment. RELEASE is the
// peripheral's. Allocates; never blocks.
#pragma once

#include <memory>
#include <string>

#include "air/bluez/bus.hpp"
#include "air/peripheral.hpp"
#include "device/virtual/device.hpp"
#include "device/virtual/log.hpp"

namespace sotto::device {

// The first 12 bytes of the credential's hash [SES-2].
framing::DeviceId device_id_of(const cose::Credential& credential);

class AirPort final : public Carrier, private air::PeripheralHandler {
  public:
    struct Options {
        std::string folder;
        air::bluez::Bus* bus = nullptr;  // of BlueZ, instead of the folder
        std::string adapter;             // of BlueZ; empty: the first one
        std::string name;
        std::size_t value_size_max = framing::kValueSizeDefault;
    };

    AirPort(boost::asio::io_context& loop, Device& device, Log& log, const Options& options);

    // Appears on the air.
    Outcome<> open();
    // Leaves it; what is to be sent meanwhile is lost.
    void close() { peripheral_.reset(); }
    bool is_open() const { return peripheral_ != nullptr; }
    // When a frame came last, or it appeared.
    Instant last_used_at() const { return last_used_at_; }

    void send(session::Channel channel, Bytes message) override;
    void on_owner_changed() override;
    void on_time(Instant now) override;
    void on_button() override;

  private:
    void on_connected() override;
    void on_frame(Bytes frame) override;
    void on_sent(std::size_t frame_count) override;
    void on_dropped() override;
    void on_silence() override { log_.line("a central that said nothing is let go"); }
    void on_disconnected() override {}
    Outcome<> open_virtual();
    void open_bluez();
    void attach();
    std::string name_at(Instant now) const;

    Device& device_;
    framing::DeviceId device_id_;
    boost::asio::io_context& loop_;
    Options options_;
    Log& log_;
    std::unique_ptr<air::Peripheral> peripheral_;
    Instant last_used_at_{};
    bool is_attach_due_ = false;
    std::string advertised_;
};

}  // namespace sotto::device
