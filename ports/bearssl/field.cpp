// SPDX-License-Identifier: Apache-2.0
#include "ports/bearssl/field.hpp"

#include <bearssl.h>

#include "ports/bearssl/platform.hpp"

namespace sotto::ports::bearssl {
namespace {

// p = 2^256 - 2^224 + 2^192 + 2^96 - 1
constexpr Element kPrime = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
                            0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
                            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
// (p + 1) / 4: as p = 3 mod 4, a to this power is a square root of a, if a has one.
constexpr Element kRootExponent = {0x3f, 0xff, 0xff, 0xff, 0xc0, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x40, 0x00,
                                   0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};
// -b, where b is the curve's (SP 800-186 §3.2.1.3).
constexpr Element kMinusB = {0xa5, 0x39, 0xca, 0x26, 0x55, 0xc5, 0x6c, 0x19, 0x4c, 0x14, 0x42,
                             0xaa, 0x89, 0x67, 0x79, 0x43, 0x9a, 0xe2, 0xf9, 0x50, 0x33, 0xac,
                             0x4f, 0x09, 0xc4, 0x31, 0xc3, 0xc1, 0xd8, 0x2d, 0x9f, 0xb4};

constexpr br_rsa_public kPower = kIsCortexM0 ? &br_rsa_i15_public : &br_rsa_i31_public;

// BearSSL's structure wants pointers that are not const; it only reads through them.
std::uint8_t* readable(Bytes bytes) { return const_cast<std::uint8_t*>(bytes.data()); }

void raise(Element& base, Bytes exponent) {
    const br_rsa_public_key key{
        readable(kPrime), kPrime.size(), readable(exponent), exponent.size()};
    const std::uint32_t done = kPower(base.data(), base.size(), &key);
    SOTTO_ASSERT(done == 1);  // it refuses only what is not below the modulus
}

void raise(Element& base, std::uint8_t exponent) { raise(base, Bytes{&exponent, 1}); }

// a - b mod 2^256, and whether it went below zero.
bool subtract_raw(Element& a, const Element& b) {
    std::uint32_t borrow = 0;
    for (std::size_t i = a.size(); i-- > 0;) {
        const std::uint32_t difference = a[i] - b[i] - borrow;
        a[i] = static_cast<std::uint8_t>(difference);
        borrow = difference >> 31;
    }
    return borrow != 0;
}

void subtract(Element& a, const Element& b) {
    if (!subtract_raw(a, b)) return;
    Element minus_prime{};  // below zero: add p, as subtracting its negative mod 2^256
    subtract_raw(minus_prime, kPrime);
    subtract_raw(a, minus_prime);
}

}  // namespace

bool is_below_prime(const Element& a) {
    Element copy = a;
    return subtract_raw(copy, kPrime);
}

void square(Element& a) { raise(a, 2); }

bool take_even_root(Element& a) {
    const Element wanted = a;
    raise(a, kRootExponent);
    Element proof = a;
    square(proof);
    if (proof != wanted) return false;
    if ((a.back() & 1) == 0) return true;
    const Element odd = a;
    a = {};
    subtract(a, odd);
    return true;
}

Element curve_of(const Element& x) {
    Element y_squared = x;
    raise(y_squared, 3);
    for (int i = 0; i < 3; ++i) subtract(y_squared, x);
    subtract(y_squared, kMinusB);
    return y_squared;
}

}  // namespace sotto::ports::bearssl
