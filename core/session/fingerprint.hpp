// SPDX-License-Identifier: Apache-2.0
// Recognises a message that comes again byte for byte. No allocation.
#pragma once

#include <array>

#include "core/crypto/hash.hpp"

namespace sotto::session {

using Fingerprint = std::array<std::uint8_t, 16>;

// The front of its SHA-256.
inline Fingerprint fingerprint_of(Bytes message) {
    const crypto::Hash hash = crypto::sha256(message);
    Fingerprint fingerprint;
    std::copy_n(hash.begin(), fingerprint.size(), fingerprint.begin());
    return fingerprint;
}

}  // namespace sotto::session
