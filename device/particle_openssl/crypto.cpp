// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "core/base/assert.hpp"
#include "device/particle_openssl/native.hpp"

namespace sotto::device::particle_openssl {

using namespace particle;  // NOLINT(google-build-using-namespace): the sizes of the protocol

namespace {

// Without padding: the result has the size of the modulus whatever it is, and a check that could be
// timed does not happen there.
Owned<EVP_PKEY_CTX> bare(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*)) {
    Owned<EVP_PKEY_CTX> context{EVP_PKEY_CTX_new(key, nullptr)};
    SOTTO_ASSERT(context != nullptr && begin(context.get()) == 1);
    SOTTO_ASSERT(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1);
    return context;
}

void run_cbc(EVP_CIPHER_CTX* context,
             bool encrypts,
             const AesKey& key,
             BytesN<kBlockSize> iv,
             Bytes in,
             MutBytes out) {
    SOTTO_ASSERT(in.size() == out.size() && in.size() % kBlockSize == 0);
    int size = 0;
    SOTTO_ASSERT(EVP_CipherInit_ex2(context,
                                    EVP_aes_128_cbc(),
                                    key.expose().data(),
                                    iv.data(),
                                    encrypts ? 1 : 0,
                                    nullptr) == 1);
    SOTTO_ASSERT(EVP_CIPHER_CTX_set_padding(context, 0) == 1);
    SOTTO_ASSERT(
        EVP_CipherUpdate(context, out.data(), &size, in.data(), static_cast<int>(in.size())) == 1);
    SOTTO_ASSERT(size == static_cast<int>(out.size()));
    EVP_CIPHER_CTX_reset(context);  // and its key with it
}

}  // namespace

OpensslCrypto::OpensslCrypto(Owned<EVP_PKEY> device,
                             const PublicKey& public_key,
                             Owned<EVP_PKEY> server)
    : device_(std::move(device)),
      public_key_(public_key),
      server_(std::move(server)),
      decryption_(bare(device_.get(), EVP_PKEY_decrypt_init)),
      encryption_(bare(server_.get(), EVP_PKEY_encrypt_init)),
      cipher_(EVP_CIPHER_CTX_new()) {
    SOTTO_ASSERT(cipher_ != nullptr);
}

Status OpensslCrypto::private_operation(BytesN<kDeviceModulusSize> in,
                                        MutBytesN<kDeviceModulusSize> out) {
    const ErrorMark mark;
    std::size_t size = out.size();
    const int done = EVP_PKEY_decrypt(decryption_.get(), out.data(), &size, in.data(), in.size());
    if (done != 1 || size != out.size()) return Error::Malformed;
    return {};
}

Status OpensslCrypto::server_operation(BytesN<kServerModulusSize> in,
                                       MutBytesN<kServerModulusSize> out) {
    const ErrorMark mark;
    std::size_t size = out.size();
    const int done = EVP_PKEY_encrypt(encryption_.get(), out.data(), &size, in.data(), in.size());
    if (done != 1 || size != out.size()) return Error::Malformed;
    return {};
}

void OpensslCrypto::hmac_sha1(Bytes key, Bytes message, MutBytesN<kMacSize> out) {
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

Status OpensslCrypto::fill_random(MutBytes out) {
    const ErrorMark mark;
    if (RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1) return Error::EntropyFailed;
    return {};
}

void OpensslCrypto::encrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) {
    run_cbc(cipher_.get(), true, key, iv, in, out);
}

void OpensslCrypto::decrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) {
    run_cbc(cipher_.get(), false, key, iv, in, out);
}

}  // namespace sotto::device::particle_openssl
