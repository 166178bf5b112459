// SPDX-License-Identifier: Apache-2.0
// fails with: deleted
#include <utility>

#include "core/crypto/aead.hpp"

void take(sotto::crypto::AeadKey& to, sotto::crypto::AeadKey& from) {
#ifdef MUST_COMPILE
    to = std::move(from);
#else
    to = from;
#endif
}
