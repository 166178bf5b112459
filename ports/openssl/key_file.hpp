// SPDX-License-Identifier: Apache-2.0
// P-256 private keys in files, as OpenSSL and others write them: PEM with SEC1 ("EC PRIVATE KEY")
// or PKCS#8 ("PRIVATE KEY"), or the 32 bytes of the scalar. Allocates; blocks on the disk.
#pragma once

#include <string>

#include "core/crypto/dh.hpp"

namespace sotto::ports {

enum class KeyFileError : std::uint8_t {
    Unreadable,  // no such file, no permission, or too large for a key
    NotAKey,     // neither PEM with a private key nor 32 bytes
    Encrypted,   // behind a password, which nobody asks for here
    WrongKind,   // RSA, another curve
    OutOfRange,  // zero or not below the order of the curve
};

// A sentence for a person: what is wrong and what to do.
std::string_view to_string(KeyFileError error);

Result<crypto::DhPrivateKey, KeyFileError> parse_private_key(Bytes content);
Result<crypto::DhPrivateKey, KeyFileError> load_private_key(const std::string& path);

}  // namespace sotto::ports
