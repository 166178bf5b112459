// SPDX-License-Identifier: Apache-2.0
#include "core/crypto/aead.hpp"

#include <memory>

#include <openssl/evp.h>

#include "core/base/assert.hpp"
#include "ports/openssl/error_mark.hpp"

namespace sotto::crypto {
namespace {

using ports::openssl::ErrorMark;

struct Free {
    void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// A context that is set up once per thread and re-keyed for each message: the search for the
// algorithm and the allocations are what costs.
class Cipher {
  public:
    explicit Cipher(int encrypts)
        : cipher_(EVP_CIPHER_fetch(nullptr, "AES-128-CCM", nullptr)),
          context_(EVP_CIPHER_CTX_new()) {
        SOTTO_ASSERT(cipher_ && context_);
        require(
            EVP_CipherInit_ex2(context_.get(), cipher_.get(), nullptr, nullptr, encrypts, nullptr));
        require(EVP_CIPHER_CTX_ctrl(
            context_.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(kNonceSize), nullptr));
    }
    // The next message. `expected` is the tag to verify, or null to make one.
    void start(const AeadKey& key, const Nonce& nonce, TagSize tag, const std::uint8_t* expected) {
        require(EVP_CIPHER_CTX_ctrl(context_.get(),
                                    EVP_CTRL_AEAD_SET_TAG,
                                    static_cast<int>(size_of(tag)),
                                    const_cast<std::uint8_t*>(expected)));  // it only reads it
        require(EVP_CipherInit_ex2(
            context_.get(), nullptr, key.expose().data(), nonce.data(), -1, nullptr));
    }
    void authenticate(Bytes aad, std::size_t plaintext_size) {
        int count = 0;
        require(EVP_CipherUpdate(
            context_.get(), nullptr, &count, nullptr, static_cast<int>(plaintext_size)));
        if (aad.empty()) return;
        require(EVP_CipherUpdate(
            context_.get(), nullptr, &count, aad.data(), static_cast<int>(aad.size())));
    }
    // False if the tag does not verify.
    bool run(Bytes in, std::uint8_t* out) {
        std::uint8_t none = 0;  // a null pointer would mean something else to OpenSSL
        int count = 0;
        return EVP_CipherUpdate(context_.get(),
                                in.empty() ? &none : out,
                                &count,
                                in.empty() ? &none : in.data(),
                                static_cast<int>(in.size())) == 1;
    }
    void write_tag(MutBytes out) {
        require(EVP_CIPHER_CTX_ctrl(
            context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(out.size()), out.data()));
    }
    // Overwrites the key schedule, so that no key outlives its message.
    void forget() {
        constexpr std::array<std::uint8_t, kAeadKeySize> kNoKey{};
        require(EVP_CipherInit_ex2(context_.get(), nullptr, kNoKey.data(), nullptr, -1, nullptr));
    }

  private:
    static void require(int done) { SOTTO_ASSERT(done == 1); }

    std::unique_ptr<EVP_CIPHER, Free> cipher_;
    std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
};

}  // namespace

Status aead_seal(const AeadParameters& with, Bytes plaintext, MutBytes out) {
    if (plaintext.size() > kAeadPlaintextSizeMax) return Error::TooLarge;
    if (out.size() != plaintext.size() + size_of(with.tag)) return Error::InvalidArgument;
    thread_local Cipher cipher{1};
    cipher.start(with.key, with.nonce, with.tag, nullptr);
    cipher.authenticate(with.aad, plaintext.size());
    const bool done = cipher.run(plaintext, out.data());
    SOTTO_ASSERT(done);
    cipher.write_tag(out.subspan(plaintext.size()));
    cipher.forget();
    return {};
}

Status aead_open(const AeadParameters& with, Bytes sealed, MutBytes out) {
    if (sealed.size() < size_of(with.tag)) return Error::Truncated;
    const Bytes ciphertext = sealed.first(sealed.size() - size_of(with.tag));
    if (ciphertext.size() > kAeadPlaintextSizeMax) return Error::TooLarge;
    if (out.size() != ciphertext.size()) return Error::InvalidArgument;
    const ErrorMark mark;
    thread_local Cipher cipher{0};
    cipher.start(with.key, with.nonce, with.tag, sealed.data() + ciphertext.size());
    cipher.authenticate(with.aad, ciphertext.size());
    const bool verified = cipher.run(ciphertext, out.data());
    cipher.forget();
    if (verified) return {};
    wipe(out);
    return Error::Unauthenticated;
}

}  // namespace sotto::crypto
