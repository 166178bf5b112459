// SPDX-License-Identifier: Apache-2.0
// The bluz service of a device on the air, beside its Sotto service: a gateway's values to the
// session behind them and back (docs/protocol/bluz.md, "A device of ours"). Allocates; never
// blocks but for the RSA of a handshake.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/bluez/bus.hpp"
#include "air/peripheral.hpp"
#include "core/base/token_bucket.hpp"
#include "device/bluz/link.hpp"
#include "device/virtual/open_members.hpp"

namespace sotto::device {

class BluzPort final : private air::PeripheralHandler {
  public:
    // All but id are borrowed.
    struct Setup {
        Device& device;
        OpenMembers& members;
        particle::Crypto& crypto;
        Log& log;
        particle::DeviceId id{};
    };
    BluzPort(boost::asio::io_context& loop, const Setup& setup);

    // Appears on the air: on that of a folder, or of BlueZ.
    Outcome<> open(const std::string& folder);
    void open(air::bluez::Bus& bus, const std::string& adapter);

  private:
    void on_connected() override;
    void on_frame(Bytes /*frame*/) override {}  // the other service has those
    void on_value(Bytes value) override;
    void on_sent(std::size_t count) override;
    void on_silence() override {}
    void on_disconnected() override { link_.on_gone(); }
    void on_event(std::string_view name, std::string_view payload);
    void tick();
    void pump();
    void pump_soon();
    void tell();
    void complain(const std::string& what);

    boost::asio::io_context& loop_;
    Setup setup_;
    bluz::Link link_;
    boost::asio::steady_timer timer_;
    std::unique_ptr<air::Peripheral> peripheral_;
    std::size_t in_air_ = 0;
    TokenBucket complaints_{{.burst = 4, .refill = minutes(1)}};  // any stranger can cause them
    // Once for each connection.
    bool is_connected_told_ = false;
    bool is_custom_told_ = false;
    bool is_trouble_told_ = false;
};

}  // namespace sotto::device
