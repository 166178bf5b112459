// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/uplink_session.hpp"

#include <array>

#include "core/base/assert.hpp"

namespace sotto::cloud::services {

namespace uplink = framing::uplink;

UplinkSession::UplinkSession(Instant now) : connected_at_(now), heard_at_(now), pinged_at_(now) {}

std::optional<UplinkSession::Event> UplinkSession::next(Bytes& input, Instant now) {
    while (!is_closed()) {
        const auto record = splitter_.next(input);
        if (!record) {
            close();
            break;
        }
        if (!record->has_value()) return std::nullopt;
        heard_at_ = now;
        auto event = on_record(**record);
        if (event) return event;
    }
    input = {};
    return std::nullopt;
}

std::optional<UplinkSession::Event> UplinkSession::on_record(Bytes bytes) {
    if (state_ == State::WaitHello) return on_first_record(bytes);
    const auto record = uplink::parse_record(bytes, uplink::Side::Gateway);
    if (!record || state_ != State::Open) {
        close();
        return std::nullopt;
    }
    return on_open_record(*record);
}

std::optional<UplinkSession::Event> UplinkSession::on_first_record(Bytes bytes) {
    const auto record = uplink::parse_record(bytes, uplink::Side::Gateway);
    constexpr std::uint8_t kHello = 0x01;
    const bool is_other_version =
        !record && record.error() == Error::Unsupported && bytes.front() == kHello;
    const auto* hello = record ? std::get_if<uplink::Hello>(&*record) : nullptr;
    if (hello == nullptr) {
        if (is_other_version) write(uplink::Refused{.reason = uplink::Reason::Version});
        close();
        return std::nullopt;
    }
    state_ = State::WaitToken;
    return TokenShown{.token = hello->token};
}

std::optional<UplinkSession::Event> UplinkSession::on_open_record(const uplink::Record& record) {
    if (const auto* wanted = std::get_if<uplink::TagsWanted>(&record)) return *wanted;
    if (const auto* up = std::get_if<uplink::LinkUp>(&record)) return *up;
    if (const auto* down = std::get_if<uplink::LinkDown>(&record)) return *down;
    if (const auto* message = std::get_if<uplink::Message>(&record)) return *message;
    if (const auto* credit = std::get_if<uplink::Credit>(&record)) return *credit;
    if (const auto* ping = std::get_if<uplink::Ping>(&record)) {
        send(uplink::Pong{.value = ping->value});
        return std::nullopt;
    }
    // A second HELLO is an error; any PONG is a sign of life and says no more.
    if (!std::holds_alternative<uplink::Pong>(record)) close();
    return std::nullopt;
}

void UplinkSession::welcome() {
    if (state_ != State::WaitToken) return;
    state_ = State::Open;
    send(uplink::Welcome{.credit = kLinkCredit,
                         .ping_interval_s = static_cast<std::uint16_t>(kPingInterval.ms / 1'000)});
}

void UplinkSession::refuse(uplink::Reason reason) {
    if (state_ != State::WaitToken) return;
    write(uplink::Refused{.reason = reason});
    close();
}

void UplinkSession::send(const uplink::Record& record) {
    if (is_open()) write(record);
}

void UplinkSession::write(const uplink::Record& record) {
    std::array<std::uint8_t, framing::kUplinkBytesMax> scratch;  // NOLINT: written before read
    const auto bytes = uplink::encode_record(scratch, record);
    SOTTO_ASSERT(bytes.has_value());
    if (!outbox_.add(*bytes)) close();
}

void UplinkSession::on_time(Instant now) {
    if (state_ == State::WaitHello && now - connected_at_ >= kHelloTimeMax) close();
    if (!is_open()) return;
    if (now - heard_at_ >= Duration{kPingInterval.ms * kSilentIntervalsMax}) {
        close();
        return;
    }
    if (now - heard_at_ < kPingInterval || now - pinged_at_ < kPingInterval) return;
    pinged_at_ = now;
    send(uplink::Ping{.value = ++ping_value_});
}

void UplinkSession::take_output(Output& output) {
    outbox_.take(output);
    output.close = is_closed();
}

}  // namespace sotto::cloud::services
