// SPDX-License-Identifier: Apache-2.0
// What Initiator and Responder have in common. No allocation.
#pragma once

#include "core/cose/id_cred.hpp"
#include "core/crypto/dh.hpp"
#include "core/edhoc/connection_id.hpp"
#include "core/edhoc/ead.hpp"
#include "core/edhoc/suite.hpp"

namespace sotto::edhoc {

// Who we are. Borrowed: both must outlive the handshake.
struct Identity {
    const cose::Credential& credential;
    const crypto::DhPrivateKey& private_key;
};

// What message_1 and message_2 settle.
struct Terms {
    ConnectionId c_i;
    ConnectionId c_r;
    Suite suite = Suite::Two;
};

// A key pair for one handshake. Never use one twice (RFC 9528 §9.2).
struct EphemeralKey {
    // Costs one scalar multiplication; may be made ahead of time.
    static EphemeralKey from(crypto::DhPrivateKey private_key);

    crypto::DhPrivateKey private_key;
    crypto::DhPublicKey public_key;
};

// What the plaintext of message_2 or message_3 claims. Nothing of it is proved before
// authenticate() has succeeded with it. Views into the scratch memory given with the message.
struct Claim {
    cose::IdCred id_cred;
    Ead ead;
    Bytes mac;        // Signature_or_MAC_x
    Bytes plaintext;  // PLAINTEXT_x
};

// Parses what follows C_R in PLAINTEXT_2, or PLAINTEXT_3, of which `in` has the rest.
// Error::Malformed, Truncated, TooLarge, Unsupported.
Status read_claim(
    Bytes plaintext, cbor::Reader& in, std::size_t mac_size, EadLabels understood, Claim& claim);

// Error::Refused if the peer's credential is our own (RFC 9528 §9.2, a reflected handshake),
// Error::InvalidArgument if the claim came with another credential by value.
Status check_credential(const Identity& identity,
                        const Claim& claim,
                        const cose::Credential& credential);

}  // namespace sotto::edhoc
