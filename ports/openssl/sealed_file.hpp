// SPDX-License-Identifier: Apache-2.0
// The envelope of a backup (docs/formats/backup.md): content under a passphrase, by scrypt (RFC
// 7914) and AES-256-GCM of OpenSSL. No allocation by the caller; scrypt takes memory_of(cost) for
// as long as it runs, and about half a second at the default cost.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/secret.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::ports {

// What a guess costs: N = 2^log2_n blocks of 128 * r bytes, p times.
struct ScryptCost {
    std::uint8_t log2_n = 17;
    std::uint8_t r = 8;
    std::uint8_t p = 1;

    friend bool operator==(const ScryptCost&, const ScryptCost&) = default;
};

constexpr std::uint64_t memory_of(ScryptCost cost) {
    return (std::uint64_t{128} * cost.r) << cost.log2_n;
}

// A file is not ours to spend the machine on: what costs more than this is refused unopened.
inline constexpr std::uint64_t kScryptMemoryMax = std::uint64_t{256} << 20U;
inline constexpr std::uint8_t kScryptLog2NMax = 20;
inline constexpr std::uint8_t kScryptPMax = 4;

// Error::TooLarge over these limits, Error::InvalidArgument for what RFC 7914 does not allow (or
// without the memory for it).
Status scrypt(Bytes passphrase, Bytes salt, ScryptCost cost, MutBytes out);

// How much longer than its content a sealed file is.
inline constexpr std::size_t kSealedFileOverhead = 40 + 16 + 8;
inline constexpr std::size_t kSealedContentMax = std::size_t{1} << 30U;
// How such a file begins.
inline constexpr std::string_view kSealedFileMagic = "SOTTO-BK";

// Seals under a fresh salt, and so under a fresh key. `out` has the size of the content and
// kSealedFileOverhead, else Error::InvalidArgument. Error::EntropyFailed; errors of scrypt().
Status seal_file(
    Bytes content, Bytes passphrase, ScryptCost cost, hal::Entropy& entropy, MutBytes out);

// Whether it can be opened at all, before anybody is asked for a passphrase. Error::Unsupported if
// it is of another version, Error::Truncated or Malformed if it is no such file or was damaged,
// Error::TooLarge if it demands more than the limits above.
Status check_sealed_file(Bytes file);

// The content, into `out` of its size (else Error::InvalidArgument). Error::Unauthenticated if the
// passphrase is wrong: `out` is then wiped. Errors of check_sealed_file() and scrypt().
Status open_sealed_file(Bytes file, Bytes passphrase, MutBytes out);

}  // namespace sotto::ports
