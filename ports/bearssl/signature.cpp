// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/signature.hpp"

#include <bearssl.h>

#include "ports/bearssl/platform.hpp"

namespace sotto::crypto {
namespace {

using namespace ports::bearssl;

constexpr const br_ec_impl* kCurve = kIsCortexM0 ? &br_ec_p256_m15 : &br_ec_p256_m31;
constexpr br_ecdsa_vrfy kVerify = kIsCortexM0 ? &br_ecdsa_i15_vrfy_raw : &br_ecdsa_i31_vrfy_raw;

}  // namespace

bool verify_signature(const DhPublicKey& key, const Hash& hash, BytesN<kSignatureSize> signature) {
    // FIPS 186-5 §6.4.2: r and s in [1, n - 1]. BearSSL lets r = 0 pass on.
    if (!dh_is_private(signature.first<kDhSize>())) return false;
    if (!dh_is_private(signature.last<kDhSize>())) return false;
    std::array<std::uint8_t, 1 + 2 * kDhSize> point{4};  // uncompressed (SEC 1 §2.3.3)
    std::copy(key.x.begin(), key.x.end(), point.begin() + 1);
    std::copy(key.y.begin(), key.y.end(), point.begin() + 1 + kDhSize);
    const br_ec_public_key native{BR_EC_secp256r1, point.data(), point.size()};
    return kVerify(kCurve, hash.data(), hash.size(), &native, signature.data(), signature.size()) ==
           1;
}

}  // namespace sotto::crypto
