// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle_openssl/handshake_crypto.hpp"

#include <algorithm>
#include <utility>

#include <openssl/bn.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "core/base/assert.hpp"

namespace sotto::cloud::particle_openssl {

using namespace particle;  // NOLINT(google-build-using-namespace): the sizes of the protocol

namespace {

// SubjectPublicKeyInfo of an RSA key of 1,024 bits, in DER: this, the modulus, and the exponent.
constexpr std::uint8_t kHead[] = {0x30, 0x81, 0x9f, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                  0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x81,
                                  0x8d, 0x00, 0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00};
constexpr std::uint8_t kTail[] = {0x02, 0x03, 0x01, 0x00, 0x01};

Result<Bytes> modulus_of(Bytes key) {
    if (key.size() != sizeof kHead + kDeviceModulusSize + sizeof kTail) return Error::Malformed;
    const Bytes modulus = key.subspan(sizeof kHead, kDeviceModulusSize);
    const bool is_right = equal(key.first(sizeof kHead), kHead) &&
                          equal(key.last(sizeof kTail), kTail) && modulus.front() >= 0x80 &&
                          (modulus.back() & 1) == 1;
    if (!is_right) return Error::Malformed;
    return modulus;
}

// RFC 8017 §7.2.1: 00 02, bytes that are random and not zero, 00, the message.
Status pad(BytesN<kCredentialsSize> message, MutBytesN<kDeviceModulusSize> out) {
    constexpr std::size_t kPaddingSize = kDeviceModulusSize - kCredentialsSize - 3;
    out[0] = 0;
    out[1] = 2;
    const MutBytes padding = out.subspan(2, kPaddingSize);
    if (RAND_bytes(padding.data(), static_cast<int>(padding.size())) != 1)
        return Error::EntropyFailed;
    for (std::uint8_t& byte : padding)
        while (byte == 0)
            if (RAND_bytes(&byte, 1) != 1) return Error::EntropyFailed;
    out[2 + kPaddingSize] = 0;
    std::copy(message.begin(), message.end(), out.end() - kCredentialsSize);
    return {};
}

}  // namespace

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

// By hand, in an eighth of the time that OpenSSL 3 takes, most of which is to look at the key.
Status OpensslHandshakeCrypto::encrypt_for_device(Bytes public_key,
                                                  BytesN<kCredentialsSize> credentials,
                                                  MutBytesN<kDeviceModulusSize> out) {
    const ErrorMark mark;
    SOTTO_TRY_ASSIGN(const Bytes modulus, modulus_of(public_key));
    Scratch<kDeviceModulusSize> padded;
    SOTTO_TRY(pad(credentials, padded.bytes()));
    const Owned<BN_CTX> context{BN_CTX_new()};
    const Owned<BN_MONT_CTX> montgomery{BN_MONT_CTX_new()};
    const Owned<BIGNUM> n{BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr)};
    const Owned<BIGNUM> e{BN_new()};
    const Owned<BIGNUM> m{
        BN_bin2bn(padded.bytes().data(), static_cast<int>(padded.bytes().size()), nullptr)};
    const Owned<BIGNUM> c{BN_new()};
    SOTTO_ASSERT(context && montgomery && n && e && m && c && BN_set_word(e.get(), RSA_F4) == 1);
    const bool is_done =
        BN_MONT_CTX_set(montgomery.get(), n.get(), context.get()) == 1 &&
        BN_mod_exp_mont(c.get(), m.get(), e.get(), n.get(), context.get(), montgomery.get()) == 1 &&
        BN_bn2binpad(c.get(), out.data(), static_cast<int>(out.size())) ==
            static_cast<int>(out.size());
    if (!is_done) return Error::Malformed;
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
