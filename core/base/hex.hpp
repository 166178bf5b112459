// SPDX-License-Identifier: Apache-2.0
// Bytes as hex digits and back. No allocation: a text is whatever string the caller has.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/bytes.hpp"

namespace sotto {

// In lower case. Text: std::string, or what has its push_back().
template <class Text>
Text to_hex(Bytes bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    Text text;
    for (const std::uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

// Upper or lower case; -1 for what is no digit.
constexpr int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

// Fills `out` from exactly two digits for each byte; false if that is not what the text is.
constexpr bool from_hex(std::string_view text, MutBytes out) {
    if (text.size() != 2 * out.size()) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
}
// As many bytes as there are, in a std::vector or what is made by its size; nothing if it is no
// whole number of bytes in hex.
template <class Buffer>
std::optional<Buffer> from_hex(std::string_view text) {
    Buffer bytes(text.size() / 2);
    if (!from_hex(text, bytes)) return std::nullopt;
    return bytes;
}

}  // namespace sotto
