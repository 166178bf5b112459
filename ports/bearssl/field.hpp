// SPDX-License-Identifier: Apache-2.0
// Arithmetic in the field of P-256, for points that come as an x-coordinate: BearSSL decompresses
// no points, but its RSA public operation is a modular exponentiation over any odd modulus.
// For public values: not constant-time. No allocation.
#pragma once

#include "core/crypto/dh.hpp"

namespace sotto::ports::bearssl {

using Element = crypto::DhCoordinate;  // big-endian

bool is_below_prime(const Element& a);

// All of them take and give elements below the prime.
void square(Element& a);
// The even one of the two square roots, in place. False if there is none; `a` is then void.
bool take_even_root(Element& a);
// x^3 - 3x + b: the square of y on the curve (SP 800-186 §3.2.1.3).
Element curve_of(const Element& x);

}  // namespace sotto::ports::bearssl
