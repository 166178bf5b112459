// SPDX-License-Identifier: Apache-2.0
// RSA and HMAC of the handshake, for one thread. For the sources of this folder; others get it from
// ServerKey::make_crypto().
#pragma once

#include "cloud/particle/crypto.hpp"
#include "cloud/particle_openssl/native.hpp"

namespace sotto::cloud::particle_openssl {

class OpensslHandshakeCrypto final : public particle::HandshakeCrypto {
  public:
    explicit OpensslHandshakeCrypto(Owned<EVP_PKEY> key);

    Status private_operation(BytesN<particle::kServerModulusSize> in,
                             MutBytesN<particle::kServerModulusSize> out) override;
    Status encrypt_for_device(Bytes public_key,
                              BytesN<particle::kCredentialsSize> credentials,
                              MutBytesN<particle::kDeviceModulusSize> out) override;
    void hmac_sha1(Bytes key, Bytes message, MutBytesN<particle::kMacSize> out) override;
    Status fill_random(MutBytes out) override;

  private:
    Owned<EVP_PKEY> key_;
    Owned<EVP_PKEY_CTX> decryption_;
};

}  // namespace sotto::cloud::particle_openssl
