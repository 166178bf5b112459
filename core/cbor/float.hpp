// SPDX-License-Identifier: Apache-2.0
// The three widths of CBOR floats (RFC 8949 §3.3), by their bits: no floating-point arithmetic. No
// allocation.
#pragma once

#include <cstdint>

namespace sotto::cbor {

inline constexpr std::uint8_t kSimpleFalse = 20;
inline constexpr std::uint8_t kSimpleTrue = 21;
inline constexpr std::uint8_t kSimpleNull = 22;
inline constexpr std::uint8_t kInfoHalf = 25;
inline constexpr std::uint8_t kInfoSingle = 26;
inline constexpr std::uint8_t kInfoDouble = 27;

// A float as it is encoded: `info` says how wide `bits` is.
struct EncodedFloat {
    std::uint64_t bits = 0;
    std::uint8_t info = kInfoDouble;
};

// The value. Precondition, here and below: info is one of the three above.
double widen_float(std::uint64_t bits, std::uint8_t info);
// Whether no narrower float has the same value (RFC 8949 §4.2.1).
bool is_shortest_float(std::uint64_t bits, std::uint8_t info);
// The narrowest float with this value; NaN becomes the half-width quiet one (RFC 8949 §4.2.2).
EncodedFloat shortest_float(double value);

}  // namespace sotto::cbor
