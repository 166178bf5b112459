// SPDX-License-Identifier: Apache-2.0
#include "core/session/client_handshake.hpp"

#include "core/keystore/private_key.hpp"
#include "core/session/session_table.hpp"

namespace sotto::session {
namespace {

constexpr std::uint8_t kCborTrue = 0xf5;  // in front of message_1 (RFC 9528 A.2)
constexpr std::array<edhoc::SuiteLabel, 2> kSuites{2, 3};
constexpr std::array<std::uint16_t, 1> kUnderstoodEad4{kEadPairingAnswer};

bool starts_with(Bytes bytes, Bytes prefix) {
    return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

}  // namespace

Result<Bytes> ClientHandshake::begin(MutBytes out) {
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey x, keystore::draw_private_key(setup_.entropy));
    std::uint8_t random = 0;
    SOTTO_TRY(setup_.entropy.fill(MutBytes{&random, 1}));
    const edhoc::ConnectionId c_i{SessionTable::id(random)};
    if (suites_.empty()) suites_.emplace_back(kSuites[0]);
    if (out.empty()) return Error::NoSpace;
    initiator_.emplace(setup_.identity);
    credential_.reset();
    out[0] = kCborTrue;
    SOTTO_TRY_ASSIGN(
        const Bytes message_1,
        initiator_->compose_message_1(edhoc::EphemeralKey::from(std::move(x)),
                                      {.suites = {suites_.data(), suites_.size()}, .c_i = c_i},
                                      out.subspan(1)));
    return Bytes{out}.first(1 + message_1.size());
}

Status ClientHandshake::on_message_2(Bytes payload, const Expected& expected) {
    if (!initiator_) return Error::WrongState;
    Scratch<edhoc::kScratchSize> scratch;
    const auto read = initiator_->on_message_2(payload, scratch.bytes(), {});
    if (!read) return Error::Malformed;  // also a C_R that equals C_I: nothing is proved yet
    const edhoc::Claim& claim = *read;
    std::optional<cose::Credential> credential;
    if (claim.id_cred.form() == cose::CredentialForm::Value) {
        SOTTO_TRY_ASSIGN(credential, cose::Credential::parse(claim.id_cred.body()));
    } else if (expected.known != nullptr && claim.id_cred.matches(*expected.known)) {
        credential = *expected.known;
    } else {
        return Error::NotFound;
    }
    if (const Status proved = initiator_->authenticate(claim, *credential); !proved) {
        if (proved.error() == Error::Refused) return Error::Unauthenticated;  // our own, reflected
        return proved;
    }
    // Only now is it sure that no flipped bit, but another device has answered [SES-4].
    if (!starts_with(credential->hash(), expected.hash_prefix)) {
        end();
        return Error::Refused;
    }
    credential_ = std::move(credential);
    return {};
}

Result<Bytes> ClientHandshake::compose_message_3(cose::CredentialForm form,
                                                 const Shown& shown,
                                                 MutBytes out) {
    if (!initiator_ || !credential_) return Error::WrongState;
    FixedVector<edhoc::EadItem, 1> ead_3;
    crypto::Hash proof{};
    if (!shown.token.empty()) {
        ead_3.emplace_back(
            edhoc::EadItem{.label = -std::int32_t{kEadAccessToken}, .value = shown.token});
    } else if (shown.secret != nullptr) {
        const crypto::Hash* th_3 = initiator_->th_3();
        if (th_3 == nullptr) return Error::WrongState;
        proof = pairing_proof(*shown.secret,
                              {.device_hash = credential_->hash(),
                               .th_3 = *th_3,
                               .id_cred_i = initiator_->id_cred_i(form),
                               .credential_i = setup_.identity.credential});
        ead_3.emplace_back(
            edhoc::EadItem{.label = -std::int32_t{kEadPairingProof}, .value = Bytes{proof}});
    }
    Scratch<edhoc::kScratchSize> scratch;
    SOTTO_TRY_ASSIGN(
        const Bytes message_3,
        initiator_->compose_message_3(form, {ead_3.data(), ead_3.size()}, scratch.bytes()));
    SOTTO_TRY_ASSIGN(const edhoc::OscoreKeys keys, initiator_->export_oscore());
    cbor::Writer writer{out};
    keys.sender_id.write(writer);  // C_R
    return writer.raw(message_3).finish();
}

Result<std::optional<PairingAnswer>> ClientHandshake::on_message_4(Bytes payload) {
    if (!initiator_) return Error::WrongState;
    Scratch<edhoc::kScratchSize> scratch;
    SOTTO_TRY_ASSIGN(const edhoc::Ead ead,
                     initiator_->on_message_4(payload, scratch.bytes(), kUnderstoodEad4));
    const auto item = ead.find(kEadPairingAnswer);
    if (!item) return std::optional<PairingAnswer>{};
    if (!item->value) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const PairingAnswer answer, parse_pairing_answer(*item->value));
    return std::optional<PairingAnswer>{answer};
}

Result<keystore::TokenKey> ClientHandshake::token_key(std::uint32_t generation) const {
    if (!initiator_ || !credential_) return Error::WrongState;
    std::array<std::uint8_t, kTokenKeyContextSizeMax> buffer;
    const Bytes context = token_key_context(
        credential_->hash(), setup_.identity.credential.hash(), generation, buffer);
    keystore::TokenKey key;
    SOTTO_TRY(initiator_->exporter(kExporterTokenKey, context, key.fill()));
    return key;
}

bool ClientHandshake::on_error(Bytes payload) {
    const auto error = edhoc::parse_error_message(payload);
    if (!error || error->code != static_cast<std::int64_t>(edhoc::ErrorCode::WrongSuite))
        return false;
    const auto suites =
        edhoc::retry_suites(kSuites, {error->suites_r.data(), error->suites_r.size()});
    if (!suites) return false;
    suites_ = *suites;
    return true;
}

}  // namespace sotto::session
