// SPDX-License-Identifier: Apache-2.0
// The one table of EDHOC limits. Those that RFC 9528 leaves open are choices of ours.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cose/credential.hpp"
#include "core/crypto/aead.hpp"

namespace sotto::edhoc {

// RFC 8613 §3.3: an OSCORE Sender ID has at most nonce size - 6 bytes.
inline constexpr std::size_t kConnectionIdSizeMax = crypto::kNonceSize - 6;
inline constexpr std::size_t kMessageSizeMax = 1024;        // any message, composed or received
inline constexpr std::size_t kSuiteCountMax = 8;            // in a list that we keep
inline constexpr std::uint8_t kVerifyFailureCountMax = 16;  // wrong MACs in one session
inline constexpr std::size_t kMacSizeMax = 16;

// The scratch memory with which every message of ours, sent with its credential by value and EAD
// items of kEadRoom bytes in all, can be received and composed.
inline constexpr std::size_t kEadRoom = 200;
inline constexpr std::size_t kScratchSize =
    3 + crypto::kDhSize                        // byte string head, G_Y
    + 1 + kConnectionIdSizeMax                 // C_R
    + 2 + cose::kCredentialSizeMax             // ID_CRED_x
    + 1 + kMacSizeMax + kEadRoom               // Signature_or_MAC_x, EAD_x
    + crypto::size_of(crypto::TagSize::Long);  // tag of message_3
static_assert(kScratchSize <= kMessageSizeMax);

}  // namespace sotto::edhoc
