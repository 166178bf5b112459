// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects, and the crypto made of them, for the sources of this folder.
#pragma once

#include <array>
#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "device/particle/crypto.hpp"

namespace sotto::device::particle_openssl {

struct Free {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// What fails within leaves no error behind in the queue of the thread.
class ErrorMark {
  public:
    ErrorMark() { ERR_set_mark(); }
    ErrorMark(const ErrorMark&) = delete;
    ErrorMark& operator=(const ErrorMark&) = delete;
    ~ErrorMark() { ERR_pop_to_mark(); }
};

class OpensslCrypto final : public particle::Crypto {
  public:
    using PublicKey = std::array<std::uint8_t, particle::kDeviceKeySize>;
    OpensslCrypto(Owned<EVP_PKEY> device, const PublicKey& public_key, Owned<EVP_PKEY> server);

    BytesN<particle::kDeviceKeySize> public_key() const override { return public_key_; }
    Status private_operation(BytesN<particle::kDeviceModulusSize> in,
                             MutBytesN<particle::kDeviceModulusSize> out) override;
    Status server_operation(BytesN<particle::kServerModulusSize> in,
                            MutBytesN<particle::kServerModulusSize> out) override;
    void hmac_sha1(Bytes key, Bytes message, MutBytesN<particle::kMacSize> out) override;
    Status fill_random(MutBytes out) override;
    void encrypt(const particle::AesKey& key,
                 BytesN<particle::kBlockSize> iv,
                 Bytes in,
                 MutBytes out) override;
    void decrypt(const particle::AesKey& key,
                 BytesN<particle::kBlockSize> iv,
                 Bytes in,
                 MutBytes out) override;

  private:
    Owned<EVP_PKEY> device_;
    PublicKey public_key_;
    Owned<EVP_PKEY> server_;
    Owned<EVP_PKEY_CTX> decryption_;
    Owned<EVP_PKEY_CTX> encryption_;
    Owned<EVP_CIPHER_CTX> cipher_;
};

}  // namespace sotto::device::particle_openssl
