// SPDX-License-Identifier: Apache-2.0
// Diffie-Hellman on P-256 (SP 800-56A; COSE elliptic curve 1). A facade: a port defines the
// functions. Every operation on a private key is constant-time. No allocation by the caller.
#pragma once

#include <array>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace sotto::crypto {

inline constexpr std::size_t kDhSize = 32;  // a coordinate or scalar, big-endian
using DhPrivateKey = Secret<kDhSize, struct DhPrivateKeyTag>;
using DhSecret = Secret<kDhSize, struct DhSecretTag>;  // the x-coordinate of the shared point
using DhCoordinate = std::array<std::uint8_t, kDhSize>;

// A point that is on the curve and not at infinity: only a port's checks make one from foreign
// bytes.
struct DhPublicKey {
    DhCoordinate x{};
    DhCoordinate y{};
    friend bool operator==(const DhPublicKey&, const DhPublicKey&) = default;
};

// The private key of a uniformly random candidate, by rejection (SP 800-56A §5.6.1.2.2).
// Error::InvalidArgument if the candidate is zero or not below the group order: draw again.
Result<DhPrivateKey> dh_private_from_candidate(BytesN<kDhSize> candidate);
// Whether a candidate is a private key.
bool dh_is_private(BytesN<kDhSize> candidate);

// The public key that belongs to a private key.
DhPublicKey dh_public(const DhPrivateKey& private_key);

// The point with this x-coordinate and the even y. EDHOC carries x alone (RFC 9528 §3.7, Appendix
// B); which y is taken does not matter to the shared secret. Error::Malformed if x is not below the
// field prime or no point of the curve has it; `point` is then void.
Status dh_import_x(BytesN<kDhSize> x, DhPublicKey& point);

// Error::Malformed if (x, y) is not a point of the curve; `point` is then void.
Status dh_import(BytesN<kDhSize> x, BytesN<kDhSize> y, DhPublicKey& point);

// The shared secret. Precondition: `peer` came from a function of this header.
// Error::Unauthenticated if the shared point is at infinity (it can't be, for P-256 has cofactor
// 1); the secret is then void.
Status dh_agree(const DhPrivateKey& private_key, const DhPublicKey& peer, DhSecret& secret);

// The same, for those who can afford to move the result about.
inline Result<DhPublicKey> dh_import_x(BytesN<kDhSize> x) {
    DhPublicKey point;
    SOTTO_TRY(dh_import_x(x, point));
    return point;
}
inline Result<DhPublicKey> dh_import(BytesN<kDhSize> x, BytesN<kDhSize> y) {
    DhPublicKey point;
    SOTTO_TRY(dh_import(x, y, point));
    return point;
}
inline Result<DhSecret> dh_agree(const DhPrivateKey& private_key, const DhPublicKey& peer) {
    DhSecret secret;
    SOTTO_TRY(dh_agree(private_key, peer, secret));
    return secret;
}

}  // namespace sotto::crypto
