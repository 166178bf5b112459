// SPDX-License-Identifier: Apache-2.0
// The relay's side of the connection to one cloud: connecting, HELLO and WELCOME, pings, silence,
// backoff (docs/protocol/uplink.md). Sans-I/O: it appends what is to be done to Outputs.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "core/base/bytes.hpp"
#include "core/framing/uplink.hpp"
#include "gateway/relay/backoff.hpp"
#include "gateway/relay/limits.hpp"
#include "gateway/relay/output.hpp"

namespace sotto::gateway::relay {

class CloudSession {
  public:
    CloudSession(CloudId id, std::string address, std::string token)
        : id_(id), address_(std::move(address)), token_(std::move(token)) {}

    const std::string& address() const { return address_; }
    bool is_open() const { return std::holds_alternative<Open>(state_); }
    // Precondition: is_open().
    std::uint16_t credit() const;

    void on_time(Instant now, Outputs& out);
    void on_up(Instant now, Outputs& out);
    // True if it was open until now.
    bool on_down(Instant now, Jitter jitter);

    // Handles what concerns the connection itself. Returns a record that concerns a link; after
    // WELCOME returns that too, for the links to be announced.
    std::optional<framing::uplink::Record> on_record(Bytes record, Instant now, Outputs& out);

    void send(const framing::uplink::Record& record, Outputs& out) const;
    void close(Break why, Outputs& out);

  private:
    struct Waiting {
        Instant until;
    };
    struct Connecting {
        Instant deadline;
    };
    struct Greeting {
        Instant deadline;
    };
    struct Open {
        std::uint16_t credit;
        Duration ping_interval;
        Instant last_heard;
        Instant next_ping;
    };
    struct Closing {};  // until on_down()
    using State = std::variant<Waiting, Connecting, Greeting, Open, Closing>;

    void on_open_time(Open& open, Instant now, Outputs& out);
    void on_welcome(const framing::uplink::Welcome& welcome, Instant now, Outputs& out);
    bool on_greeting(const framing::uplink::Record& record, Instant now, Outputs& out);

    CloudId id_;
    std::string address_;
    std::string token_;
    State state_ = Waiting{};
    Backoff backoff_{kUplinkBackoffMin, kUplinkBackoffMax};
    std::uint32_t ping_value_ = 0;
};

}  // namespace sotto::gateway::relay
