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
constexpr Element kCurveB = {0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd,
                             0x55, 0x76, 0x98, 0x86, 0xbc, 0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53,
                             0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b};

constexpr br_rsa_public kPower = kIsCortexM0 ? &br_rsa_i15_public : &br_rsa_i31_public;

// BearSSL's structure wants pointers that are not const; it only reads them.
template <std::size_t N>
Element power(Element base, const std::array<std::uint8_t, N>& exponent) {
    Element modulus = kPrime;
    std::array<std::uint8_t, N> digits = exponent;
    const br_rsa_public_key key{modulus.data(), modulus.size(), digits.data(), digits.size()};
    const std::uint32_t done = kPower(base.data(), base.size(), &key);
    SOTTO_ASSERT(done == 1);  // it refuses only what is not below the modulus
    return base;
}

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

Element subtract(Element a, const Element& b) {
    if (subtract_raw(a, b)) {  // below zero: add p, as subtracting its negative mod 2^256
        Element minus_prime{};
        subtract_raw(minus_prime, kPrime);
        subtract_raw(a, minus_prime);
    }
    return a;
}

Element add(const Element& a, const Element& b) { return subtract(a, subtract(Element{}, b)); }

}  // namespace

bool is_below_prime(const Element& a) {
    Element copy = a;
    return subtract_raw(copy, kPrime);
}

Element cube_of(Element a) { return power(a, std::array<std::uint8_t, 1>{3}); }
Element square_of(Element a) { return power(a, std::array<std::uint8_t, 1>{2}); }

std::optional<Element> even_root_of(const Element& a) {
    const Element root = power(a, kRootExponent);
    if (square_of(root) != a) return std::nullopt;
    const bool is_odd = (root.back() & 1) != 0;
    return is_odd ? subtract(Element{}, root) : root;
}

Element curve_of(const Element& x) {
    const Element cube_less_3x = subtract(subtract(subtract(cube_of(x), x), x), x);
    return add(cube_less_3x, kCurveB);
}

}  // namespace sotto::ports::bearssl
