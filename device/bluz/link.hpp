// SPDX-License-Identifier: Apache-2.0
// A device's end of the bluz service (docs/protocol/bluz.md, "A device of ours"): values of a
// central in, values for it out, and in between a session with the server to which the central
// carries the stream. Takes any bytes. Sans-I/O; allocates for the session alone.
#pragma once

#include <optional>
#include <string_view>

#include "air/bluz/packets.hpp"
#include "device/bluz/limits.hpp"
#include "device/particle/session.hpp"

namespace sotto::device::bluz {

class Link {
  public:
    // `crypto` and `members` are borrowed.
    struct Setup {
        particle::Crypto& crypto;
        particle::Members& members;
        particle::DeviceId id{};
    };
    explicit Link(const Setup& setup) : setup_(setup) {}

    // A central has subscribed; it is gone. All begins anew then.
    void on_subscribed(Instant now);
    void on_gone();
    void on_value(Bytes value, Instant now);
    void on_time(Instant now);

    // The next notification, valid until the next call; nothing if there is none now.
    std::optional<Bytes> next_value(Instant now);
    // Why the central is to be let go, in words; empty while it is not.
    std::string_view trouble() const { return trouble_; }

    // There is a session with a server.
    bool is_connected() const { return session_ && session_->is_connected(); }
    // As particle::Session::publish().
    Status publish(std::string_view name, std::string_view data, Instant now);
    // Frames of custom data (service 4) that came in this connection, and were ignored.
    std::uint32_t custom_count() const { return custom_count_; }

  private:
    void on_frame(Bytes frame, Instant now);
    bool begin_frame(Instant now);
    void let_go(std::string_view why);
    void look_at_session();

    Setup setup_;
    bool is_subscribed_ = false;
    Instant connect_at_;
    bool must_connect_ = false;
    bool must_say_id_ = false;
    air::bluz::Assembler assembler_;
    air::bluz::Packetizer packetizer_;
    std::optional<particle::Session> session_;
    std::uint32_t nonsense_ = 0;
    std::uint32_t custom_count_ = 0;
    std::string_view trouble_;
};

}  // namespace sotto::device::bluz
