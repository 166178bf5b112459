// SPDX-License-Identifier: Apache-2.0
// The messages of RFC 9528 §5 as bytes, below the state machines. No allocation; builds in the
// caller's memory and parses to views of it.
#pragma once

#include "core/edhoc/key_schedule.hpp"
#include "core/edhoc/role.hpp"

namespace sotto::edhoc {

// RFC 9528 §3.2: static Diffie-Hellman on both sides.
inline constexpr std::int64_t kMethod = 3;

// message_1 as its composer sees it. Error::NoSpace. Precondition: !suites_i.empty().
struct Message1Fields {
    std::span<const SuiteLabel> suites_i;
    const crypto::DhCoordinate& g_x;
    ConnectionId c_i;
    std::span<const EadItem> ead_1;
};
Result<Bytes> encode_message_1(const Message1Fields& fields, MutBytes out);

// message_2, _3 and _4 are one byte string each. Its content; Error::Malformed, Truncated,
// TooLarge.
Status unwrap(Bytes message, Bytes& content);

// Composing: the content is built in place at kHeadRoom, because the size of the byte string's head
// depends on it; wrap() then writes the head and moves the content up to it.
inline constexpr std::size_t kHeadRoom = 3;
inline constexpr std::size_t kPlaintext2At = kHeadRoom + crypto::kDhSize;  // behind G_Y
Bytes wrap(MutBytes out, std::size_t content_size);

// A plaintext whose MAC is still to be filled in.
struct Draft {
    MutBytes plaintext = {};
    MutBytes mac = {};
    Bytes ead = {};
};
struct DraftInput {
    const ConnectionId* c_r = nullptr;  // in PLAINTEXT_2 only
    const cose::IdCred& id_cred;
    std::span<const EadItem> ead;
};
// ( ? C_R, ID_CRED_x, Signature_or_MAC_x, ? EAD_x ) at the front of `out`, leaving room in a
// message of kMessageSizeMax for what else it has. Error::NoSpace.
Status draft_plaintext(const DraftInput& input, std::size_t mac_size, MutBytes out, Draft& draft);

// Encrypts the plaintext of this size at kHeadRoom of `out` and wraps it. Error::NoSpace: nothing
// is encrypted, and the plaintext is wiped.
Result<Bytes> seal_and_wrap(const MessageKeys& keys, std::size_t plaintext_size, MutBytes out);
// Decrypts a message to the front of `scratch`, of which the plaintext is left. Errors:
// Error::Unauthenticated, NoSpace, and those of unwrap().
Status unwrap_and_open(const MessageKeys& keys, Bytes message, MutBytes& scratch);

}  // namespace sotto::edhoc
