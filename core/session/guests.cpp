// SPDX-License-Identifier: Apache-2.0
#include "core/session/guests.hpp"

#include "core/session/fields.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

constexpr std::size_t kFirstSession = kOwnerSessions + kCloudSessions;

// Those of this generation, if there are any. Error::StorageFailed, Malformed: it cannot be said.
Status load_revoked(hal::Storage& storage,
                    std::uint32_t generation,
                    keystore::RevokedTokens& revoked) {
    const Status loaded = keystore::load_revoked(storage, revoked);
    if (loaded && revoked.generation == generation) return {};
    revoked = {.generation = generation};
    return loaded || loaded.error() == Error::NotFound ? Status{} : loaded;
}

bool is_revoked(const keystore::RevokedTokens& revoked, const keystore::TokenId& id) {
    for (const keystore::RevokedTokens::Token& token : revoked.tokens) {
        if (token.not_after != 0 && token.id == id) return true;
    }
    return false;
}

// What POST /m/guests wants: the token that is revoked.
Status parse_revocation(Bytes payload, keystore::RevokedTokens::Token& token) {
    cbor::Reader in{payload};
    in.require(in.map() == 2);
    read_bytes(in, 1, token.id);
    read_key(in, 2);
    const std::uint64_t not_after = in.uint();
    in.require(not_after != 0 && not_after <= Grant::kNever);
    token.not_after = static_cast<std::uint32_t>(not_after);
    return in.finish();
}

// Stores it in a place that is free, or is held for a token that has ended. Error::NoSpace,
// StorageFailed, Malformed.
Status revoke(Server& server, const keystore::RevokedTokens::Token& token, std::uint32_t time) {
    hal::Storage& storage = server.setup().storage;
    keystore::RevokedTokens revoked;
    SOTTO_TRY(load_revoked(storage, server.authority().generation(), revoked));
    if (is_revoked(revoked, token.id)) return {};
    for (keystore::RevokedTokens::Token& place : revoked.tokens) {
        if (place.not_after >= time) continue;
        place = token;
        return keystore::store_revoked(storage, revoked);
    }
    return Error::NoSpace;
}

}  // namespace

const cose::Credential* Guests::candidate(const cose::IdCred& id_cred, std::size_t n) const {
    if (id_cred.form() == cose::CredentialForm::Value) return nullptr;  // it is in the message
    for (const cose::Credential& trusted : setup_.trusted) {
        if (id_cred.matches(trusted) && n-- == 0) return &trusted;
    }
    return nullptr;
}

PairingVerdict Guests::admit(const Visitor& visitor, Role& role) {
    for (const cose::Credential& trusted : setup_.trusted) {
        if (trusted != visitor.credential) continue;
        role = Role::Trusted;
        return PairingVerdict::Accepted;
    }
    role = Role::Guest;
    return admit_guest(visitor);
}

// [SES-35]
PairingVerdict Guests::admit_guest(const Visitor& visitor) {
    const Authority& authority = visitor.authority;
    const auto token = visitor.ead_3.find(kEadAccessToken);
    Grant grant;
    if (!token || !token->value || !authority.has_owner() || setup_.rights.empty() ||
        !open_token(*token->value, authority.token_key(), grant) ||
        grant.holder != visitor.credential.hash()) {
        return PairingVerdict::NotPermitted;
    }
    next_ = {.token = grant.id,
             .generation = authority.generation(),
             .not_after = grant.not_after,
             .permissions = {.is_everything = !grant.scope}};
    if (grant.scope && !parse_scope(*grant.scope, visitor.setup.resources, next_.permissions)) {
        return PairingVerdict::NotPermitted;
    }
    if (grant.not_after != Grant::kNever && !setup_.clock.at(visitor.now)) {
        return PairingVerdict::TimeUnknown;
    }
    keystore::RevokedTokens revoked;
    if (!load_revoked(visitor.setup.storage, next_.generation, revoked))
        return PairingVerdict::TryAgain;
    const bool has_ended = is_over(next_, authority, visitor.now);
    return has_ended || is_revoked(revoked, grant.id) ? PairingVerdict::TokenOver
                                                      : PairingVerdict::Accepted;
}

// [SES-36] A generation has its K_tok: with the next one every token is void.
bool Guests::is_over(const GuestRights& rights, const Authority& authority, Moment now) const {
    const auto time = setup_.clock.at(now);
    return rights.generation != authority.generation() || (time && *time > rights.not_after);
}

GuestRights& Guests::rights_of(std::size_t session) const {
    SOTTO_ASSERT(session >= kFirstSession && session - kFirstSession < setup_.rights.size());
    return setup_.rights[session - kFirstSession];
}

void Guests::begin(const SessionEntry& session, const ServerSetup& setup) {
    rights_of(static_cast<std::size_t>(&session - setup.sessions.data())) = next_;
}

// [SES-38]
bool Guests::permits(const Server& server,
                     const Exchange& exchange,
                     ResourceKind kind,
                     std::uint8_t index) const {
    if (exchange.entry.role != Role::Guest) return true;
    const GuestRights& rights = rights_of(server.number_of(exchange.entry));
    return !is_over(rights, server.authority(), exchange.when()) &&
           rights.permissions.has(kind, index);
}

// [SES-37] What is stored first counts also if the power goes before the session ends.
coap::Code Guests::handle(Server& server, Exchange& exchange) {
    const coap::Body& body = exchange.body();
    if (body.code != coap::Code::Post) return coap::Code::MethodNotAllowed;
    keystore::RevokedTokens::Token token;
    if (!parse_revocation(body.payload, token)) return coap::Code::BadRequest;
    if (const coap::Code refusal = server.admit(exchange); refusal != coap::Code::Empty) {
        return refusal;
    }
    // Without the time only what is free is below it.
    const std::uint32_t time = setup_.clock.at(exchange.when()).value_or(1);
    const Status revoked = revoke(server, token, time);
    if (!revoked) return server.keep_result(exchange, coap::to_coap_code(revoked.error()));
    end_sessions(server, exchange.when(), &token.id);
    return server.keep_result(exchange, coap::Code::Changed);
}

void Guests::poll(Server& server, Moment now) { end_sessions(server, now, nullptr); }

void Guests::end_sessions(Server& server, Moment now, const keystore::TokenId* revoked) const {
    SessionTable& sessions = server.sessions();
    for (std::size_t i = kFirstSession; i < sessions.size(); ++i) {
        SessionEntry& entry = sessions.at(i);
        if (!entry.is_used || entry.role != Role::Guest) continue;
        const GuestRights& rights = rights_of(i);
        if (is_over(rights, server.authority(), now) ||
            (revoked != nullptr && rights.token == *revoked)) {
            server.end_session(entry);
        }
    }
}

}  // namespace sotto::session
