// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/fingerprint.hpp"

#include "core/base/hex.hpp"

namespace sotto::ports {
namespace {}  // namespace

Result<Fingerprint> parse_fingerprint(std::string_view text) {
    Fingerprint fingerprint;
    const std::size_t count = fingerprint.bytes.size();
    const bool has_colons = text.size() == 3 * count - 1;
    if (!has_colons && text.size() != 2 * count) return Error::InvalidArgument;
    const std::size_t step = has_colons ? 3 : 2;
    for (std::size_t i = 0; i < count; ++i) {
        const int high = hex_value(text[i * step]);
        const int low = hex_value(text[i * step + 1]);
        if (high < 0 || low < 0) return Error::InvalidArgument;
        if (has_colons && i + 1 < count && text[i * step + 2] != ':') return Error::InvalidArgument;
        fingerprint.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return fingerprint;
}

std::string to_string(const Fingerprint& fingerprint) {
    constexpr const char* kDigits = "0123456789ABCDEF";
    std::string text;
    for (const std::uint8_t byte : fingerprint.bytes) {
        if (!text.empty()) text.push_back(':');
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

}  // namespace sotto::ports
