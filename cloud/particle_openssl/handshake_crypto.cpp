// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle_openssl/handshake_crypto.hpp"

#include <utility>

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/base/assert.hpp"

namespace sotto::cloud::particle_openssl {

using namespace particle;  // NOLINT(google-build-using-namespace): the sizes of the protocol

OpensslHandshakeCrypto::OpensslHandshakeCrypto(Owned<EVP_PKEY> key)
    : key_(std::move(key)), decryption_(EVP_PKEY_CTX_new(key_.get(), nullptr)) {
    SOTTO_ASSERT(decryption_ != nullptr && EVP_PKEY_decrypt_init(decryption_.get()) == 1);
    SOTTO_ASSERT(EVP_PKEY_CTX_set_rsa_padding(decryption_.get(), RSA_NO_PADDING) == 1);
}

// Without padding, OpenSSL's result has the size of the modulus whatever it is, and a check of the
// padding that could be timed does not happen there.
Status OpensslHandshakeCrypto::private_operation(BytesN<kServerModulusSize> in,
                                                 MutBytesN<kServerModulusSize> out) {
    const ErrorMark mark;
    std::size_t size = out.size();
    const int done = EVP_PKEY_decrypt(decryption_.get(), out.data(), &size, in.data(), in.size());
    if (done != 1 || size != out.size()) return Error::Malformed;
    return {};
}

Status OpensslHandshakeCrypto::encrypt_for_device(Bytes public_key,
                                                  BytesN<kCredentialsSize> credentials,
                                                  MutBytesN<kDeviceModulusSize> out) {
    const ErrorMark mark;
    const std::uint8_t* at = public_key.data();
    const Owned<EVP_PKEY> key{d2i_PUBKEY(nullptr, &at, static_cast<long>(public_key.size()))};
    if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA ||
        EVP_PKEY_get_size(key.get()) != static_cast<int>(out.size()))
        return Error::Malformed;
    const Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    SOTTO_ASSERT(context != nullptr && EVP_PKEY_encrypt_init(context.get()) == 1);
    SOTTO_ASSERT(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
    std::size_t size = out.size();
    const int done =
        EVP_PKEY_encrypt(context.get(), out.data(), &size, credentials.data(), credentials.size());
    if (done != 1 || size != out.size()) return Error::Malformed;
    return {};
}

void OpensslHandshakeCrypto::hmac_sha1(Bytes key, Bytes message, MutBytesN<kMacSize> out) {
    unsigned size = 0;
    const auto* done = HMAC(EVP_sha1(),
                            key.data(),
                            static_cast<int>(key.size()),
                            message.data(),
                            message.size(),
                            out.data(),
                            &size);
    SOTTO_ASSERT(done != nullptr && size == out.size());
}

Status OpensslHandshakeCrypto::fill_random(MutBytes out) {
    const ErrorMark mark;
    if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) return Error::EntropyFailed;
    return {};
}

}  // namespace sotto::cloud::particle_openssl
