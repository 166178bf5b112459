// SPDX-License-Identifier: Apache-2.0
// ECDSA on P-256 with SHA-256 (FIPS 186-5; COSE algorithm -7, ES256, RFC 9053 §2.1): checking
// alone, of public values. A facade: a port defines the function. No allocation by the caller.
#pragma once

#include "core/crypto/dh.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::crypto {

inline constexpr std::size_t kSignatureSize = 64;  // r and s, big-endian
using Signature = std::array<std::uint8_t, kSignatureSize>;

// Whether the signature of a message with this hash is that of the key's owner. Precondition: `key`
// came from a function of dh.hpp.
bool verify_signature(const DhPublicKey& key, const Hash& hash, BytesN<kSignatureSize> signature);

}  // namespace sotto::crypto
