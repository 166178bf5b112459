// SPDX-License-Identifier: Apache-2.0
// HKDF with SHA-256 (RFC 5869), over the port's HMAC. No allocation.
#pragma once

#include "core/base/result.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::crypto {

using Prk = Secret<kHashSize, struct PrkTag>;

// RFC 5869 §2.2. An empty salt stands for kHashSize zeros.
Prk hkdf_extract(Bytes salt, Bytes ikm);

// RFC 5869 §2.3. Fills `out`. Error::TooLarge over 255 * kHashSize bytes.
Status hkdf_expand(const Prk& prk, Bytes info, MutBytes out);

}  // namespace sotto::crypto
