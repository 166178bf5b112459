// SPDX-License-Identifier: Apache-2.0
#include "testing/particle/legacy_keys.hpp"

#include <algorithm>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/base/assert.hpp"

namespace sotto::testing {

namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Free>;

constexpr std::size_t kServerModulusOffset = 33;

// 256 bytes at their fixed place, whatever stands around them, and 65537.
Key server_key(Bytes der) {
    SOTTO_ASSERT(der.size() == 294);
    BIGNUM* modulus = BN_bin2bn(der.data() + kServerModulusOffset, 256, nullptr);
    BIGNUM* exponent = BN_new();
    BN_set_word(exponent, RSA_F4);
    OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent);
    OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
    const Context context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    EVP_PKEY* key = nullptr;
    SOTTO_ASSERT(EVP_PKEY_fromdata_init(context.get()) == 1);
    SOTTO_ASSERT(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return Key{key};
}

std::vector<std::uint8_t> der_of(EVP_PKEY* key, int (*write)(const EVP_PKEY*, unsigned char**)) {
    std::uint8_t* der = nullptr;
    const int size = write(key, &der);
    SOTTO_ASSERT(size > 0);
    std::vector<std::uint8_t> bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

// No parser of ASN.1: the firmware knows the offsets of one shape.
bool has_the_shape(const std::vector<std::uint8_t>& der) {
    constexpr std::uint8_t kHead[] = {2, 1, 0, 2, 0x81, 0x81, 0};
    std::size_t at = 4;
    if (der.size() < 500 || !std::equal(std::begin(kHead), std::end(kHead), der.begin() + 4))
        return false;
    at += sizeof kHead + 128;
    constexpr std::uint8_t kExponent[] = {2, 3, 1, 0, 1};
    if (!std::equal(std::begin(kExponent), std::end(kExponent), der.begin() + at)) return false;
    at += sizeof kExponent;
    if (der[at] != 2 || der[at + 1] != 0x81 || (der[at + 2] != 0x80 && der[at + 2] != 0x81))
        return false;
    at += 3U + der[at + 2];
    for (int field = 0; field < 5; ++field) {
        if (at + 2 > der.size() || der[at] != 2) return false;
        if (der[at + 1] != 0x40 && !(der[at + 1] == 0x41 && der[at + 2] == 0)) return false;
        at += 2U + der[at + 1];
    }
    return at == der.size();
}

}  // namespace

struct LegacyKey::Native {
    Key key;
};

LegacyKey::LegacyKey(std::unique_ptr<Native> native) : native_(std::move(native)) {}
LegacyKey::LegacyKey(LegacyKey&& other) noexcept = default;
LegacyKey::~LegacyKey() = default;

LegacyKey LegacyKey::generate() {
    for (;;) {
        LegacyKey key{std::make_unique<Native>(Key{EVP_RSA_gen(1'024U)})};
        if (has_the_shape(key.private_der())) return key;
    }
}

LegacyKey LegacyKey::from(Bytes private_der) {
    const std::uint8_t* at = private_der.data();
    Key key{d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(private_der.size()))};
    SOTTO_ASSERT(key != nullptr);
    return LegacyKey{std::make_unique<Native>(std::move(key))};
}

std::string LegacyKey::public_pem() const {
    BIO* out = BIO_new(BIO_s_mem());
    SOTTO_ASSERT(PEM_write_bio_PUBKEY(out, native_->key.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return pem;
}

std::vector<std::uint8_t> LegacyKey::private_der() const {
    return der_of(native_->key.get(), i2d_PrivateKey);
}
std::vector<std::uint8_t> LegacyKey::public_der() const {
    return der_of(native_->key.get(), i2d_PUBKEY);
}

std::array<std::uint8_t, 256> LegacyKey::seal_to_server(Bytes server_key_der, Bytes message) const {
    const Key key = server_key(server_key_der);
    const Context context{EVP_PKEY_CTX_new(key.get(), nullptr)};
    std::array<std::uint8_t, 256> sealed{};
    std::size_t size = sealed.size();
    SOTTO_ASSERT(EVP_PKEY_encrypt_init(context.get()) == 1);
    SOTTO_ASSERT(
        EVP_PKEY_encrypt(context.get(), sealed.data(), &size, message.data(), message.size()) == 1);
    return sealed;
}

std::optional<std::array<std::uint8_t, 40>> LegacyKey::open(Bytes server_key_der,
                                                            Bytes answer) const {
    const Context decryption{EVP_PKEY_CTX_new(native_->key.get(), nullptr)};
    std::array<std::uint8_t, 128> plain{};
    std::size_t size = plain.size();
    SOTTO_ASSERT(EVP_PKEY_decrypt_init(decryption.get()) == 1);
    if (EVP_PKEY_decrypt(decryption.get(), plain.data(), &size, answer.data(), 128) != 1 ||
        size != 40)
        return std::nullopt;
    std::array<std::uint8_t, 40> credentials{};
    std::copy_n(plain.begin(), 40, credentials.begin());
    std::array<std::uint8_t, 20> mac{};
    HMAC(EVP_sha1(), credentials.data(), 40, answer.data(), 128, mac.data(), nullptr);

    const Key key = server_key(server_key_der);
    const Context verification{EVP_PKEY_CTX_new(key.get(), nullptr)};
    std::array<std::uint8_t, 256> signed_mac{};
    size = signed_mac.size();
    SOTTO_ASSERT(EVP_PKEY_verify_recover_init(verification.get()) == 1);
    if (EVP_PKEY_verify_recover(
            verification.get(), signed_mac.data(), &size, answer.data() + 128, 256) != 1 ||
        !std::equal(mac.begin(), mac.end(), signed_mac.begin(), signed_mac.begin() + size))
        return std::nullopt;
    return credentials;
}

std::vector<std::uint8_t> legacy_cbc(bool encrypts, Bytes key, Bytes iv, Bytes in) {
    const std::unique_ptr<EVP_CIPHER_CTX, Free> context{EVP_CIPHER_CTX_new()};
    std::vector<std::uint8_t> out(in.size());
    int size = 0;
    EVP_CipherInit_ex(
        context.get(), EVP_aes_128_cbc(), nullptr, key.data(), iv.data(), encrypts ? 1 : 0);
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    SOTTO_ASSERT(EVP_CipherUpdate(
                     context.get(), out.data(), &size, in.data(), static_cast<int>(in.size())) ==
                 1);
    return out;
}

}  // namespace sotto::testing
