// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/marker.hpp"

#include <algorithm>
#include <random>
#include <string_view>

namespace sotto::integration {
namespace {

constexpr std::size_t kMarkerSize = 20;

std::string hex(const std::string& text, std::string_view digits) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

// The digits of base64 that depend on the text alone, if `offset` other bytes stand before it.
std::string base64(const std::string& text, std::size_t offset, std::string_view last_digits) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const auto digit = [&](std::size_t value) {
        return value < 62 ? kDigits[value] : last_digits[value - 62];
    };
    const std::string padded = std::string(offset, '\0') + text;
    std::string out;
    for (std::size_t bit = 0; bit + 6 <= padded.size() * 8; bit += 6) {
        if (bit < offset * 8) continue;
        std::size_t value = 0;
        for (std::size_t i = bit; i < bit + 6; ++i) {
            const auto byte = static_cast<unsigned char>(padded[i / 8]);
            value = value << 1 | (byte >> (7 - i % 8) & 1U);
        }
        out += digit(value);
    }
    return out;
}

}  // namespace

std::string draw_marker() {
    static constexpr std::string_view kLetters =
        "abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY3479";
    std::random_device random;
    std::string marker;
    for (std::size_t i = 0; i < kMarkerSize; ++i) marker += kLetters[random() % kLetters.size()];
    return marker;
}

std::vector<std::string> forms_of(const std::string& marker) {
    std::vector<std::string> forms{
        marker, hex(marker, "0123456789abcdef"), hex(marker, "0123456789ABCDEF")};
    for (std::size_t offset = 0; offset < 3; ++offset) {
        forms.push_back(base64(marker, offset, "+/"));
        forms.push_back(base64(marker, offset, "-_"));
    }
    return forms;
}

std::string find_marker(const Recording& bytes, const std::string& marker) {
    for (const std::string& form : forms_of(marker)) {
        const auto found = std::search(bytes.begin(), bytes.end(), form.begin(), form.end());
        if (found != bytes.end()) return form;
    }
    return {};
}

}  // namespace sotto::integration
