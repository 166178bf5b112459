// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/dh.hpp"

namespace sotto::crypto {
namespace {

// The order of P-256's base point (SP 800-186 §3.2.1.3).
constexpr DhCoordinate kOrder = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

// Whether a < b as big-endian integers, from the last borrow of a - b: no branch on the bytes.
bool is_below(BytesN<kDhSize> a, BytesN<kDhSize> b) {
    std::uint32_t borrow = 0;
    for (std::size_t i = kDhSize; i-- > 0;) borrow = (a[i] - b[i] - borrow) >> 31;
    return borrow != 0;
}

bool is_zero(BytesN<kDhSize> a) {
    constexpr DhCoordinate kZero{};
    return ct_equal(a, kZero);
}

}  // namespace

bool dh_is_private(BytesN<kDhSize> candidate) {
    return !is_zero(candidate) && is_below(candidate, kOrder);
}

Result<DhPrivateKey> dh_private_from_candidate(BytesN<kDhSize> candidate) {
    if (!dh_is_private(candidate)) return Error::InvalidArgument;
    return DhPrivateKey{candidate};
}

}  // namespace sotto::crypto
