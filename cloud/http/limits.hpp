// SPDX-License-Identifier: Apache-2.0
// Every limit of REST and of the streams of events, in one table, with what happens at it.
#pragma once

#include <cstddef>

#include "core/base/token_bucket.hpp"

namespace sotto::cloud::http {

// By address, but not on loopback; then 429.
inline constexpr Rate kRequestRate{.burst = 10'000, .refill = milliseconds(30)};
inline constexpr Rate kTokenRequestRate{.burst = 100, .refill = seconds(3)};

// Log-ins of one user, from wherever; then 429.
inline constexpr Rate kUserLoginRate{.burst = 30, .refill = seconds(60)};
// So many failures in a row of one user from one address; then 429 for a time, also on loopback.
inline constexpr int kLoginFailuresMax = 10;
inline constexpr Duration kLockTime = minutes(30);
inline constexpr std::size_t kGuardEntriesMax = 4'096;  // remembered; the one silent longest goes

// Tokens.
inline constexpr Duration kTokenLife = days(90);  // if the client does not say
inline constexpr Duration kTokenLifeMax = days(3'650);
inline constexpr Duration kRefreshLife = days(14);
// Found out about a token, and told on: another program that revokes it is noticed by then.
inline constexpr Duration kAccessLife = seconds(5);
inline constexpr std::size_t kKnownAccessMax = 4'096;  // then all are looked up anew

// A log-in, or a secret to be confirmed, that waits for a one-time password.
inline constexpr Duration kOtpWaitMax = minutes(5);
inline constexpr int kOtpTriesMax = 5;  // then to be begun anew

// Users.
inline constexpr std::size_t kPasswordSizeMin = 8;
inline constexpr std::size_t kPasswordSizeMax = 256;
inline constexpr std::size_t kUserNameSizeMax = 64;  // then 400

// Devices and events; then 400.
inline constexpr std::size_t kDeviceNameSizeMax = 64;
inline constexpr std::size_t kAccessTokenSizeMax = 192;  // of a sealed device; then 400
inline constexpr std::size_t kNotesSizeMax = 1'024;
inline constexpr std::size_t kEventNameSizeMax = 64;
inline constexpr std::size_t kEventDataSizeMax = 1'024;
inline constexpr std::size_t kOpenClaimCodesMax = 32;  // of one account; then 429
inline constexpr Duration kClaimCodeLife = minutes(60);

// Environment variables of one account, product or device; then 400.
inline constexpr std::size_t kVariablesMax = 100;
inline constexpr std::size_t kVariableKeySizeMax = 128;
inline constexpr std::size_t kVariableValueSizeMax = 4'096;

// What was found out about a device; the oldest makes room. Devices: as kGuardEntriesMax.
inline constexpr std::size_t kDiagnosesMax = 16;

// Devices of a product in one answer, what is asked for beyond is in the next; and in one list that
// is imported, then 400.
inline constexpr std::size_t kPageSizeMax = 1'000;
inline constexpr std::size_t kImportMax = 4'096;

// Files on their way here, of all and of one account; then 503.
inline constexpr std::size_t kUploadsMax = 32;
inline constexpr std::size_t kUploadsPerAccountMax = 4;
inline constexpr std::size_t kFileNameSizeMax = 64;  // of a firmware; what is before is cut

// Streams.
inline constexpr std::size_t kStreamsPerAccountMax = 100;  // then 429
inline constexpr Duration kHeartbeat = seconds(9);         // clients give up after 15 s of silence

}  // namespace sotto::cloud::http
