// SPDX-License-Identifier: Apache-2.0
// Numbers from the IANA "COSE Algorithms", "COSE Key Types", "COSE Elliptic Curves" and "COSE
// Header Parameters" registries, as far as we speak them.
#pragma once

#include <cstdint>

namespace sotto::cose {

// Algorithms (RFC 9053 §4.2), by the registry's names.
inline constexpr std::int32_t kAesCcm16_64_128 = 10;  // NOLINT(readability-identifier-naming)

// COSE_Key (RFC 9052 §7.1, RFC 9053 §7.1.1).
inline constexpr std::int32_t kKeyType = 1;
inline constexpr std::int32_t kKeyId = 2;
inline constexpr std::int32_t kKeyCurve = -1;
inline constexpr std::int32_t kKeyX = -2;
inline constexpr std::int32_t kKeyY = -3;
inline constexpr std::int32_t kKeyD = -4;
inline constexpr std::int32_t kKeyTypeEc2 = 2;
inline constexpr std::int32_t kCurveP256 = 1;

// Claims of a CWT Claims Set (RFC 8392 §3.1, RFC 8747 §3.1).
inline constexpr std::int32_t kClaimSubject = 2;
inline constexpr std::int32_t kClaimConfirmation = 8;
inline constexpr std::int32_t kConfirmationKey = 1;

// Header parameters (RFC 9052 §3.1, RFC 9528 §9.6).
inline constexpr std::uint8_t kHeaderKid = 4;
inline constexpr std::uint8_t kHeaderKccs = 14;

}  // namespace sotto::cose
