// SPDX-License-Identifier: Apache-2.0
// The device without its surroundings: sketch and server of the sealed channel over one state.
// Messages come in by on_message() and leave by the carriers. Allocates; blocks on the disk while
// it stores.
#pragma once

#include <functional>
#include <vector>

#include "core/session/all_parts.hpp"
#include "core/session/server.hpp"
#include "device/virtual/carrier.hpp"
#include "device/virtual/device_state.hpp"
#include "device/virtual/log.hpp"
#include "device/virtual/sketch.hpp"
#include "device/virtual/storage_watch.hpp"

namespace sotto::device {

class Device {
  public:
    // All are borrowed.
    struct Setup {
        DeviceState& state;
        hal::Entropy& entropy;
        Log& log;
        std::span<const cose::Credential> trusted = {};
    };
    explicit Device(const Setup& setup);

    // Declares the sketch and loads what is stored.
    Outcome<> start(const SketchOptions& sketch, Instant now);

    // Adds an OSCORE context from outside.
    Outcome<> add_context(const session::SessionTable::Fixed& context, Instant now);

    void set_air(Carrier& air) { air_ = &air; }
    void set_udp(Carrier& udp) { udp_ = &udp; }
    // Shows the code, or hides it, whenever the owner changes.
    void set_on_owner_changed(std::function<void()> call) { on_owner_changed_ = std::move(call); }

    // Called with every event that is published, beside those who watch it.
    using OnEvent = std::function<void(std::string_view event, std::string_view payload)>;
    void set_on_event(OnEvent call) { on_event_ = std::move(call); }

    // What the sketch has.
    const Catalog& catalog() const { return catalog_; }
    // Runs a function for somebody who is no peer of the sealed channel; the log says so. Call
    // settle() afterwards.
    Result<Value> run_in_the_open(std::uint8_t function, std::string_view argument);

    // Takes any bytes from a carrier. The answer, for the same channel, stays valid until the next
    // call; empty: there is none. Call settle() when it has left.
    Bytes receive(session::Channel channel, Bytes message, Instant now);
    // Sends the notifications that are due, and says whether the owner has changed.
    void settle(Instant now);
    void on_button(Instant now);
    void on_reset(Instant now);

    const cose::Credential& credential() const { return setup_.state.credential(); }
    const session::Authority& authority() const { return server_.authority(); }
    // Seconds since 1970, if they are known: by the system, or as the owner has said [SES-93].
    std::optional<std::uint32_t> time(Instant now) const;
    // A handshake is under way.
    bool is_busy(Instant now) const { return server_.is_busy(now); }

  private:
    // More than are stored: the rest live in RAM.
    static constexpr std::size_t kSessions = session::kStoredSessions + 16;
    static constexpr std::size_t kHalfOpen = 8;
    // A handshake costs such a machine less than that.
    static constexpr Rate kHandshakeRate{.burst = 256, .refill = milliseconds(2)};

    void publish(std::string_view event, std::string_view payload);
    Carrier* carrier_of(session::Channel channel) const;

    Setup setup_;
    StorageWatch storage_;
    Catalog catalog_;
    Sketch sketch_;
    std::array<session::GuestRights, kSessions> rights_;
    session::AllParts parts_;
    std::array<session::SessionEntry, kSessions> sessions_;
    std::array<session::HalfOpen, kHalfOpen> half_open_;
    std::array<session::KeptAnswer, session::kAnswerCacheCount + 1> answers_;
    std::array<session::PendingEvent, session::kPendingEvents> events_;
    std::array<std::uint8_t, session::kMessageSizeMax> scratch_{};
    std::array<std::uint8_t, session::kPayloadSizeMax> result_{};
    std::array<std::uint8_t, session::kMessageSizeMax> out_{};
    session::Server server_;
    Carrier* air_ = nullptr;
    Carrier* udp_ = nullptr;
    std::function<void()> on_owner_changed_;
    OnEvent on_event_;
    bool is_in_the_open_ = false;  // the call that runs
    std::uint32_t revision_ = 0;
};

}  // namespace sotto::device
