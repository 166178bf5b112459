// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/dh.hpp"

#include <bearssl.h>

#include "ports/bearssl/field.hpp"
#include "ports/bearssl/platform.hpp"

namespace sotto::crypto {
namespace {

using namespace ports::bearssl;

constexpr const br_ec_impl* kCurve = kIsCortexM0 ? &br_ec_p256_m15 : &br_ec_p256_m31;

// An uncompressed point (SEC 1 §2.3.3), as BearSSL takes and gives it: 4, x, y.
constexpr std::uint8_t kUncompressed = 4;
using Point = Scratch<1 + 2 * kDhSize>;
MutBytesN<kDhSize> x_of(Point& point) { return point.bytes().subspan<1, kDhSize>(); }
MutBytesN<kDhSize> y_of(Point& point) { return point.bytes().subspan<1 + kDhSize, kDhSize>(); }

template <class To>
void copy(BytesN<kDhSize> from, To&& to) {
    std::copy(from.begin(), from.end(), to.begin());
}

Element element(BytesN<kDhSize> bytes) {
    Element result;
    copy(bytes, result);
    return result;
}

}  // namespace

DhPublicKey dh_public(const DhPrivateKey& private_key) {
    Point point;
    kCurve->mulgen(point.bytes().data(), private_key.expose().data(), kDhSize, BR_EC_secp256r1);
    return {.x = element(x_of(point)), .y = element(y_of(point))};
}

Result<DhPublicKey> dh_import_x(BytesN<kDhSize> x) {
    Result<DhPublicKey> point{std::in_place};
    copy(x, point->x);
    if (is_below_prime(point->x)) {
        point->y = curve_of(point->x);
        if (take_even_root(point->y)) return point;
    }
    point = Error::Malformed;
    return point;
}

Result<DhPublicKey> dh_import(BytesN<kDhSize> x, BytesN<kDhSize> y) {
    Result<DhPublicKey> point{std::in_place};
    copy(x, point->x);
    copy(y, point->y);
    if (is_below_prime(point->x) && is_below_prime(point->y)) {
        Element squared = point->y;
        square(squared);
        if (squared == curve_of(point->x)) return point;
    }
    point = Error::Malformed;
    return point;
}

Result<DhSecret> dh_agree(const DhPrivateKey& private_key, const DhPublicKey& peer) {
    Result<DhSecret> secret{std::in_place};
    Point point;
    point.bytes()[0] = kUncompressed;
    copy(peer.x, x_of(point));
    copy(peer.y, y_of(point));
    const std::uint32_t is_valid = kCurve->mul(point.bytes().data(),
                                               point.bytes().size(),
                                               private_key.expose().data(),
                                               kDhSize,
                                               BR_EC_secp256r1);
    copy(x_of(point), secret->fill());
    if (is_valid != 1) secret = Error::Unauthenticated;
    return secret;
}

}  // namespace sotto::crypto
