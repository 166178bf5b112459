// SPDX-License-Identifier: Apache-2.0
// One context for each direction, re-keyed for each frame: a session keeps 16 bytes of key and no
// context of 200.
#include "cloud/particle_openssl/keys.hpp"
#include "cloud/particle_openssl/native.hpp"
#include "core/base/assert.hpp"

namespace sotto::cloud::particle_openssl {

namespace {

using particle::AesKey;
using particle::kBlockSize;

class OpensslCipher final : public particle::Cipher {
  public:
    OpensslCipher()
        : cipher_(EVP_CIPHER_fetch(nullptr, "AES-128-CBC", nullptr)),
          encryption_(EVP_CIPHER_CTX_new()),
          decryption_(EVP_CIPHER_CTX_new()) {
        SOTTO_ASSERT(cipher_ && encryption_ && decryption_);
        prepare(encryption_.get(), 1);
        prepare(decryption_.get(), 0);
        // It would keep the last block for its end. Where it keeps none, saying so costs time with
        // each key.
        SOTTO_ASSERT(EVP_CIPHER_CTX_set_padding(decryption_.get(), 0) == 1);
    }

    void encrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) override {
        begin(encryption_.get(), key);
        Scratch<kBlockSize> first;
        for (std::size_t i = 0; i < kBlockSize; ++i) first.bytes()[i] = in[i] ^ iv[i];
        run(encryption_.get(), first.bytes(), out.first(kBlockSize));
        if (in.size() > kBlockSize)
            run(encryption_.get(), in.subspan(kBlockSize), out.subspan(kBlockSize));
    }
    void decrypt(const AesKey& key, BytesN<kBlockSize> iv, Bytes in, MutBytes out) override {
        begin(decryption_.get(), key);
        Scratch<kBlockSize> ignored;
        run(decryption_.get(), iv, ignored.bytes());
        run(decryption_.get(), in, out);
    }

  private:
    // With an IV of zeros, and so it is after each key. OpenSSL 3.0 asks a context by name for the
    // size of the IV whenever it is given one, which takes a third of the time of a short frame: so
    // the IV comes as what it is to CBC, the block before the first.
    void prepare(EVP_CIPHER_CTX* context, int encrypts) {
        const std::uint8_t zeros[kBlockSize] = {};
        SOTTO_ASSERT(EVP_CipherInit_ex2(context, cipher_.get(), zeros, zeros, encrypts, nullptr) ==
                     1);
    }
    static void begin(EVP_CIPHER_CTX* context, const AesKey& key) {
        SOTTO_ASSERT(
            EVP_CipherInit_ex2(context, nullptr, key.expose().data(), nullptr, -1, nullptr) == 1);
    }
    static void run(EVP_CIPHER_CTX* context, Bytes in, MutBytes out) {
        SOTTO_ASSERT(in.size() == out.size() && in.size() % kBlockSize == 0);
        int size = 0;
        SOTTO_ASSERT(EVP_CipherUpdate(
                         context, out.data(), &size, in.data(), static_cast<int>(in.size())) == 1);
        SOTTO_ASSERT(size == static_cast<int>(out.size()));
    }

    Owned<EVP_CIPHER> cipher_;
    Owned<EVP_CIPHER_CTX> encryption_;
    Owned<EVP_CIPHER_CTX> decryption_;
};

}  // namespace

std::unique_ptr<particle::Cipher> make_cipher() { return std::make_unique<OpensslCipher>(); }

}  // namespace sotto::cloud::particle_openssl
