// SPDX-License-Identifier: Apache-2.0
// The code on a device's label or screen (docs/protocol, SES-20): "SOTTO:1" and 52 digits of Base32
// (RFC 4648 §6, without padding). No allocation; the secret is wiped with its struct.
#pragma once

#include <array>

#include "core/keystore/records.hpp"

namespace sotto::keystore {

inline constexpr std::size_t kHashPrefixSize = 16;
inline constexpr std::size_t kPairingCodeSize = 7 + 52;

struct PairingCode {
    std::array<std::uint8_t, kHashPrefixSize> credential_hash_prefix{};
    PairingSecret secret;
};

// What is wrong with a text that should be a code.
enum class PairingCodeError : std::uint8_t {
    NotACode,      // it does not begin with "SOTTO:"
    OtherVersion,  // a code, but not of version 1
    BadDigit,      // a character that is no digit of Base32, as 0, 1, 8 and 9 are none
    WrongSize,     // digits are missing, or there are too many
    NotCanonical,  // bits are set that a printed code leaves zero: a digit was misread
};

std::string_view to_string(PairingCodeError error);

// Takes lower case and surrounding white space too, because people type and paste.
Result<PairingCode, PairingCodeError> parse_pairing_code(std::string_view text);

// The text as it is printed, at the front of `out`: upper case, for the small alphabet of QR codes.
std::string_view encode_pairing_code(const PairingCode& code,
                                     std::span<char, kPairingCodeSize> out);

}  // namespace sotto::keystore
