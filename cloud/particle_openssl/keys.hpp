// SPDX-License-Identifier: Apache-2.0
// Keys of the legacy Particle protocol in the formats of its tools: the server's RSA-2048 key and
// the public RSA-1024 keys of devices. Allocates; making a key takes a second.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/particle/crypto.hpp"
#include "cloud/particle/handshake.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::particle_openssl {

class ServerKey {
  public:
    // Error::EntropyFailed
    static Result<ServerKey> generate();
    // From PEM, PKCS #1 or PKCS #8. Error::Malformed if it is no RSA-2048 key with exponent 65537,
    // which is what devices expect, or sealed under a passphrase.
    static Result<ServerKey> read(std::string_view pem);

    ServerKey(ServerKey&& other) noexcept;
    ServerKey& operator=(ServerKey&& other) noexcept;
    ~ServerKey();

    // PKCS #8 in PEM. The caller wipes it.
    std::string private_pem() const;
    // SubjectPublicKeyInfo: what devices store is the DER, of 294 bytes.
    std::string public_pem() const;
    std::vector<std::uint8_t> public_der() const;

    // With a copy of the key of its own, for one thread.
    std::unique_ptr<particle::HandshakeCrypto> make_crypto() const;

  private:
    struct Native;
    explicit ServerKey(std::unique_ptr<Native> native);
    std::unique_ptr<Native> native_;
};

// Both halves of the key of a device.
class DevicePair {
  public:
    // Made again until its numbers stand where a device looks for them (has_device_shape()).
    // Error::EntropyFailed.
    static Result<DevicePair> generate();

    DevicePair(DevicePair&& other) noexcept = default;
    DevicePair& operator=(DevicePair&& other) noexcept = default;
    ~DevicePair();

    // PKCS #1 in DER, as a device keeps it.
    Bytes private_der() const { return private_der_; }
    // SubjectPublicKeyInfo in DER.
    const particle::DeviceKey& public_der() const { return public_der_; }

  private:
    DevicePair() = default;

    std::vector<std::uint8_t> private_der_;
    particle::DeviceKey public_der_;
};

// The public key of a device from PEM or DER, as SubjectPublicKeyInfo in DER. Error::Malformed if
// it is no RSA-1024 key with exponent 65537, or not a public one.
Result<particle::DeviceKey> read_device_key(Bytes pem_or_der);

// The form in which the tools keep it.
std::string to_pem(const particle::DeviceKey& key);

// AES for the thread that serves sessions.
std::unique_ptr<particle::Cipher> make_cipher();

}  // namespace sotto::cloud::particle_openssl
