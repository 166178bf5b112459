// SPDX-License-Identifier: Apache-2.0
// Fresh private keys. No allocation.
#pragma once

#include "core/crypto/dh.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::keystore {

// A uniformly random private key. Error::EntropyFailed: there is no randomness, or what comes can't
// be random, for no candidate among it was a key; `key` is then void.
Status draw_private_key(hal::Entropy& entropy, crypto::DhPrivateKey& key);
Result<crypto::DhPrivateKey> draw_private_key(hal::Entropy& entropy);

}  // namespace sotto::keystore
