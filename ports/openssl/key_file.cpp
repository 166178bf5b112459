// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/key_file.hpp"

#include <cstdio>
#include <memory>
#include <vector>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "ports/openssl/error_mark.hpp"

namespace sotto::ports {
namespace {

constexpr std::size_t kFileSizeMax = 16'384;

struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(BIGNUM* number) const { BN_clear_free(number); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};

// OpenSSL asks for a password here; nobody is there to answer.
int note_password(char* /*out*/, int /*size*/, int /*writes*/, void* was_asked) {
    *static_cast<bool*>(was_asked) = true;
    return -1;
}

Result<crypto::DhPrivateKey, KeyFileError> from_scalar(BytesN<crypto::kDhSize> scalar) {
    auto key = crypto::dh_private_from_candidate(scalar);
    if (!key) return KeyFileError::OutOfRange;
    return *std::move(key);
}

Result<crypto::DhPrivateKey, KeyFileError> from_key(const EVP_PKEY* key) {
    char group[32] = "";
    std::size_t size = 0;
    if (EVP_PKEY_is_a(key, "EC") != 1 ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), &size) != 1 ||
        std::string_view{group} != SN_X9_62_prime256v1)
        return KeyFileError::WrongKind;
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1)
        return KeyFileError::NotAKey;
    const std::unique_ptr<BIGNUM, Free> scalar{number};
    Scratch<crypto::kDhSize> bytes;
    if (BN_bn2binpad(scalar.get(), bytes.bytes().data(), crypto::kDhSize) != crypto::kDhSize)
        return KeyFileError::OutOfRange;
    return from_scalar(bytes.bytes());
}

}  // namespace

std::string_view to_string(KeyFileError error) {
    switch (error) {
        case KeyFileError::Unreadable:
            return "it cannot be read: check path and permissions";
        case KeyFileError::NotAKey:
            return "it holds no private key: make one with "
                   "openssl ecparam -name prime256v1 -genkey -noout";
        case KeyFileError::Encrypted:
            return "it is encrypted: decrypt it with openssl pkey -in FILE -out PLAIN";
        case KeyFileError::WrongKind:
            return "its key is not on the curve P-256: make one with "
                   "openssl ecparam -name prime256v1 -genkey -noout";
        case KeyFileError::OutOfRange:
            return "its number is not a private key of P-256";
    }
    return "?";
}

Result<crypto::DhPrivateKey, KeyFileError> parse_private_key(Bytes content) {
    if (content.size() == crypto::kDhSize) return from_scalar(content.first<crypto::kDhSize>());
    if (content.empty() || content.size() > kFileSizeMax) return KeyFileError::NotAKey;
    const openssl::ErrorMark mark;
    const std::unique_ptr<BIO, Free> bio{
        BIO_new_mem_buf(content.data(), static_cast<int>(content.size()))};
    SOTTO_ASSERT(bio);
    bool was_asked = false;
    const std::unique_ptr<EVP_PKEY, Free> key{
        PEM_read_bio_PrivateKey(bio.get(), nullptr, note_password, &was_asked)};
    if (!key) return was_asked ? KeyFileError::Encrypted : KeyFileError::NotAKey;
    return from_key(key.get());
}

Result<crypto::DhPrivateKey, KeyFileError> load_private_key(const std::string& path) {
    const std::unique_ptr<std::FILE, Free> file{std::fopen(path.c_str(), "rbe")};
    if (!file) return KeyFileError::Unreadable;
    std::setvbuf(file.get(), nullptr, _IONBF, 0);  // no second copy that nobody wipes
    Scratch<kFileSizeMax + 1> content;
    const MutBytes bytes = content.bytes();
    const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), file.get());
    if (std::ferror(file.get()) != 0 || size > kFileSizeMax) return KeyFileError::Unreadable;
    return parse_private_key(bytes.first(size));
}

}  // namespace sotto::ports
