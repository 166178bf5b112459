// SPDX-License-Identifier: Apache-2.0
// What the owner of a device gives to a guest: an access token, that is a CWT (RFC 8392) under a
// COSE MAC (RFC 9052 §6.2) whose key, K_tok, device and owner alone have (docs/protocol/session.md,
// SES-33 to SES-39). No allocation.
#pragma once

#include <limits>

#include "core/keystore/records.hpp"
#include "core/session/resources.hpp"

namespace sotto::session {

// What a token says.
struct Grant {
    static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

    keystore::TokenId id{};            // cti
    crypto::Hash holder{};             // cnf, as kid: the SHA-256 of the guest's credential
    std::uint32_t not_after = kNever;  // exp, in seconds since 1970
    std::optional<Bytes> scope = {};   // AIF (RFC 9237), encoded; without it, everything
};

// COSE_Mac0 with HMAC 256/256 over a payload: its tag (RFC 9052 §6.3, RFC 9053 §3.1).
crypto::Hash mac0_tag(Bytes key, Bytes payload);

// A token, at the front of `out`; keystore::kTokenSizeMax is always enough room, and
// Error::NoSpace means that its scope is too long.
Result<Bytes> issue_token(const Grant& grant, const keystore::TokenKey& key, MutBytes out);

// What a token says, if this key made it; the scope is in the token and has not been looked at.
// Error::Unauthenticated: another key did. Error::Malformed, Truncated: it is no such token, or has
// claims that are not known here.
Status open_token(Bytes token, const keystore::TokenKey& key, Grant& grant);

// REST-method-set (RFC 9237 §3) of what a guest does with a resource of this kind: POST to a
// function, GET of the others. `letter`: of kKindLetters.
constexpr std::uint32_t method_bit(char letter) { return letter == 'f' ? 1U << 1 : 1U << 0; }

// What a guest may use: a bit for each of the first 32 functions, variables and events.
struct Permissions {
    std::array<std::uint32_t, kKindLetters.size()> bits{};
    bool is_everything = false;

    bool has(ResourceKind kind, std::uint8_t index) const;
};
// Those of a scope, among the resources of this device: POST of /f/NAME, GET of /v/NAME and
// /e/NAME. What it names beside them gives nothing. Error::Malformed, Truncated.
Status parse_scope(Bytes scope, const Resources& resources, Permissions& permissions);

}  // namespace sotto::session
