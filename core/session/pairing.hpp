// SPDX-License-Identifier: Apache-2.0
// How an app proves that it has read a device's code, and what the device answers (docs/protocol,
// SES-20 to SES-26). No allocation.
#pragma once

#include "core/cose/id_cred.hpp"
#include "core/keystore/records.hpp"

namespace sotto::session {

// EAD labels without the sign that makes them critical.
inline constexpr std::uint16_t kEadPairingProof = 32769;
inline constexpr std::uint16_t kEadPairingAnswer = 32770;
inline constexpr std::uint16_t kEadAccessToken = 32771;

// What EDHOC knows by the time of message_3.
struct PairingTranscript {
    const crypto::Hash& device_hash;  // SHA-256(CRED_R)
    const crypto::Hash& th_3;
    const cose::IdCred& id_cred_i;
    const cose::Credential& credential_i;
};

// The proof of a pairing secret over a transcript [SES-21].
crypto::Hash pairing_proof(const keystore::PairingSecret& secret,
                           const PairingTranscript& transcript);

// The wire numbers of [SES-22]: what is answered to a proof, a token, or a key that has none.
enum class PairingVerdict : std::uint8_t {
    Accepted = 0,
    NotPermitted = 1,
    OtherOwner = 2,
    PressButton = 3,
    TryAgain = 4,
    TimeUnknown = 5,  // the token has an end, and the device does not know the time
    TokenOver = 6,    // it has ended, or was revoked
};

struct PairingAnswer {
    PairingVerdict verdict = PairingVerdict::NotPermitted;
    std::uint32_t generation = 0;
};

inline constexpr std::size_t kPairingAnswerSizeMax = 6;

// The value of the EAD_4 item, without the byte string around it.
Bytes encode_pairing_answer(const PairingAnswer& answer, MutBytesN<kPairingAnswerSizeMax> out);
// Error::Malformed, Truncated; Error::Unsupported for an unknown code.
Result<PairingAnswer> parse_pairing_answer(Bytes value);

inline constexpr std::size_t kTokenKeyContextSizeMax = 2 * (2 + crypto::kHashSize) + 5;

// The context argument of the exporter for K_tok [SES-26], without the byte string around it.
Bytes token_key_context(const crypto::Hash& device_hash,
                        const crypto::Hash& owner_hash,
                        std::uint32_t generation,
                        MutBytesN<kTokenKeyContextSizeMax> out);
inline constexpr std::uint16_t kExporterTokenKey = 32768;

}  // namespace sotto::session
