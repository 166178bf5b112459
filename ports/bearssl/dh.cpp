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

Status dh_import_x(BytesN<kDhSize> x, DhPublicKey& point) {
    copy(x, point.x);
    if (!is_below_prime(point.x)) return Error::Malformed;
    point.y = curve_of(point.x);
    return take_even_root(point.y) ? Status{} : Error::Malformed;
}

Status dh_import(BytesN<kDhSize> x, BytesN<kDhSize> y, DhPublicKey& point) {
    copy(x, point.x);
    copy(y, point.y);
    if (!is_below_prime(point.x) || !is_below_prime(point.y)) return Error::Malformed;
    Element squared = point.y;
    square(squared);
    return squared == curve_of(point.x) ? Status{} : Error::Malformed;
}

Status dh_agree(const DhPrivateKey& private_key, const DhPublicKey& peer, DhSecret& secret) {
    Point point;
    point.bytes()[0] = kUncompressed;
    copy(peer.x, x_of(point));
    copy(peer.y, y_of(point));
    const std::uint32_t is_valid = kCurve->mul(point.bytes().data(),
                                               point.bytes().size(),
                                               private_key.expose().data(),
                                               kDhSize,
                                               BR_EC_secp256r1);
    copy(x_of(point), secret.fill());
    return is_valid == 1 ? Status{} : Error::Unauthenticated;
}

}  // namespace sotto::crypto
