// SPDX-License-Identifier: Apache-2.0
// fails with: (convert|initialization|no viable|no matching|no known)
#include "core/crypto/dh.hpp"
#include "core/crypto/hkdf.hpp"

// A shared secret is not a key: both have 32 bytes, and only HKDF makes the one of the other.
sotto::Status expand(const sotto::crypto::DhSecret& secret, sotto::MutBytes out) {
#ifdef MUST_COMPILE
    return sotto::crypto::hkdf_expand(sotto::crypto::hkdf_extract({}, secret.expose()), {}, out);
#else
    return sotto::crypto::hkdf_expand(secret, {}, out);
#endif
}
