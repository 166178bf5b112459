// SPDX-License-Identifier: Apache-2.0
#include "core/session/handshakes.hpp"

#include "core/keystore/private_key.hpp"

namespace sotto::session {
namespace {

// Only a device that lets guests in understands the last one.
constexpr std::array<std::uint16_t, 2> kUnderstoodEad3{kEadPairingProof, kEadAccessToken};

void release(HalfOpen& slot) {
    slot.responder.reset();
    slot.is_answered = false;
    slot.received = {};
    slot.reply = {};
}

// The front of what slot.reply keeps; keep_reply() says how much of it.
MutBytes room_for_reply(HalfOpen& slot) {
    slot.reply.resize(kHandshakeMessageMax);
    return slot.reply.fill();
}

// Precondition: the message is at the front of room_for_reply().
Status keep_reply(HalfOpen& slot, const Result<Bytes>& message) {
    slot.reply.resize(message ? message->size() : 0);
    if (!message) return message.error();
    return {};
}

}  // namespace

Handshakes::Handshakes(const ServerSetup& setup, Authority& authority, SessionTable& sessions)
    : setup_(setup), authority_(authority), sessions_(sessions) {
    for (Bucket& bucket : buckets_) bucket.tokens = setup.handshake_rate.burst;
    SOTTO_ASSERT(setup.half_open.size() >= kHalfOpenSlots);
    SOTTO_ASSERT(setup.scratch.size() >= edhoc::kScratchSize);
}

Handshakes::Reply Handshakes::on_message_1(Bytes message, Channel channel, Moment now) {
    expire(now);
    const Fingerprint received = fingerprint_of(message);
    if (const HalfOpen* repeated = find_repeated(received); repeated != nullptr) {  // [SES-12]
        return {.kind = ReplyKind::Message, .payload = repeated->reply};
    }
    if (!take_token(channel, now)) return {};  // [SES-14] before any elliptic-curve operation

    HalfOpen& slot = choose_slot(channel);
    release(slot);
    slot.channel = channel;
    slot.expires = channel.is_relay() ? now + kHalfOpenLifetimeRelay : now + kHalfOpenLifetimeAir;
    slot.received = received;
    const Status answered = answer_message_1(slot, message);
    if (answered) return {.kind = ReplyKind::Message, .payload = slot.reply};
    const Error why = answered.error();
    const bool is_ours = why == Error::EntropyFailed || why == Error::NoSpace;
    const Reply reply = is_ours ? Reply{} : error_reply(&slot, why);
    release(slot);
    return reply;
}

bool Handshakes::take_token(Channel channel, Moment now) {
    Bucket& bucket = buckets_[channel.is_direct_air() ? 0 : channel.is_relay() ? 1 : 2];
    const Rate& rate = setup_.handshake_rate;
    const std::uint32_t now_ms = now.tenths * 100;
    const auto refill_ms = static_cast<std::uint32_t>(rate.refill.ms);
    while (bucket.tokens < rate.burst && now_ms - bucket.filled_at >= refill_ms) {
        bucket.filled_at += refill_ms;
        ++bucket.tokens;
    }
    if (bucket.tokens == rate.burst) bucket.filled_at = now_ms;  // saves up no time
    if (bucket.tokens == 0) return false;
    --bucket.tokens;
    return true;
}

Status Handshakes::answer_message_1(HalfOpen& slot, Bytes message) {
    edhoc::Responder& responder = slot.responder.emplace(setup_.identity);
    edhoc::Responder::Message1 message_1;
    SOTTO_TRY(responder.on_message_1(message, {}, message_1));
    SOTTO_TRY(choose_c_r(message_1.c_i, slot.c_r));
    edhoc::EphemeralKey y;
    SOTTO_TRY(keystore::draw_private_key(setup_.entropy, y.private_key));
    y.public_key = crypto::dh_public(y.private_key);
    // A pairing code names a hash: on the air the credential itself has to come.
    const bool is_air = slot.channel.path == Channel::kAir;
    const cose::CredentialForm form = is_air ? cose::CredentialForm::Value : setup_.form;
    return keep_reply(slot,
                      responder.compose_message_2(
                          std::move(y), {.c_r = slot.c_r, .form = form}, room_for_reply(slot)));
}

Handshakes::Reply Handshakes::on_message_3(Bytes c_r_and_message, Moment now) {
    expire(now);
    cbor::Reader in{c_r_and_message};
    const edhoc::ConnectionId c_r = edhoc::ConnectionId::read(in);
    if (const Status read = in.status(); !read) return error_reply(nullptr, read.error());
    HalfOpen* slot = find_slot(c_r.view());
    if (slot == nullptr) return error_reply(nullptr, Error::WrongState);

    const Fingerprint received = fingerprint_of(in.rest());
    if (slot->is_answered) {
        if (slot->received != received) return error_reply(nullptr, Error::WrongState);
        return {.kind = ReplyKind::Message, .payload = slot->reply};  // [SES-12]
    }
    const Status answered = answer_message_3(*slot, in.rest(), now);
    wipe(setup_.scratch);
    if (!answered) {
        const Reply reply = error_reply(slot, answered.error());
        if (slot->responder->has_failed()) release(*slot);
        return reply;  // otherwise still half open [SES-13]
    }
    slot->is_answered = true;
    slot->received = received;
    return {.kind = ReplyKind::Message, .payload = slot->reply};
}

Status Handshakes::answer_message_3(HalfOpen& slot, Bytes message, Moment now) {
    edhoc::Claim claim;
    const std::size_t understood = setup_.parts.admission != nullptr ? 2 : 1;
    SOTTO_TRY(slot.responder->on_message_3(
        message, setup_.scratch, std::span{kUnderstoodEad3}.first(understood), claim));
    cose::Credential room;
    const cose::Credential* authenticated = nullptr;
    SOTTO_TRY(authenticate(slot, claim, room, authenticated));
    const cose::Credential& credential = *authenticated;

    Role role = Role::Owner;
    PairingAnswer answer;
    const bool is_pairing = claim.ead.find(kEadPairingProof).has_value();
    if (is_pairing) {
        answer.generation = authority_.next_generation();
        answer.verdict = pair(slot, claim, credential, now);
    } else {
        answer.verdict = identify(claim, credential, now, role);
    }
    const bool is_accepted = answer.verdict == PairingVerdict::Accepted;
    SOTTO_TRY(compose_message_4(slot, is_pairing || !is_accepted ? &answer : nullptr));
    return is_accepted ? open_session(slot, role, now) : Status{};
}

Status Handshakes::authenticate(HalfOpen& slot,
                                const edhoc::Claim& claim,
                                cose::Credential& room,
                                const cose::Credential*& found) {
    const Admission* admission = setup_.parts.admission;
    Status why = Error::NotFound;
    found = authority_.find(claim.id_cred, room) ? &room : nullptr;
    for (std::size_t n = 0;; ++n) {  // a kid selects candidates [SES-3]
        if (found != nullptr) why = slot.responder->authenticate(claim, *found);
        if (why || slot.responder->has_failed() || admission == nullptr) return why;
        found = admission->candidate(claim.id_cred, n);
        if (found == nullptr) return why;
    }
}

PairingVerdict Handshakes::identify(const edhoc::Claim& claim,
                                    const cose::Credential& credential,
                                    Moment now,
                                    Role& role) {
    if (authority_.find_role(credential, role)) return PairingVerdict::Accepted;
    Admission* admission = setup_.parts.admission;
    if (admission == nullptr) return PairingVerdict::NotPermitted;
    return admission->admit({.credential = credential,
                             .ead_3 = claim.ead,
                             .authority = authority_,
                             .setup = setup_,
                             .now = now},
                            role);
}

PairingVerdict Handshakes::pair(HalfOpen& slot,
                                const edhoc::Claim& claim,
                                const cose::Credential& credential,
                                Moment now) {
    const auto proof = claim.ead.find(kEadPairingProof);
    if (claim.id_cred.form() != cose::CredentialForm::Value || !proof || !proof->value) {
        return PairingVerdict::NotPermitted;  // [SES-21]
    }
    const crypto::Hash* th_3 = slot.responder->th_3();
    SOTTO_ASSERT(th_3 != nullptr);
    const crypto::Hash& device_hash = setup_.identity.credential.hash();
    const crypto::Hash expected = pairing_proof(authority_.pairing_secret(),
                                                {.device_hash = device_hash,
                                                 .th_3 = *th_3,
                                                 .id_cred_i = claim.id_cred,
                                                 .credential_i = credential});
    const PairingVerdict verdict = authority_.judge(
        {.credential = credential, .proof = *proof->value, .expected = expected}, now);
    if (verdict != PairingVerdict::Accepted) return verdict;

    std::array<std::uint8_t, kTokenKeyContextSizeMax> buffer;
    const Bytes context =
        token_key_context(device_hash, credential.hash(), authority_.next_generation(), buffer);
    keystore::TokenKey token_key;
    if (!slot.responder->exporter(kExporterTokenKey, context, token_key.fill()) ||
        !authority_.accept_owner(credential, std::move(token_key))) {
        return PairingVerdict::TryAgain;
    }
    return PairingVerdict::Accepted;
}

Status Handshakes::compose_message_4(HalfOpen& slot, const PairingAnswer* answer) {
    std::array<std::uint8_t, kPairingAnswerSizeMax> value;
    edhoc::EadItem item{.label = -std::int32_t{kEadPairingAnswer}, .value = std::nullopt};
    if (answer != nullptr) item.value = encode_pairing_answer(*answer, value);
    return keep_reply(slot,
                      slot.responder->compose_message_4({&item, answer != nullptr ? 1U : 0U},
                                                        room_for_reply(slot)));
}

Status Handshakes::open_session(HalfOpen& slot, Role role, Moment now) {
    edhoc::OscoreKeys keys;
    SOTTO_TRY(slot.responder->export_oscore(keys));
    SessionEntry* entry = nullptr;
    SOTTO_TRY(sessions_.add(keys, role, now, entry));
    if (role == Role::Guest) setup_.parts.admission->begin(*entry, setup_);
    return {};
}

Status Handshakes::choose_c_r(const edhoc::ConnectionId& c_i, edhoc::ConnectionId& c_r) {
    std::uint8_t start = 0;
    SOTTO_TRY(setup_.entropy.fill(MutBytes{&start, 1}));
    for (std::size_t i = 0; i < SessionTable::kIdCount; ++i) {  // [SES-15]
        const std::uint8_t number = SessionTable::id(start + i);
        const Bytes id{&number, 1};
        if (equal(id, c_i.view()) || sessions_.find(id) != nullptr) continue;
        if (find_slot(id) != nullptr) continue;
        c_r = edhoc::ConnectionId{number};
        return {};
    }
    return Error::NoSpace;
}

HalfOpen& Handshakes::choose_slot(Channel channel) {
    HalfOpen* chosen = nullptr;
    for (HalfOpen& slot : setup_.half_open.subspan(channel.is_direct_air() ? 0 : 1)) {
        if (!slot.responder || slot.channel == channel) return slot;
        if (chosen == nullptr || slot.expires < chosen->expires) chosen = &slot;
    }
    SOTTO_ASSERT(chosen != nullptr);
    return *chosen;
}

HalfOpen* Handshakes::find_slot(Bytes c_r) {
    for (HalfOpen& slot : setup_.half_open) {
        if (slot.responder && equal(slot.c_r.view(), c_r)) return &slot;
    }
    return nullptr;
}

HalfOpen* Handshakes::find_repeated(const Fingerprint& received) {
    for (HalfOpen& slot : setup_.half_open) {
        if (slot.responder && !slot.is_answered && slot.received == received) return &slot;
    }
    return nullptr;
}

Handshakes::Reply Handshakes::error_reply(const HalfOpen* slot, Error why) const {
    const auto error = slot != nullptr ? slot->responder->compose_error(why, setup_.scratch)
                                       : edhoc::encode_error_message(why, setup_.scratch);
    return {.kind = ReplyKind::ClientError, .payload = error.value_or(Bytes{})};
}

void Handshakes::on_confirmed(Bytes recipient_id) {
    if (HalfOpen* slot = find_slot(recipient_id); slot != nullptr) release(*slot);
}

void Handshakes::clear() {
    for (HalfOpen& slot : setup_.half_open) release(slot);
}

bool Handshakes::is_active(Moment now) const {
    for (const HalfOpen& slot : setup_.half_open) {
        if (slot.responder && now < slot.expires) return true;
    }
    return false;
}

void Handshakes::expire(Moment now) {
    for (HalfOpen& slot : setup_.half_open) {
        if (slot.responder && now >= slot.expires) release(slot);
    }
}

}  // namespace sotto::session
