// SPDX-License-Identifier: Apache-2.0
// The keys of a device of the legacy Particle protocol, and its crypto, with OpenSSL. Allocates;
// making a key takes a fraction of a second.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "device/particle/crypto.hpp"

namespace sotto::device::particle_openssl {

// The public key of a server.
class ServerKey {
  public:
    // From PEM or DER. Error::Malformed if it is no RSA-2048 key with exponent 65537, or not a
    // public one.
    static Result<ServerKey> read(Bytes pem_or_der);

    ServerKey(ServerKey&& other) noexcept;
    ServerKey& operator=(ServerKey&& other) noexcept;
    ~ServerKey();

  private:
    friend class DeviceKey;
    struct Native;
    explicit ServerKey(std::unique_ptr<Native> native);
    std::unique_ptr<Native> native_;
};

// RSA-1024, as the protocol wants it.
class DeviceKey {
  public:
    // Error::EntropyFailed
    static Result<DeviceKey> generate();
    // From private_pem(). Error::Malformed for whatever else.
    static Result<DeviceKey> read(Bytes pem);

    DeviceKey(DeviceKey&& other) noexcept;
    DeviceKey& operator=(DeviceKey&& other) noexcept;
    ~DeviceKey();

    // PKCS #8. The caller wipes it.
    std::vector<std::uint8_t> private_pem() const;
    // SubjectPublicKeyInfo, as the tools of clouds take it.
    std::string public_pem() const;

    // With copies of both keys.
    std::unique_ptr<particle::Crypto> make_crypto(const ServerKey& server) const;

  private:
    struct Native;
    explicit DeviceKey(std::unique_ptr<Native> native);
    std::unique_ptr<Native> native_;
};

}  // namespace sotto::device::particle_openssl
