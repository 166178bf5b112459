// SPDX-License-Identifier: Apache-2.0
// HKDF with SHA-256 (RFC 5869), over the port's HMAC. No allocation.
#pragma once

#include "core/base/result.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::crypto {

using Prk = Secret<kHashSize, struct PrkTag>;

// RFC 5869 §2.2. An empty salt stands for kHashSize zeros.
void hkdf_extract(Bytes salt, Bytes ikm, Prk& prk);
Prk hkdf_extract(Bytes salt, Bytes ikm);

inline constexpr std::size_t kHkdfSizeMax = 255 * kHashSize;

// RFC 5869 §2.3. Fills `out`. Error::TooLarge over kHkdfSizeMax.
Status hkdf_expand(const Prk& prk, Bytes info, MutBytes out);
// The same with an info in pieces, exclusive-or'ed onto `data`: info that has a credential in it
// would otherwise be the biggest buffer of a handshake. Precondition: data.size() <= kHkdfSizeMax.
void hkdf_expand_xor(const Prk& prk, Pieces info, MutBytes data);

}  // namespace sotto::crypto
