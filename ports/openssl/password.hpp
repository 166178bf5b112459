// SPDX-License-Identifier: Apache-2.0
// How a user's password is kept: scrypt (RFC 7914) of OpenSSL under a salt of its own, as one line
// of text, $scrypt$ln=15,r=8,p=3$SALT$HASH with both in hex. Allocates; blocks for a quarter of a
// second and takes 32 MB meanwhile.
#pragma once

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

}  // namespace sotto::ports
