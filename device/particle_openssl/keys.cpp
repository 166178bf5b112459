// SPDX-License-Identifier: Apache-2.0
#include "device/particle_openssl/keys.hpp"

#include <algorithm>
#include <utility>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/base/assert.hpp"
#include "device/particle_openssl/native.hpp"

namespace sotto::device::particle_openssl {

namespace {

constexpr int kServerKeyBits = 8 * particle::kServerModulusSize;
constexpr int kDeviceKeyBits = 8 * particle::kDeviceModulusSize;

Owned<BIO> reader_of(Bytes bytes) {
    return Owned<BIO>{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

template <class Text, class Write>
Text written_by(const Write& write) {
    const Owned<BIO> out{BIO_new(BIO_s_secmem())};
    SOTTO_ASSERT(out != nullptr && write(out.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return Text(data, data + size);
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

OpensslCrypto::PublicKey public_der_of(EVP_PKEY* key) {
    std::uint8_t* der = nullptr;
    OpensslCrypto::PublicKey bytes{};
    const int size = i2d_PUBKEY(key, &der);
    SOTTO_ASSERT(size == static_cast<int>(bytes.size()));
    std::copy_n(der, bytes.size(), bytes.begin());
    OPENSSL_free(der);
    return bytes;
}

}  // namespace

struct ServerKey::Native {
    Owned<EVP_PKEY> key;
};

ServerKey::ServerKey(std::unique_ptr<Native> native) : native_(std::move(native)) {}
ServerKey::ServerKey(ServerKey&& other) noexcept = default;
ServerKey& ServerKey::operator=(ServerKey&& other) noexcept = default;
ServerKey::~ServerKey() = default;

Result<ServerKey> ServerKey::read(Bytes pem_or_der) {
    const ErrorMark mark;
    const Owned<BIO> pem = reader_of(pem_or_der);
    Owned<EVP_PKEY> key{PEM_read_bio_PUBKEY(pem.get(), nullptr, refuse_passphrase, nullptr)};
    if (!key) {
        const std::uint8_t* at = pem_or_der.data();
        key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(pem_or_der.size())));
        if (at != pem_or_der.data() + pem_or_der.size()) return Error::Malformed;
    }
    if (!is_rsa(key.get(), kServerKeyBits)) return Error::Malformed;
    return ServerKey{std::make_unique<Native>(std::move(key))};
}

struct DeviceKey::Native {
    Owned<EVP_PKEY> key;
};

DeviceKey::DeviceKey(std::unique_ptr<Native> native) : native_(std::move(native)) {}
DeviceKey::DeviceKey(DeviceKey&& other) noexcept = default;
DeviceKey& DeviceKey::operator=(DeviceKey&& other) noexcept = default;
DeviceKey::~DeviceKey() = default;

Result<DeviceKey> DeviceKey::generate() {
    const ErrorMark mark;
    Owned<EVP_PKEY> key{EVP_RSA_gen(static_cast<std::size_t>(kDeviceKeyBits))};
    if (!key) return Error::EntropyFailed;
    return DeviceKey{std::make_unique<Native>(std::move(key))};
}

Result<DeviceKey> DeviceKey::read(Bytes pem) {
    const ErrorMark mark;
    const Owned<BIO> in = reader_of(pem);
    Owned<EVP_PKEY> key{PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, nullptr)};
    if (!is_rsa(key.get(), kDeviceKeyBits)) return Error::Malformed;
    const Owned<EVP_PKEY_CTX> check{EVP_PKEY_CTX_new(key.get(), nullptr)};
    if (!check || EVP_PKEY_pairwise_check(check.get()) != 1) return Error::Malformed;
    return DeviceKey{std::make_unique<Native>(std::move(key))};
}

std::vector<std::uint8_t> DeviceKey::private_pem() const {
    return written_by<std::vector<std::uint8_t>>([this](BIO* out) {
        return PEM_write_bio_PKCS8PrivateKey(
            out, native_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
}

std::string DeviceKey::public_pem() const {
    return written_by<std::string>(
        [this](BIO* out) { return PEM_write_bio_PUBKEY(out, native_->key.get()); });
}

std::unique_ptr<particle::Crypto> DeviceKey::make_crypto(const ServerKey& server) const {
    Owned<EVP_PKEY> device{EVP_PKEY_dup(native_->key.get())};
    Owned<EVP_PKEY> other{EVP_PKEY_dup(server.native_->key.get())};
    SOTTO_ASSERT(device != nullptr && other != nullptr);
    const auto public_key = public_der_of(device.get());
    return std::make_unique<OpensslCrypto>(std::move(device), public_key, std::move(other));
}

}  // namespace sotto::device::particle_openssl
