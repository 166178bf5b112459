// SPDX-License-Identifier: Apache-2.0
// Every nonce that this process has sealed under, whoever did it: the crypto port's aead_seal() is
// wrapped at link time. Not part of any program.
#pragma once

#include <cstdint>

namespace sotto::sim {

// How many seals used a key and nonce that had sealed something else before.
std::uint64_t nonces_used_twice();
std::uint64_t seal_count();
void forget_nonces();

}  // namespace sotto::sim
