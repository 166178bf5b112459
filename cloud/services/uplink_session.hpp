// SPDX-License-Identifier: Apache-2.0
// The cloud's side of one uplink (docs/protocol/uplink.md): sign-in, liveness and the grammar. What
// the records mean is the Router's. Pure: bytes and instants in, events and an outbox out.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "cloud/services/limits.hpp"
#include "cloud/services/outbox.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::cloud::services {

class UplinkSession {
  public:
    enum class State : std::uint8_t {
        WaitHello,  // connected; next: HELLO
        WaitToken,  // the owner looks for the token; next: welcome() or refuse()
        Open,
        Closed,  // for good, once the outbox has been written
    };

    // A gateway wants in. The view is valid until the next call.
    struct TokenShown {
        std::string_view token;
    };
    using Event = std::variant<TokenShown,
                               framing::uplink::TagsWanted,
                               framing::uplink::LinkUp,
                               framing::uplink::LinkDown,
                               framing::uplink::Message,
                               framing::uplink::Credit>;

    explicit UplinkSession(Instant now);

    State state() const { return state_; }
    bool is_open() const { return state_ == State::Open; }
    bool is_closed() const { return state_ == State::Closed; }

    // Takes bytes from the front of `input` up to the next event, which points into them or into
    // the session and is valid until the next call. Nothing once all is taken, or once closed.
    std::optional<Event> next(Bytes& input, Instant now);

    // The verdict on the token; without effect in any other state than WaitToken.
    void welcome();
    void refuse(framing::uplink::Reason reason);

    // Sends a record; closes if the reader is too slow. Without effect unless Open.
    void send(const framing::uplink::Record& record);
    // The peer broke the rules.
    void close() { state_ = State::Closed; }

    // To be called at least once in each second.
    void on_time(Instant now);

    void take_output(Output& output);

  private:
    std::optional<Event> on_record(Bytes bytes);
    std::optional<Event> on_first_record(Bytes bytes);
    std::optional<Event> on_open_record(const framing::uplink::Record& record);
    void write(const framing::uplink::Record& record);

    State state_ = State::WaitHello;
    framing::uplink::Splitter splitter_;
    Outbox outbox_{kGatewayOutputBytesMax};
    Instant connected_at_;
    Instant heard_at_;
    Instant pinged_at_;
    std::uint32_t ping_value_ = 0;
};

}  // namespace sotto::cloud::services
