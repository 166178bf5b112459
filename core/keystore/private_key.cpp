// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/private_key.hpp"

namespace sotto::keystore {
namespace {

constexpr int kDrawCountMax = 16;  // a random candidate fails with probability below 2^-32

}  // namespace

Status draw_private_key(hal::Entropy& entropy, crypto::DhPrivateKey& key) {
    for (int i = 0; i < kDrawCountMax; ++i) {
        SOTTO_TRY(entropy.fill(key.fill()));
        if (crypto::dh_is_private(key.expose())) return {};
    }
    return Error::EntropyFailed;
}

Result<crypto::DhPrivateKey> draw_private_key(hal::Entropy& entropy) {
    crypto::DhPrivateKey key;
    SOTTO_TRY(draw_private_key(entropy, key));
    return key;
}

}  // namespace sotto::keystore
