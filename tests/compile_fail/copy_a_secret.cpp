// SPDX-License-Identifier: Apache-2.0
// fails with: deleted
#include "core/crypto/aead.hpp"

sotto::crypto::AeadKey second_key(const sotto::crypto::AeadKey& key) {
#ifdef MUST_COMPILE
    return key.clone();
#else
    return key;
#endif
}
