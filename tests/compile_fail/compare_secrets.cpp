// SPDX-License-Identifier: Apache-2.0
// fails with: deleted
#include "core/crypto/aead.hpp"

bool is_same(const sotto::crypto::AeadKey& a, const sotto::crypto::AeadKey& b) {
#ifdef MUST_COMPILE
    return sotto::ct_equal(a.expose(), b.expose());
#else
    return a == b;
#endif
}
