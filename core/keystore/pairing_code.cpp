// SPDX-License-Identifier: Apache-2.0
#include "core/keystore/pairing_code.hpp"

#include <algorithm>

#include "core/base/base32.hpp"

namespace sotto::keystore {
namespace {

constexpr std::string_view kPrefix = "SOTTO:";
constexpr char kVersion = '1';
constexpr std::size_t kDigitCount = 52;
constexpr std::size_t kSize = kHashPrefixSize + kPairingSecretSize;
static_assert(kPrefix.size() + 1 + kDigitCount == kPairingCodeSize);
static_assert(kDigitCount == base32_size(kSize));

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

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
        if (!is_base32_digit(digit)) return PairingCodeError::BadDigit;
    }
    if (text.size() != kDigitCount) return PairingCodeError::WrongSize;
    Scratch<kSize> bytes;
    if (!decode_base32(text, bytes.bytes())) return PairingCodeError::NotCanonical;
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
    Scratch<kSize> bytes;
    (void)copy_to(bytes.bytes(), code.credential_hash_prefix);
    (void)copy_to(bytes.bytes().subspan(kHashPrefixSize), code.secret.expose());
    (void)encode_base32(bytes.bytes(), {next, kDigitCount});
    return {out.data(), out.size()};
}

}  // namespace sotto::keystore
