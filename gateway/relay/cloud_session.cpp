// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/cloud_session.hpp"

#include <array>
#include <utility>

namespace sotto::gateway::relay {

namespace up = framing::uplink;

std::uint16_t CloudSession::credit() const {
    const auto* open = std::get_if<Open>(&state_);
    SOTTO_ASSERT(open != nullptr);
    return open->credit;
}

void CloudSession::on_time(Instant now, Outputs& out) {
    if (const auto* waiting = std::get_if<Waiting>(&state_)) {
        if (now < waiting->until) return;
        state_ = Connecting{now + kConnectTimeMax};
        out.push_back(ConnectCloud{id_});
    } else if (const auto* connecting = std::get_if<Connecting>(&state_)) {
        if (now >= connecting->deadline) close(Break::NotConnected, out);
    } else if (const auto* greeting = std::get_if<Greeting>(&state_)) {
        if (now >= greeting->deadline) close(Break::NoWelcome, out);
    } else if (auto* open = std::get_if<Open>(&state_)) {
        on_open_time(*open, now, out);
    }
}

void CloudSession::on_open_time(Open& open, Instant now, Outputs& out) {
    const Duration silence_max{open.ping_interval.ms * kSilentIntervalsMax};
    if (now >= open.last_heard + silence_max) return close(Break::Silent, out);  // [UPL-41]
    if (now < open.next_ping) return;
    open.next_ping = now + open.ping_interval;
    if (now < open.last_heard + open.ping_interval) return;
    send(up::Ping{++ping_value_}, out);
}

void CloudSession::on_up(Instant now, Outputs& out) {
    if (!std::holds_alternative<Connecting>(state_)) return;
    state_ = Greeting{now + kWelcomeTimeMax};
    send(up::Hello{token_}, out);
}

bool CloudSession::on_down(Instant now, Jitter jitter) {
    if (std::holds_alternative<Waiting>(state_)) return false;
    const bool was_open = is_open();
    state_ = Waiting{now + backoff_.next(jitter)};
    return was_open;
}

std::optional<up::Record> CloudSession::on_record(Bytes bytes, Instant now, Outputs& out) {
    const bool greeting = std::holds_alternative<Greeting>(state_);
    if (!greeting && !is_open()) return std::nullopt;  // what a closing connection still had
    const auto record = up::parse_record(bytes, up::Side::Cloud);
    if (!record) {
        close(Break::Malformed, out);  // [UPL-3]
        return std::nullopt;
    }
    if (greeting) {
        if (on_greeting(*record, now, out)) return *record;
        return std::nullopt;
    }
    std::get<Open>(state_).last_heard = now;
    if (const auto* ping = std::get_if<up::Ping>(&*record)) {
        send(up::Pong{ping->value}, out);
    } else if (std::holds_alternative<up::Welcome>(*record) ||
               std::holds_alternative<up::Refused>(*record)) {
        close(Break::Malformed, out);  // [UPL-12]
    } else if (!std::holds_alternative<up::Pong>(*record)) {
        return *record;
    }
    return std::nullopt;
}

// [UPL-12]: the answer to HELLO is WELCOME or REFUSED and nothing else. True for WELCOME.
bool CloudSession::on_greeting(const up::Record& record, Instant now, Outputs& out) {
    if (const auto* welcome = std::get_if<up::Welcome>(&record)) {
        on_welcome(*welcome, now, out);
        return true;
    }
    if (const auto* refused = std::get_if<up::Refused>(&record)) {
        out.push_back(CloudRefused{id_, refused->reason});
        backoff_.raise();
        close(Break::Refused, out);
    } else {
        close(Break::Malformed, out);
    }
    return false;
}

void CloudSession::on_welcome(const up::Welcome& welcome, Instant now, Outputs& out) {
    const Duration interval = seconds(welcome.ping_interval_s);
    state_ = Open{.credit = welcome.credit,
                  .ping_interval = interval,
                  .last_heard = now,
                  .next_ping = now + interval};
    backoff_.reset();
    out.push_back(CloudWelcomed{id_});
}

void CloudSession::send(const up::Record& record, Outputs& out) const {
    std::array<std::uint8_t, framing::kUplinkBytesMax> buffer;
    const auto bytes = up::encode_record(buffer, record);
    SOTTO_ASSERT(bytes);
    out.push_back(SendToCloud{id_, {bytes->begin(), bytes->end()}});
}

void CloudSession::close(Break why, Outputs& out) {
    if (std::holds_alternative<Closing>(state_)) return;
    state_ = Closing{};
    out.push_back(CloseCloud{id_, why});
}

}  // namespace sotto::gateway::relay
