// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/pairing_code.hpp"

namespace sotto::keystore {
namespace {

constexpr std::string_view kPrefix = "SOTTO:";
constexpr char kVersion = '1';
constexpr std::size_t kDigitCount = 52;
constexpr std::size_t kBitsPerDigit = 5;
constexpr std::uint32_t kNoDigit = 32;
constexpr std::size_t kSize = kHashPrefixSize + kPairingSecretSize;
static_assert(kPrefix.size() + 1 + kDigitCount == kPairingCodeSize);
static_assert(kDigitCount == (kSize * 8 + kBitsPerDigit - 1) / kBitsPerDigit);

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// RFC 4648 §6, Table 3.
std::uint32_t value_of(char digit) {
    const char c = upper(digit);
    if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
    if (c >= '2' && c <= '7') return static_cast<std::uint32_t>(c - '2') + 26;
    return kNoDigit;
}

char digit_of(std::uint32_t value) {
    return static_cast<char>(value < 26 ? 'A' + value : '2' + (value - 26));
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
    return text;
}

bool starts_with_prefix(std::string_view text) {
    if (text.size() < kPrefix.size()) return false;
    return std::equal(kPrefix.begin(), kPrefix.end(), text.begin(), [](char expected, char given) {
        return expected == upper(given);
    });
}

// 52 digits, each of them good. The last one holds four bits that are zero.
Result<void, PairingCodeError> decode(std::string_view digits, MutBytesN<kSize> out) {
    std::uint32_t bits = 0;
    std::size_t bit_count = 0;
    std::size_t size = 0;
    for (const char digit : digits) {
        bits = (bits << kBitsPerDigit | value_of(digit)) & 0xfffU;
        bit_count += kBitsPerDigit;
        if (bit_count < 8) continue;
        bit_count -= 8;
        out[size++] = static_cast<std::uint8_t>(bits >> bit_count);
    }
    SOTTO_ASSERT(size == kSize);
    if ((bits & ((1U << bit_count) - 1)) != 0) return PairingCodeError::NotCanonical;
    return {};
}

}  // namespace

std::string_view to_string(PairingCodeError error) {
    switch (error) {
        case PairingCodeError::NotACode:
            return "it does not begin with SOTTO:";
        case PairingCodeError::OtherVersion:
            return "it is of another version than 1";
        case PairingCodeError::BadDigit:
            return "it has a character that no code has (there is no 0, 1, 8 or 9)";
        case PairingCodeError::WrongSize:
            return "it does not have 52 characters behind SOTTO:1";
        case PairingCodeError::NotCanonical:
            return "a character was misread, probably the last one";
    }
    return "?";
}

Result<PairingCode, PairingCodeError> parse_pairing_code(std::string_view text) {
    text = trim(text);
    if (!starts_with_prefix(text)) return PairingCodeError::NotACode;
    text.remove_prefix(kPrefix.size());
    if (text.empty()) return PairingCodeError::WrongSize;
    if (text.front() != kVersion) return PairingCodeError::OtherVersion;
    text.remove_prefix(1);
    for (const char digit : text) {
        if (value_of(digit) == kNoDigit) return PairingCodeError::BadDigit;
    }
    if (text.size() != kDigitCount) return PairingCodeError::WrongSize;
    Scratch<kSize> bytes;
    SOTTO_TRY(decode(text, bytes.bytes()));
    PairingCode code;
    std::copy_n(bytes.bytes().begin(), kHashPrefixSize, code.credential_hash_prefix.begin());
    std::copy_n(
        bytes.bytes().begin() + kHashPrefixSize, kPairingSecretSize, code.secret.fill().begin());
    return code;
}

std::string_view encode_pairing_code(const PairingCode& code,
                                     std::span<char, kPairingCodeSize> out) {
    auto* next = std::copy(kPrefix.begin(), kPrefix.end(), out.data());
    *next++ = kVersion;
    std::uint32_t bits = 0;
    std::size_t bit_count = 0;
    const auto put_byte = [&](std::uint8_t byte) {
        bits = (bits << 8 | byte) & 0xfffU;
        for (bit_count += 8; bit_count >= kBitsPerDigit; bit_count -= kBitsPerDigit)
            *next++ = digit_of(bits >> (bit_count - kBitsPerDigit) & 31U);
    };
    for (const std::uint8_t byte : code.credential_hash_prefix) put_byte(byte);
    for (const std::uint8_t byte : code.secret.expose()) put_byte(byte);
    *next++ = digit_of(bits << (kBitsPerDigit - bit_count) & 31U);
    SOTTO_ASSERT(next == out.data() + out.size());
    return {out.data(), out.size()};
}

}  // namespace sotto::keystore
