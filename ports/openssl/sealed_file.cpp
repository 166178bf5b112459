// SPDX-License-Identifier: Apache-2.0
#include "ports/openssl/sealed_file.hpp"

#include <array>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"
#include "core/crypto/hash.hpp"
#include "ports/openssl/error_mark.hpp"

namespace sotto::ports {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kSaltSize = 16;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kHeaderSize = 8 + 4 + kSaltSize + kNonceSize;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kChecksumSize = 8;
static_assert(kHeaderSize + kTagSize + kChecksumSize == kSealedFileOverhead);

using FileKey = Secret<32, struct FileKeyTag>;

struct Free {
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// A sealed file, taken apart.
struct Parts {
    ScryptCost cost;
    Bytes header;
    Bytes salt;
    Bytes nonce;
    Bytes ciphertext;
    Bytes tag;
};

std::array<std::uint8_t, kChecksumSize> checksum(Bytes bytes) {
    std::array<std::uint8_t, kChecksumSize> sum{};
    const crypto::Hash hash = crypto::sha256(bytes);
    std::copy_n(hash.begin(), sum.size(), sum.begin());
    return sum;
}

Status check(ScryptCost cost) {
    if (cost.log2_n > kScryptLog2NMax || cost.p > kScryptPMax) return Error::TooLarge;
    if (memory_of(cost) > kScryptMemoryMax) return Error::TooLarge;
    if (cost.log2_n == 0 || cost.r == 0 || cost.p == 0) return Error::InvalidArgument;
    return {};
}

Result<Parts> take_apart(Bytes file) {
    Reader in{file};
    SOTTO_TRY_ASSIGN(const Bytes magic, in.take(kSealedFileMagic.size()));
    if (!equal(magic, as_bytes(kSealedFileMagic))) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const std::uint8_t version, in.u8());
    if (version != kVersion) return Error::Unsupported;
    if (file.size() < kSealedFileOverhead) return Error::Truncated;
    if (file.size() > kSealedContentMax + kSealedFileOverhead) return Error::TooLarge;
    const Bytes summed = file.first(file.size() - kChecksumSize);
    if (!equal(checksum(summed), file.last(kChecksumSize))) return Error::Malformed;
    Parts parts;
    SOTTO_TRY_ASSIGN(parts.cost.log2_n, in.u8());
    SOTTO_TRY_ASSIGN(parts.cost.r, in.u8());
    SOTTO_TRY_ASSIGN(parts.cost.p, in.u8());
    SOTTO_TRY_ASSIGN(parts.salt, in.take(kSaltSize));
    SOTTO_TRY_ASSIGN(parts.nonce, in.take(kNonceSize));
    SOTTO_TRY_ASSIGN(parts.ciphertext, in.take(file.size() - kSealedFileOverhead));
    SOTTO_TRY_ASSIGN(parts.tag, in.take(kTagSize));
    parts.header = file.first(kHeaderSize);
    const Status checked = check(parts.cost);
    if (!checked) return checked.error() == Error::TooLarge ? Error::TooLarge : Error::Malformed;
    return parts;
}

// AES-256-GCM. Whether OpenSSL could do it; of decryption, whether the tag verifies.
class Gcm {
  public:
    Gcm(bool encrypts, const FileKey& key, Bytes nonce) : context_(EVP_CIPHER_CTX_new()) {
        note(context_ != nullptr);
        note(EVP_CipherInit_ex2(context_.get(),
                                EVP_aes_256_gcm(),
                                key.expose().data(),
                                nonce.data(),  // of 12 bytes, as GCM has it by default
                                encrypts ? 1 : 0,
                                nullptr) == 1);
    }
    void authenticate(Bytes aad) { update(nullptr, aad); }
    void run(Bytes in, MutBytes out) {
        if (!in.empty()) update(out.data(), in);
    }
    void expect_tag(Bytes tag) {
        note(EVP_CIPHER_CTX_ctrl(context_.get(),
                                 EVP_CTRL_AEAD_SET_TAG,
                                 static_cast<int>(tag.size()),
                                 const_cast<std::uint8_t*>(tag.data())) == 1);  // it only reads it
    }
    void write_tag(MutBytes tag) {
        note(EVP_CIPHER_CTX_ctrl(
                 context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()) ==
             1);
    }
    bool finish() {
        std::uint8_t none = 0;
        int count = 0;
        note(EVP_CipherFinal_ex(context_.get(), &none, &count) == 1);
        return is_good_;
    }

  private:
    void update(std::uint8_t* out, Bytes in) {
        int count = 0;
        note(EVP_CipherUpdate(
                 context_.get(), out, &count, in.data(), static_cast<int>(in.size())) == 1);
    }
    void note(bool is_done) {
        SOTTO_ASSERT(context_ != nullptr);
        is_good_ = is_good_ && is_done;
    }

    std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
    bool is_good_ = true;
};

}  // namespace

Status scrypt(Bytes passphrase, Bytes salt, ScryptCost cost, MutBytes out) {
    SOTTO_TRY(check(cost));
    const openssl::ErrorMark mark;
    const std::unique_ptr<EVP_KDF, Free> kdf{EVP_KDF_fetch(nullptr, "SCRYPT", nullptr)};
    SOTTO_ASSERT(kdf);
    const std::unique_ptr<EVP_KDF_CTX, Free> context{EVP_KDF_CTX_new(kdf.get())};
    SOTTO_ASSERT(context);
    std::uint64_t n = std::uint64_t{1} << cost.log2_n;
    std::uint32_t r = cost.r;
    std::uint32_t p = cost.p;
    std::uint64_t memory_max = 2 * kScryptMemoryMax;  // it counts some small buffers too
    std::uint8_t none = 0;                            // a null pointer would mean "not given"
    const auto octets = [&none](const char* name, Bytes bytes) {
        void* data = bytes.empty() ? &none : const_cast<std::uint8_t*>(bytes.data());
        return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
    };
    const OSSL_PARAM parameters[] = {
        octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
        octets(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
        OSSL_PARAM_construct_end()};
    if (EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) == 1) return {};
    wipe(out);
    return Error::InvalidArgument;
}

Status seal_file(
    Bytes content, Bytes passphrase, ScryptCost cost, hal::Entropy& entropy, MutBytes out) {
    if (content.size() > kSealedContentMax) return Error::TooLarge;
    if (out.size() != content.size() + kSealedFileOverhead) return Error::InvalidArgument;
    std::array<std::uint8_t, kSaltSize + kNonceSize> random{};
    SOTTO_TRY(entropy.fill(random));
    const Bytes salt = Bytes{random}.first(kSaltSize);
    const Bytes nonce = Bytes{random}.last(kNonceSize);
    FileKey key;
    SOTTO_TRY(scrypt(passphrase, salt, cost, key.fill()));
    Writer header{out.first(kHeaderSize)};
    header.bytes(as_bytes(kSealedFileMagic))
        .u8(kVersion)
        .u8(cost.log2_n)
        .u8(cost.r)
        .u8(cost.p)
        .bytes(random);
    Gcm cipher{true, key, nonce};
    cipher.authenticate(out.first(kHeaderSize));
    cipher.run(content, out.subspan(kHeaderSize, content.size()));
    SOTTO_ASSERT(cipher.finish());
    cipher.write_tag(out.subspan(kHeaderSize + content.size(), kTagSize));
    const auto sum = checksum(out.first(out.size() - kChecksumSize));
    std::copy(sum.begin(), sum.end(), out.last(kChecksumSize).begin());
    return {};
}

Status check_sealed_file(Bytes file) {
    SOTTO_TRY(take_apart(file));
    return {};
}

Status open_sealed_file(Bytes file, Bytes passphrase, MutBytes out) {
    SOTTO_TRY_ASSIGN(const Parts parts, take_apart(file));
    if (out.size() != parts.ciphertext.size()) return Error::InvalidArgument;
    FileKey key;
    SOTTO_TRY(scrypt(passphrase, parts.salt, parts.cost, key.fill()));
    const openssl::ErrorMark mark;
    Gcm cipher{false, key, parts.nonce};
    cipher.authenticate(parts.header);
    cipher.run(parts.ciphertext, out);
    cipher.expect_tag(parts.tag);
    if (cipher.finish()) return {};
    wipe(out);
    return Error::Unauthenticated;
}

}  // namespace sotto::ports
