// SPDX-License-Identifier: Apache-2.0
// The client's handshakes.
#include "core/session/client.hpp"
#include "core/session/client_options.hpp"

namespace sotto::session {
namespace {

constexpr std::uint16_t kFormatCidEdhoc = 65;  // RFC 9528 §10.9
constexpr std::size_t kConnectionIdRoom = 1 + edhoc::kConnectionIdSizeMax;

// Why a device lets nobody in with this key, and this token.
Reason reason_of(PairingVerdict verdict) {
    if (verdict == PairingVerdict::TimeUnknown) return Reason::TimeUnknown;
    if (verdict == PairingVerdict::TokenOver) return Reason::TokenOver;
    return Reason::NotAdmitted;
}

}  // namespace

std::optional<Event> Client::begin_handshake(Instant now) {
    if (++job_.handshake_count > kHandshakeTryMax) return fail(Reason::NoSession, now);
    job_.needs_handshake = true;
    std::array<std::uint8_t, kHandshakeMessageMax> buffer;
    const auto payload = handshake_.begin(buffer);
    if (!payload) return fail(Reason::OwnState, now);
    return post_edhoc(Step::Message1, *payload, now);
}

std::optional<Event> Client::post_edhoc(Step step, Bytes payload, Instant now) {
    Token token;
    if (!setup_.entropy.fill(token)) return fail(Reason::OwnState, now);
    const auto header = exchange_.begin(coap::Code::Post, token, setup_.entropy);
    if (!header) return fail(Reason::OwnState, now);
    coap::MessageWriter writer{exchange_.buffer(), *header};
    writer.options().add_path("/.well-known/edhoc");
    writer.options().add_uint(coap::kContentFormat, kFormatCidEdhoc);
    const auto message = writer.payload(payload).finish();
    SOTTO_ASSERT(message.has_value());  // far below kMessageSizeMax
    exchange_.send(message->size(), now, job_.until);
    job_.step = step;
    return std::nullopt;
}

std::optional<Event> Client::on_edhoc_answer(const coap::Message& message, Instant now) {
    if (message.header.code == coap::Code::ServiceUnavailable) {
        --job_.handshake_count;  // it was not begun
        return pause(now, max_age_of(message.options));
    }
    if (!coap::is_success(message.header.code)) {
        if (handshake_.on_error(message.payload)) return begin_handshake(now);
        return pause(now, kHandshakePause);
    }
    return job_.step == Step::Message1 ? on_message_2(message.payload, now)
                                       : on_message_4(message.payload, now);
}

std::optional<Event> Client::on_message_2(Bytes payload, Instant now) {
    const Status proved =
        handshake_.on_message_2(payload, {.hash_prefix = job_.expected, .known = setup_.known});
    if (!proved) {
        // A forged or damaged message_2 may be followed by the true one.
        return proved.error() == Error::Refused ? fail(Reason::NotTheDevice, now) : std::nullopt;
    }
    device_ = handshake_.credential();
    const bool is_pairing = job_.kind == JobKind::Pair;
    if (is_pairing) {
        const auto known = keystore::load_peer(setup_.storage);
        job_.was_paired = known && known->is_paired;
        if (!keep_peer(false)) return fail(Reason::OwnState, now);  // [SES-23]
    }
    keystore::TokenBytes token;
    if (is_pairing || !keystore::load_token(setup_.storage, token)) token.resize(0);
    // A device that does not know our kid gets the whole credential at the next try.
    const bool by_value = is_pairing || !token.empty() || job_.handshake_count > 1;
    std::array<std::uint8_t, edhoc::kScratchSize + kConnectionIdRoom> buffer;
    const auto message_3 = handshake_.compose_message_3(
        by_value ? cose::CredentialForm::Value : setup_.form,
        {.secret = is_pairing ? &job_.secret : nullptr, .token = token},
        buffer);
    if (!message_3) return fail(Reason::OwnState, now);
    return post_edhoc(Step::Message3, *message_3, now);
}

std::optional<Event> Client::on_message_4(Bytes payload, Instant now) {
    const auto answer = handshake_.on_message_4(payload);
    if (!answer) return std::nullopt;  // the true one may follow
    const PairingVerdict verdict = *answer ? (*answer)->verdict : PairingVerdict::Accepted;
    const bool is_pairing = job_.kind == JobKind::Pair;
    if (verdict != PairingVerdict::Accepted || (is_pairing && !*answer)) {
        if (!is_pairing) return fail(reason_of(verdict), now);
        if (job_.was_paired) keep_peer(true);
        return end(Paired{*answer ? verdict : PairingVerdict::NotPermitted});
    }
    if (is_pairing && !keep_pairing((*answer)->generation)) return fail(Reason::OwnState, now);
    const auto keys = handshake_.keys();
    if (!keys || !session_.replace(*keys, now)) return fail(Reason::OwnState, now);
    on_new_session(now);
    if (is_pairing) return end(Paired{PairingVerdict::Accepted});
    return proceed(now);
}

void Client::on_new_session(Instant now) {
    handshake_.end();
    job_.needs_handshake = false;
    echo_ = {};
    for (Observation& observation : observations_) {  // they ended with the old session
        observation.is_registered = false;
        observation.pending.reset();
        observation.newest.reset();
        observation.renew_at = now;
    }
}

// Marks the pairing with this device as finished or not; what was known of it stays.
bool Client::keep_peer(bool is_paired) {
    keystore::PeerRecord peer;
    if (auto known = keystore::load_peer(setup_.storage)) {
        const bool is_same = device_ && equal(known->credential, device_->bytes());
        if (is_same) peer = std::move(*known);
    }
    peer.is_paired = is_paired;
    peer.credential = keystore::CredentialBytes{device_->bytes()};
    return keystore::store_peer(setup_.storage, peer).has_value();
}

bool Client::keep_pairing(std::uint32_t generation) {
    auto token_key = handshake_.token_key(generation);
    if (!token_key) return false;
    keystore::PeerRecord peer{.is_paired = true,
                              .generation = generation,
                              .credential = keystore::CredentialBytes{device_->bytes()},
                              .token_key = *std::move(token_key)};
    return keystore::store_peer(setup_.storage, peer).has_value();
}

}  // namespace sotto::session
