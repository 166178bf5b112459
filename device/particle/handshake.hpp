// SPDX-License-Identifier: Apache-2.0
// The device's side of the legacy handshake: the server's nonce comes, 256 bytes go, 384 come back,
// and both have 40 bytes of credentials (docs/protocol/particle.md). No allocation, no state.
#pragma once

#include <array>

#include "device/particle/crypto.hpp"

namespace sotto::device::particle {

inline constexpr std::size_t kNonceSize = 40;
inline constexpr std::size_t kDeviceIdSize = 12;
inline constexpr std::size_t kAnswerSize = kDeviceModulusSize + kServerModulusSize;

using DeviceId = std::array<std::uint8_t, kDeviceIdSize>;

// Nonce, id and public key, to be read by the server alone. Error::EntropyFailed, and
// Error::Malformed if the server's key cannot be used.
Status introduce(Crypto& crypto,
                 BytesN<kNonceSize> nonce,
                 const DeviceId& id,
                 MutBytesN<kServerModulusSize> out);

// The credentials in the server's answer. Error::Unauthenticated for whatever is wrong, found
// without a branch on what was decrypted. That the answer was made for this handshake, and not for
// one of before, the protocol has no way to know.
Result<Credentials> open_answer(Crypto& crypto, BytesN<kAnswerSize> answer);

}  // namespace sotto::device::particle
