// SPDX-License-Identifier: Apache-2.0
#include "app/client/coap_exchange.hpp"

#include <algorithm>

#include "core/base/reader.hpp"

namespace sotto::app {
namespace {

// RFC 7252 §4.8. The first timeout is not drawn between 2 s and 3 s: one client resends here, not
// a fleet.
constexpr Duration kAckTimeout = milliseconds(2'500);
constexpr int kRetransmitMax = 4;

Failure silence(CoapExchange::Effect effect) {
    if (effect == CoapExchange::Effect::ChangesState)
        return {Trouble::OutcomeUnknown,
                "no answer came; the request may have been carried out",
                "Look at its effect before you repeat it"};
    return {Trouble::Unreachable,
            "no answer came",
            "Check address and port, and that the server speaks CoAP over UDP"};
}

constexpr bool is_matching_type(const coap::Header& header, std::uint16_t id) {
    return header.type != coap::Type::Acknowledgement || header.id == id;
}

}  // namespace

// How far a request has come.
struct CoapExchange::Progress {
    bool is_acknowledged = false;
    bool is_reset = false;
};

Outcome<coap::Header> CoapExchange::begin(coap::Code code) {
    std::array<std::uint8_t, 2> id{};
    if (!entropy_.fill(token_) || (!id_ && !entropy_.fill(id)))
        return Failure{Trouble::State, "the system gives no random numbers", "Try again later"};
    id_ = static_cast<std::uint16_t>(id_ ? *id_ + 1 : id[0] << 8 | id[1]);
    return coap::Header{coap::Type::Confirmable, code, *id_, token_};
}

Outcome<coap::Message> CoapExchange::send(Bytes message, Effect effect, Duration patience) {
    const Instant end = now_() + patience;
    Instant next_try = now_();
    Duration timeout = kAckTimeout;
    int try_count = 0;
    Progress progress;
    while (now_() < end) {
        if (!progress.is_acknowledged && now_() >= next_try && try_count <= kRetransmitMax) {
            if (!transport_.send(message)) break;
            next_try = now_() + timeout;
            timeout = milliseconds(2 * timeout.ms);
            ++try_count;
        }
        const bool resends = !progress.is_acknowledged && try_count <= kRetransmitMax;
        const Arrival arrival = transport_.wait((resends ? std::min(next_try, end) : end) - now_());
        if (const auto* lost = std::get_if<Lost>(&arrival))
            return effect == Effect::None ? lost->why : silence(effect);
        // Only before a first try may have arrived is it sure that nothing was done.
        const auto* not_passed_on = std::get_if<NotPassedOn>(&arrival);
        if (not_passed_on != nullptr && try_count == 1) return not_passed_on->why;
        const auto* received = std::get_if<Received>(&arrival);
        if (received == nullptr) continue;
        if (const auto response = take(received->message, progress)) return *response;
        if (progress.is_reset)
            return Failure{Trouble::Refused,
                           "the server does not take this message",
                           "Check that it speaks CoAP with OSCORE"};
    }
    return silence(effect);
}

Outcome<std::optional<coap::Message>> CoapExchange::next(Duration limit) {
    const Instant end = now_() + limit;
    Progress progress;
    do {
        const Arrival arrival = transport_.wait(std::max(end - now_(), milliseconds(0)));
        if (const auto* lost = std::get_if<Lost>(&arrival)) return lost->why;
        const auto* received = std::get_if<Received>(&arrival);
        if (received == nullptr) continue;
        if (auto response = take(received->message, progress)) return response;
    } while (now_() < end);
    return std::optional<coap::Message>{};
}

std::optional<coap::Message> CoapExchange::take(Bytes bytes, Progress& progress) {
    response_.assign(bytes.begin(), bytes.end());
    transport_.acknowledge();
    const auto message = coap::parse_message(response_);
    if (!message) {
        if (const auto rejection = coap::rejection_of(response_))
            static_cast<void>(transport_.send(*rejection));
        return std::nullopt;
    }
    const coap::Header& header = message->header;
    if (coap::is_response(header.code) && equal(header.token, token_) &&
        is_matching_type(header, *id_)) {
        if (header.type == coap::Type::Confirmable) reply(coap::Type::Acknowledgement, header.id);
        return *message;
    }
    if (header.type == coap::Type::Confirmable) reply(coap::Type::Reset, header.id);
    if (header.id != *id_) return std::nullopt;
    progress.is_acknowledged |= header.type == coap::Type::Acknowledgement;
    progress.is_reset |= header.type == coap::Type::Reset;
    return std::nullopt;
}

void CoapExchange::reply(coap::Type type, std::uint16_t id) {
    // Lost, it is asked for again.
    static_cast<void>(transport_.send(coap::empty_message(type, id)));
}

}  // namespace sotto::app
