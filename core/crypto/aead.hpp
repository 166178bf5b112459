// SPDX-License-Identifier: Apache-2.0
// AES-CCM with a 128-bit key and a 13-byte nonce (RFC 3610; COSE algorithms 10 and 30, RFC 9053
// §4.2). A facade: a port defines the functions. No allocation by the caller.
#pragma once

#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace sotto::crypto {

inline constexpr std::size_t kAeadKeySize = 16;
inline constexpr std::size_t kNonceSize = 13;
inline constexpr std::size_t kAeadPlaintextSizeMax = 65535;  // a nonce of 13 leaves 2 for the size
using AeadKey = Secret<kAeadKeySize, struct AeadKeyTag>;
using Nonce = std::array<std::uint8_t, kNonceSize>;
using CommonIv = Secret<kNonceSize, struct CommonIvTag>;  // what OSCORE makes nonces of

enum class TagSize : std::uint8_t {
    Short = 8,  // AES-CCM-16-64-128
    Long = 16,  // AES-CCM-16-128-128
};
constexpr std::size_t size_of(TagSize tag) { return static_cast<std::size_t>(tag); }

// What one message is sealed or opened with. Borrows all of it.
struct AeadParameters {
    const AeadKey& key;
    const Nonce& nonce;
    Bytes aad;
    TagSize tag;
};

// Encrypts and authenticates. `out` gets ciphertext and tag; its size is plaintext.size() +
// size_of(with.tag), anything else is Error::InvalidArgument. `out` may begin where `plaintext`
// begins. Error::TooLarge over kAeadPlaintextSizeMax.
Status aead_seal(const AeadParameters& with, Bytes plaintext, MutBytes out);

// Verifies and decrypts. `sealed` is ciphertext and tag; `out` has the size of the plaintext and
// may begin where `sealed` begins. Error::Unauthenticated if it does not verify: `out` is then
// wiped. Error::Truncated if `sealed` is shorter than a tag, Error::InvalidArgument if `out` has
// another size, Error::TooLarge as above.
Status aead_open(const AeadParameters& with, Bytes sealed, MutBytes out);

}  // namespace sotto::crypto
