// SPDX-License-Identifier: Apache-2.0
// What a device needs of a crypto library for the legacy Particle protocol. Implemented by
// device/particle_openssl; nothing else here knows which library that is.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/secret.hpp"

namespace sotto::device::particle {

inline constexpr std::size_t kServerModulusSize = 256;  // RSA-2048
inline constexpr std::size_t kDeviceModulusSize = 128;  // RSA-1024
inline constexpr std::size_t kDeviceKeySize = 162;      // its SubjectPublicKeyInfo in DER
inline constexpr std::size_t kBlockSize = 16;           // AES
inline constexpr std::size_t kCredentialsSize = 40;     // AES key, IV, salt
inline constexpr std::size_t kMacSize = 20;             // HMAC-SHA-1

using AesKey = Secret<16, struct DeviceAesKeyTag>;
using Credentials = Secret<kCredentialsSize, struct DeviceCredentialsTag>;

class Crypto {
  public:
    virtual ~Crypto() = default;

    // The device's public key.
    virtual BytesN<kDeviceKeySize> public_key() const = 0;
    // The bare operations, padding is for the caller: of the device's private key, blinded, and of
    // the server's public one. Error::Malformed for what is not below the modulus.
    virtual Status private_operation(BytesN<kDeviceModulusSize> in,
                                     MutBytesN<kDeviceModulusSize> out) = 0;
    virtual Status server_operation(BytesN<kServerModulusSize> in,
                                    MutBytesN<kServerModulusSize> out) = 0;
    virtual void hmac_sha1(Bytes key, Bytes message, MutBytesN<kMacSize> out) = 0;
    // Error::EntropyFailed
    virtual Status fill_random(MutBytes out) = 0;

    // AES-128 in CBC mode. Sizes are whole blocks; `out` is as large as `in` and not the same.
    virtual void encrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) = 0;
    virtual void decrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) = 0;
};

}  // namespace sotto::device::particle
