// SPDX-License-Identifier: Apache-2.0
// The device without its surroundings: sketch and server of the sealed channel over one state.
// Messages come in by on_message() and leave by the carriers. Allocates; blocks on the disk while
// it stores.
#pragma once

#include <functional>
#include <vector>

#include "core/session/server.hpp"
#include "device/virtual/carrier.hpp"
#include "device/virtual/device_state.hpp"
#include "device/virtual/log.hpp"
#include "device/virtual/sketch.hpp"

namespace sotto::device {

class Device {
  public:
    // All are borrowed.
    struct Setup {
        DeviceState& state;
        hal::Entropy& entropy;
        Log& log;
    };
    explicit Device(const Setup& setup);

    // Declares the sketch and loads what is stored.
    Outcome<> start(const SketchOptions& sketch, Instant now);

    void set_air(Carrier& air) { air_ = &air; }
    // Shows the code, or hides it, whenever the owner changes.
    void set_on_owner_changed(std::function<void()> call) { on_owner_changed_ = std::move(call); }

    // Takes any bytes from a carrier; answers and notifications leave before it returns.
    void on_message(session::Channel channel, Bytes message, Instant now);
    void on_button(Instant now);
    void on_reset(Instant now);

    const cose::Credential& credential() const { return setup_.state.credential(); }
    const session::Authority& authority() const { return server_.authority(); }

  private:
    // More than are stored: the rest live in RAM.
    static constexpr std::size_t kSessions = session::kStoredSessions + 16;

    void publish(std::string_view event, std::string_view payload);
    void settle(Instant now);
    Carrier* carrier_of(session::Channel channel) const;

    Setup setup_;
    Catalog catalog_;
    Sketch sketch_;
    std::array<session::SessionEntry, kSessions> sessions_;
    std::array<session::HalfOpen, session::kHalfOpenSlots> half_open_;
    std::array<std::uint8_t, session::kMessageSizeMax> scratch_{};
    std::array<std::uint8_t, session::kPayloadSizeMax> result_{};
    std::array<std::uint8_t, session::kMessageSizeMax> out_{};
    session::Server server_;
    Carrier* air_ = nullptr;
    std::function<void()> on_owner_changed_;
    std::uint32_t revision_ = 0;
};

}  // namespace sotto::device
