// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle_openssl/keys.hpp"

#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "cloud/particle/key_files.hpp"
#include "cloud/particle_openssl/handshake_crypto.hpp"
#include "cloud/particle_openssl/native.hpp"
#include "core/base/assert.hpp"

namespace sotto::cloud::particle_openssl {

namespace {

constexpr int kServerKeyBits = 2'048;
constexpr int kDeviceKeyBits = 1'024;

Owned<BIO> reader_of(Bytes bytes) {
    return Owned<BIO>{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

template <class Write>
std::string written_by(const Write& write) {
    const Owned<BIO> out{BIO_new(BIO_s_secmem())};
    SOTTO_ASSERT(out != nullptr && write(out.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::vector<std::uint8_t> public_der_of(EVP_PKEY* key) {
    std::uint8_t* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    SOTTO_ASSERT(size > 0);
    std::vector<std::uint8_t> bytes(der, der + size);
    OPENSSL_free(der);
    return bytes;
}

bool is_rsa(EVP_PKEY* key, int bits) {
    if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA) return false;
    BIGNUM* exponent = nullptr;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) return false;
    const bool is_usual = BN_is_word(exponent, RSA_F4) == 1;
    BN_free(exponent);
    return is_usual && EVP_PKEY_get_bits(key) == bits;
}

// A key that asks for a passphrase has none.
int refuse_passphrase(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*data*/) { return -1; }

Owned<EVP_PKEY> read_public(Bytes bytes) {
    const Owned<BIO> pem = reader_of(bytes);
    Owned<EVP_PKEY> key{PEM_read_bio_PUBKEY(pem.get(), nullptr, refuse_passphrase, nullptr)};
    if (key) return key;
    const std::uint8_t* at = bytes.data();
    key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(bytes.size())));
    if (key && at != bytes.data() + bytes.size()) key.reset();
    return key;
}

}  // namespace

struct ServerKey::Native {
    Owned<EVP_PKEY> key;
};

ServerKey::ServerKey(std::unique_ptr<Native> native) : native_(std::move(native)) {}
ServerKey::ServerKey(ServerKey&& other) noexcept = default;
ServerKey& ServerKey::operator=(ServerKey&& other) noexcept = default;
ServerKey::~ServerKey() = default;

Result<ServerKey> ServerKey::generate() {
    const ErrorMark mark;
    Owned<EVP_PKEY> key{EVP_RSA_gen(static_cast<std::size_t>(kServerKeyBits))};
    if (!key) return Error::EntropyFailed;
    return ServerKey{std::make_unique<Native>(std::move(key))};
}

Result<ServerKey> ServerKey::read(std::string_view pem) {
    const ErrorMark mark;
    const Owned<BIO> in = reader_of(as_bytes(pem));
    Owned<EVP_PKEY> key{PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr)};
    if (!is_rsa(key.get(), kServerKeyBits)) return Error::Malformed;
    return ServerKey{std::make_unique<Native>(std::move(key))};
}

std::string ServerKey::private_pem() const {
    return written_by([this](BIO* out) {
        return PEM_write_bio_PKCS8PrivateKey(
            out, native_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

std::string ServerKey::public_pem() const {
    return written_by([this](BIO* out) { return PEM_write_bio_PUBKEY(out, native_->key.get()); });
}

std::vector<std::uint8_t> ServerKey::public_der() const {
    return public_der_of(native_->key.get());
}

std::unique_ptr<particle::HandshakeCrypto> ServerKey::make_crypto() const {
    Owned<EVP_PKEY> copy{EVP_PKEY_dup(native_->key.get())};
    SOTTO_ASSERT(copy != nullptr);
    return std::make_unique<OpensslHandshakeCrypto>(std::move(copy));
}

Result<DevicePair> DevicePair::generate() {
    const ErrorMark mark;
    while (true) {
        const Owned<EVP_PKEY> key{EVP_RSA_gen(static_cast<std::size_t>(kDeviceKeyBits))};
        std::uint8_t* der = nullptr;
        const int size = key ? i2d_PrivateKey(key.get(), &der) : 0;
        if (size <= 0) return Error::EntropyFailed;
        DevicePair pair;
        pair.private_der_.assign(der, der + size);
        OPENSSL_clear_free(der, static_cast<std::size_t>(size));
        if (!particle::has_device_shape(pair.private_der_)) continue;
        pair.public_der_ = public_der_of(key.get());
        return pair;
    }
}

DevicePair::~DevicePair() { wipe(private_der_); }

Result<particle::DeviceKey> read_device_key(Bytes pem_or_der) {
    const ErrorMark mark;
    const Owned<EVP_PKEY> key = read_public(pem_or_der);
    if (!is_rsa(key.get(), kDeviceKeyBits)) return Error::Malformed;
    return public_der_of(key.get());
}

std::string to_pem(const particle::DeviceKey& key) {
    const Owned<EVP_PKEY> native = read_public(key);
    SOTTO_ASSERT(native != nullptr);
    return written_by([&](BIO* out) { return PEM_write_bio_PUBKEY(out, native.get()); });
}

}  // namespace sotto::cloud::particle_openssl
