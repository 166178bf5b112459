// SPDX-License-Identifier: Apache-2.0
#include "core/base/base32.hpp"

#include "core/base/assert.hpp"

namespace sotto {
namespace {

constexpr std::size_t kBitsPerDigit = 5;
constexpr std::uint32_t kNoDigit = 32;

// RFC 4648 §6, Table 3.
std::uint32_t value_of(char digit) {
    const char c = digit >= 'a' && digit <= 'z' ? static_cast<char>(digit - 'a' + 'A') : digit;
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= '2' && c <= '7') return static_cast<std::uint32_t>(c - '2') + 26;
    return kNoDigit;
}

char digit_of(std::uint32_t value) {
    return static_cast<char>(value < 26 ? 'A' + value : '2' + (value - 26));
}

}  // namespace

bool is_base32_digit(char digit) { return value_of(digit) != kNoDigit; }

std::string_view encode_base32(Bytes bytes, std::span<char> out) {
    SOTTO_ASSERT(out.size() >= base32_size(bytes.size()));
    std::size_t size = 0;
    std::uint32_t bits = 0;
    std::size_t bit_count = 0;
    for (const std::uint8_t byte : bytes) {
        bits = (bits << 8 | byte) & 0xfffU;
        for (bit_count += 8; bit_count >= kBitsPerDigit; bit_count -= kBitsPerDigit)
            out[size++] = digit_of(bits >> (bit_count - kBitsPerDigit) & 31U);
    }
    if (bit_count > 0) out[size++] = digit_of(bits << (kBitsPerDigit - bit_count) & 31U);
    return {out.data(), size};
}

Result<Bytes> decode_base32(std::string_view digits, MutBytes out) {
    std::uint32_t bits = 0;
    std::size_t bit_count = 0;
    std::size_t size = 0;
    for (const char digit : digits) {
        if (!is_base32_digit(digit)) return Error::Malformed;
        bits = (bits << kBitsPerDigit | value_of(digit)) & 0xfffU;
        bit_count += kBitsPerDigit;
        if (bit_count < 8) continue;
        bit_count -= 8;
        if (size == out.size()) return Error::NoSpace;
        out[size++] = static_cast<std::uint8_t>(bits >> bit_count);
    }
    if (bit_count >= kBitsPerDigit) return Error::Truncated;
    if ((bits & ((1U << bit_count) - 1)) != 0) return Error::InvalidArgument;
    return Bytes{out}.first(size);
}

}  // namespace sotto
