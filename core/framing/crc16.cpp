// SPDX-License-Identifier: Apache-2.0
#include "core/framing/crc16.hpp"

#include <array>

namespace sotto::framing {

namespace {

constexpr std::uint16_t kPolynomial = 0x1021;

// The remainder for each nibble: 32 bytes of table instead of 512.
constexpr std::array<std::uint16_t, 16> make_table() {
    std::array<std::uint16_t, 16> table{};
    for (std::size_t nibble = 0; nibble < table.size(); ++nibble) {
        std::uint32_t remainder = static_cast<std::uint32_t>(nibble) << 12;
        for (int bit = 0; bit < 4; ++bit)
            remainder = (remainder << 1) ^ ((remainder & 0x8000U) != 0 ? kPolynomial : 0U);
        table[nibble] = static_cast<std::uint16_t>(remainder);
    }
    return table;
}

constexpr auto kTable = make_table();

std::uint16_t add_nibble(std::uint16_t crc, unsigned nibble) {
    return static_cast<std::uint16_t>(kTable[(crc >> 12) ^ nibble] ^ (crc << 4));
}

}  // namespace

std::uint16_t crc16(Bytes bytes) {
    std::uint16_t crc = 0xffff;
    for (const std::uint8_t byte : bytes) {
        crc = add_nibble(crc, byte >> 4U);
        crc = add_nibble(crc, byte & 0x0fU);
    }
    return crc;
}

}  // namespace sotto::framing
