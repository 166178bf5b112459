// SPDX-License-Identifier: Apache-2.0
// How a user's password is kept: scrypt (RFC 7914) of OpenSSL under a salt of its own, as one line
// of text, $scrypt$ln=15,r=8,p=3$SALT$HASH with both in hex. Allocates; blocks for a quarter of a
// second and takes 32 MB meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/hal/entropy.hpp"
#include "ports/openssl/sealed_file.hpp"

namespace sotto::ports {

inline constexpr ScryptCost kPasswordCost{.log2_n = 15, .r = 8, .p = 3};

// Error::EntropyFailed, or errors of scrypt().
Result<std::string> hash_password(std::string_view password,
                                  hal::Entropy& entropy,
                                  ScryptCost cost = kPasswordCost);

// Whether the password is the one of this line. A line that is none of ours is the line of no
// password, and takes as long as any, so that nobody learns who has one.
bool is_password(std::string_view password, std::string_view line);

// How another server kept a password: PBKDF2 with HMAC-SHA-256 (RFC 8018), 64 bytes of it, in
// base 64. The salt is the text itself.
struct Pbkdf2Hash {
    std::string salt{};
    std::string hash{};
    std::uint32_t iterations = 0;
};

bool is_password(std::string_view password, const Pbkdf2Hash& known);

// The line of that password, which need not be known for it: scrypt of what the other server kept,
// so that nothing of ours is easier to guess: $pbkdf2-sha256$i=30000$SALT and then a line as above.
// Error::InvalidArgument if it is no such hash; errors of hash_password().
Result<std::string> wrap_password_hash(const Pbkdf2Hash& known,
                                       hal::Entropy& entropy,
                                       ScryptCost cost = kPasswordCost);

// Whether a password, once it is known, should have a line of hash_password() instead.
bool is_wrapped(std::string_view line);

}  // namespace sotto::ports
