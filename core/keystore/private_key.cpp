// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/private_key.hpp"

namespace sotto::keystore {
namespace {

constexpr int kDrawCountMax = 16;  // a random candidate fails with probability below 2^-32

}  // namespace

Result<crypto::DhPrivateKey> draw_private_key(hal::Entropy& entropy) {
    Scratch<crypto::kDhSize> candidate;
    for (int i = 0; i < kDrawCountMax; ++i) {
        SOTTO_TRY(entropy.fill(candidate.bytes()));
        auto key = crypto::dh_private_from_candidate(candidate.bytes());
        if (key) return key;
    }
    return Error::EntropyFailed;
}

}  // namespace sotto::keystore
