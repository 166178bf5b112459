// SPDX-License-Identifier: Apache-2.0
#include "core/cbor/float.hpp"

#include <bit>

namespace sotto::cbor {
namespace {

// IEEE 754 interchange formats: a sign bit, an exponent, a fraction.
struct Format {
    int exponent_bits;
    int fraction_bits;

    constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
    constexpr std::uint64_t exponent_max() const { return (1ULL << exponent_bits) - 1; }
    constexpr int width() const { return 1 + exponent_bits + fraction_bits; }
};

constexpr Format kHalf{5, 10};
constexpr Format kSingle{8, 23};
constexpr Format kDouble{11, 52};

constexpr Format format_of(std::uint8_t info) {
    return info == kInfoHalf ? kHalf : info == kInfoSingle ? kSingle : kDouble;
}

struct Fields {
    std::uint64_t sign;
    std::uint64_t exponent;
    std::uint64_t fraction;
};

Fields split(std::uint64_t bits, Format format) {
    return {bits >> (format.width() - 1),
            bits >> format.fraction_bits & format.exponent_max(),
            bits & ((1ULL << format.fraction_bits) - 1)};
}

std::uint64_t join(const Fields& fields, Format format) {
    return fields.sign << (format.width() - 1) | fields.exponent << format.fraction_bits |
           fields.fraction;
}

// The same value in a narrower format; false if it does not exist there.
bool narrow(Fields& fields, Format from, Format to) {
    const int dropped = from.fraction_bits - to.fraction_bits;
    std::uint64_t fraction = fields.fraction;
    std::uint64_t exponent = 0;
    int shift = dropped;
    if (fields.exponent == from.exponent_max()) {
        exponent = to.exponent_max();  // infinity or NaN
    } else if (fields.exponent != 0 || fraction != 0) {
        // The narrower formats' subnormals are normal in the wider ones, whose own subnormals are
        // below them all.
        const int power = static_cast<int>(fields.exponent) - from.bias() + to.bias();
        if (fields.exponent == 0 || power >= static_cast<int>(to.exponent_max())) return false;
        if (power <= -to.fraction_bits) return false;
        exponent = power > 0 ? static_cast<std::uint64_t>(power) : 0;
        if (power <= 0) {
            fraction |= 1ULL << from.fraction_bits;
            shift += 1 - power;
        }
    }
    if ((fraction & ((1ULL << shift) - 1)) != 0) return false;
    fields.exponent = exponent;
    fields.fraction = fraction >> shift;
    return true;
}

}  // namespace

double widen_float(std::uint64_t bits, std::uint8_t info) {
    const Format from = format_of(info);
    Fields fields = split(bits, from);
    if (fields.exponent == from.exponent_max()) {
        fields.exponent = kDouble.exponent_max();
    } else if (fields.exponent != 0) {
        fields.exponent += static_cast<std::uint64_t>(kDouble.bias() - from.bias());
    } else if (fields.fraction != 0 && info != kInfoDouble) {
        const int shift =
            from.fraction_bits + 1 - static_cast<int>(std::bit_width(fields.fraction));
        fields.fraction = fields.fraction << shift & ((1ULL << from.fraction_bits) - 1);
        fields.exponent = static_cast<std::uint64_t>(kDouble.bias() - from.bias() + 1 - shift);
    }
    fields.fraction <<= kDouble.fraction_bits - from.fraction_bits;
    return std::bit_cast<double>(join(fields, kDouble));
}

bool is_shortest_float(std::uint64_t bits, std::uint8_t info) {
    if (info == kInfoHalf) return true;
    const Format from = format_of(info);
    Fields fields = split(bits, from);
    return !narrow(fields, from, info == kInfoSingle ? kHalf : kSingle);
}

EncodedFloat shortest_float(double value) {
    if (value != value) return {0x7e00, kInfoHalf};
    EncodedFloat shortest{std::bit_cast<std::uint64_t>(value), kInfoDouble};
    Fields fields = split(shortest.bits, kDouble);
    if (!narrow(fields, kDouble, kSingle)) return shortest;
    shortest = {join(fields, kSingle), kInfoSingle};
    if (!narrow(fields, kSingle, kHalf)) return shortest;
    return {join(fields, kHalf), kInfoHalf};
}

}  // namespace sotto::cbor
