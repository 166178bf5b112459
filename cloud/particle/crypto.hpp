// SPDX-License-Identifier: Apache-2.0
// What the legacy Particle protocol needs of a crypto library. Implemented by
// cloud/particle_openssl; nothing else here knows which library that is.
#pragma once

#include <cstddef>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace sotto::cloud::particle {

inline constexpr std::size_t kServerModulusSize = 256;  // RSA-2048
inline constexpr std::size_t kDeviceModulusSize = 128;  // RSA-1024
inline constexpr std::size_t kBlockSize = 16;           // AES
inline constexpr std::size_t kCredentialsSize = 40;     // AES key, IV, salt
inline constexpr std::size_t kMacSize = 20;             // HMAC-SHA-1

using AesKey = Secret<16, struct ParticleAesKeyTag>;
using Credentials = Secret<kCredentialsSize, struct ParticleCredentialsTag>;

// AES-128 in CBC mode, for the thread that serves sessions. Sizes are whole blocks; `out` is as
// large as `in`. Does not fail: a library that cannot encrypt ends the program.
class Cipher {
  public:
    virtual ~Cipher() = default;
    virtual void encrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) = 0;
    virtual void decrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) = 0;
};

// The slow half. One for each thread that uses it.
class HandshakeCrypto {
  public:
    virtual ~HandshakeCrypto() = default;
    // The bare private operation of the server's key, blinded; padding is for the caller.
    // Error::Malformed for what is not below the modulus.
    virtual Status private_operation(BytesN<kServerModulusSize> in,
                                     MutBytesN<kServerModulusSize> out) = 0;
    // RSAES-PKCS1-v1_5 (RFC 8017 §7.2) under a device's key, a SubjectPublicKeyInfo in DER.
    // Error::Malformed if that is no RSA-1024 key.
    virtual Status encrypt_for_device(Bytes public_key,
                                      BytesN<kCredentialsSize> credentials,
                                      MutBytesN<kDeviceModulusSize> out) = 0;
    virtual void hmac_sha1(Bytes key, Bytes message, MutBytesN<kMacSize> out) = 0;
    // Error::EntropyFailed
    virtual Status fill_random(MutBytes out) = 0;
};

}  // namespace sotto::cloud::particle
