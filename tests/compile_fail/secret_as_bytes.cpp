// SPDX-License-Identifier: Apache-2.0
// fails with: (convert|initialization|no viable|no matching|no known)
#include "core/crypto/hash.hpp"
#include "core/crypto/hkdf.hpp"

sotto::crypto::Hash hash_of(const sotto::crypto::Prk& prk, sotto::crypto::Sha256& hash) {
#ifdef MUST_COMPILE
    hash.update(prk.expose());
#else
    hash.update(prk);
#endif
    return hash.finish();
}
