// SPDX-License-Identifier: Apache-2.0
// The low-level ECDSA functions are marked deprecated since OpenSSL 3.0 and used all the same: they
// give and take r and s as numbers, which is what COSE carries; EVP wraps them in DER.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ports/openssl/ecdsa.hpp"

#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include "ports/openssl/error_mark.hpp"

namespace sotto::ports {
namespace {

struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIGNUM* number) const { BN_clear_free(number); }
    void operator()(EC_KEY* key) const { EC_KEY_free(key); }
    void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using Number = std::unique_ptr<BIGNUM, Free>;
using Key = std::unique_ptr<EC_KEY, Free>;

Number number(BytesN<crypto::kDhSize> bytes) {
    Number result{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
    SOTTO_ASSERT(result);
    return result;
}

Key make_key() {
    Key key{EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)};
    SOTTO_ASSERT(key);
    return key;
}

void write(const BIGNUM* value, MutBytes out) {
    const int written = BN_bn2binpad(value, out.data(), static_cast<int>(out.size()));
    SOTTO_ASSERT(written == static_cast<int>(out.size()));
}

bool is_on_p256(const EVP_PKEY* key) {
    char group[32] = "";
    std::size_t size = 0;
    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), &size) == 1 &&
           std::string_view{group} == SN_X9_62_prime256v1;
}

Number coordinate(const EVP_PKEY* key, const char* name) {
    BIGNUM* value = nullptr;
    return Number{EVP_PKEY_get_bn_param(key, name, &value) == 1 ? value : nullptr};
}

}  // namespace

crypto::Signature sign(const crypto::DhPrivateKey& private_key, const crypto::Hash& hash) {
    const openssl::ErrorMark mark;
    const Key key = make_key();
    const Number scalar = number(private_key.expose());
    SOTTO_ASSERT(EC_KEY_set_private_key(key.get(), scalar.get()) == 1);
    const std::unique_ptr<ECDSA_SIG, Free> made{
        ECDSA_do_sign(hash.data(), static_cast<int>(hash.size()), key.get())};
    SOTTO_ASSERT(made);
    crypto::Signature signature{};
    write(ECDSA_SIG_get0_r(made.get()), MutBytes{signature}.first(crypto::kDhSize));
    write(ECDSA_SIG_get0_s(made.get()), MutBytes{signature}.last(crypto::kDhSize));
    return signature;
}

Result<crypto::DhPublicKey, KeyFileError> parse_public_key(Bytes content) {
    if (content.empty()) return KeyFileError::NotAKey;
    const openssl::ErrorMark mark;
    const std::unique_ptr<BIO, Free> bio{
        BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))};
    SOTTO_ASSERT(bio);
    const std::unique_ptr<EVP_PKEY, Free> key{
        PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr)};
    if (!key) {
        const auto private_key = parse_private_key(content);
        if (!private_key) return private_key.error();
        return crypto::dh_public(*private_key);
    }
    if (!is_on_p256(key.get())) return KeyFileError::WrongKind;
    const Number x = coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_X);
    const Number y = coordinate(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
    if (!x || !y) return KeyFileError::NotAKey;
    crypto::DhPublicKey made;
    write(x.get(), made.x);
    write(y.get(), made.y);
    const auto checked = crypto::dh_import(made.x, made.y);
    if (!checked) return KeyFileError::NotAKey;
    return *checked;
}

}  // namespace sotto::ports

namespace sotto::crypto {

bool verify_signature(const DhPublicKey& public_key,
                      const Hash& hash,
                      BytesN<kSignatureSize> signature) {
    using namespace ports;
    const openssl::ErrorMark mark;
    const Key key = make_key();
    const Number x = number(public_key.x);
    const Number y = number(public_key.y);
    if (EC_KEY_set_public_key_affine_coordinates(key.get(), x.get(), y.get()) != 1) return false;
    const std::unique_ptr<ECDSA_SIG, Free> given{ECDSA_SIG_new()};
    SOTTO_ASSERT(given);
    SOTTO_ASSERT(ECDSA_SIG_set0(given.get(),
                                number(signature.first<kDhSize>()).release(),
                                number(signature.last<kDhSize>()).release()) == 1);
    return ECDSA_do_verify(hash.data(), static_cast<int>(hash.size()), given.get(), key.get()) == 1;
}

}  // namespace sotto::crypto
