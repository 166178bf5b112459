// SPDX-License-Identifier: Apache-2.0
#include "ports/authority/authority.hpp"

#include <algorithm>
#include <array>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "ports/tls/owned.hpp"

namespace sotto::ports {
namespace {

constexpr std::size_t kHostSizeMax = 253;
constexpr int kSerialSize = 16;
constexpr int kVersion3 = 2;
constexpr std::int64_t kAuthorityFrom = 1'577'836'800;  // 2020: the clock may have been wrong today
// [TLS-20] RFC 5280 §4.1.2.5: "To indicate that a certificate has no well-defined expiration date".
constexpr const char* kNoEnd = "99991231235959Z";

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(BIGNUM* number) const { BN_free(number); }
    void operator()(ASN1_OCTET_STRING* string) const { ASN1_OCTET_STRING_free(string); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Complaint failed() {
    ERR_clear_error();
    return {"OpenSSL cannot make a certificate"};
}

Key draw_key() { return Key{EVP_EC_gen("P-256")}; }

bool set_serial(X509& certificate) {
    std::array<unsigned char, kSerialSize> bytes{};
    if (RAND_bytes(bytes.data(), kSerialSize) != 1) return false;
    bytes[0] = (bytes[0] & 0x7fU) | 0x40U;  // positive, and of full length
    const std::unique_ptr<BIGNUM, FreeKey> number{BN_bin2bn(bytes.data(), kSerialSize, nullptr)};
    return number &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_name(X509_NAME& name, const std::string& text) {
    return X509_NAME_add_entry_by_txt(&name,
                                      "CN",
                                      MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()),
                                      -1,
                                      0) == 1;
}

// An extension in the words of x509v3_config(5).
bool add_extension(X509& certificate, X509V3_CTX& context, int id, const char* words) {
    const std::unique_ptr<X509_EXTENSION, FreeKey> extension{
        X509V3_EXT_conf_nid(nullptr, &context, id, words)};
    return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

std::string alternative_names(const std::vector<std::string>& hosts) {
    std::string words;
    for (const std::string& host : hosts) {
        const std::unique_ptr<ASN1_OCTET_STRING, FreeKey> address{a2i_IPADDRESS(host.c_str())};
        words += (words.empty() ? "" : ",") + std::string{address ? "IP:" : "DNS:"} + host;
    }
    ERR_clear_error();
    return words;
}

Owned<X509> begin_certificate(EVP_PKEY& key, const std::string& name) {
    Owned<X509> certificate{X509_new()};
    const bool is_begun = certificate && X509_set_version(certificate.get(), kVersion3) == 1 &&
                          set_serial(*certificate) &&
                          set_name(*X509_get_subject_name(certificate.get()), name) &&
                          X509_set_pubkey(certificate.get(), &key) == 1;
    return is_begun ? std::move(certificate) : nullptr;
}

bool finish_authority(X509& certificate, EVP_PKEY& key) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    return X509_set_issuer_name(&certificate, X509_get_subject_name(&certificate)) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(&certificate), kAuthorityFrom) != nullptr &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(&certificate), kNoEnd) == 1 &&
           add_extension(
               certificate, context, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, context, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(certificate, context, NID_subject_key_identifier, "hash") &&
           X509_sign(&certificate, &key, EVP_sha256()) > 0;
}

struct Issuer {
    X509& certificate;
    EVP_PKEY& key;
};

bool finish_server(X509& certificate,
                   const Issuer& issuer,
                   const std::vector<std::string>& hosts,
                   Validity validity) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &issuer.certificate, &certificate, nullptr, nullptr, 0);
    const std::string names = alternative_names(hosts);
    return X509_set_issuer_name(&certificate, X509_get_subject_name(&issuer.certificate)) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(&certificate), validity.from) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(&certificate), validity.to) != nullptr &&
           add_extension(certificate, context, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(certificate, context, NID_key_usage, "critical,digitalSignature") &&
           add_extension(certificate, context, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, context, NID_subject_key_identifier, "hash") &&
           add_extension(certificate, context, NID_authority_key_identifier, "keyid:always") &&
           add_extension(certificate, context, NID_subject_alt_name, names.c_str()) &&
           X509_sign(&certificate, &issuer.key, EVP_sha256()) > 0;
}

std::string_view text_in(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

// In memory that is wiped.
Owned<BIO> open_output() {
    Owned<BIO> bio{BIO_new(BIO_s_secmem())};
    SOTTO_ASSERT(bio);
    return bio;
}

}  // namespace

SecretText::SecretText(SecretText&& other) noexcept : text_(other.text_) {
    OPENSSL_cleanse(other.text_.data(), other.text_.size());
    other.text_.clear();
}
SecretText::~SecretText() { OPENSSL_cleanse(text_.data(), text_.size()); }

bool is_host(std::string_view text) {
    const std::string host{text};
    const std::unique_ptr<ASN1_OCTET_STRING, FreeKey> address{a2i_IPADDRESS(host.c_str())};
    ERR_clear_error();
    if (address) return true;
    const auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.' || c == '_';
    };
    return !host.empty() && host.size() <= kHostSizeMax && host.front() != '.' &&
           host.find("..") == std::string::npos && std::ranges::all_of(host, is_good);
}

struct Authority::Core {
    Key key;
    Owned<X509> certificate;
};

Authority::Authority(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;
Authority::~Authority() = default;

Result<Authority, Complaint> Authority::create(const std::string& name) {
    Key key = draw_key();
    if (!key) return failed();
    Owned<X509> certificate = begin_certificate(*key, name);
    if (!certificate || !finish_authority(*certificate, *key)) return failed();
    return Authority{std::make_unique<Core>(std::move(key), std::move(certificate))};
}

Result<Authority, Complaint> Authority::parse(std::string_view pem) {
    const Owned<BIO> key_reader = open_text(pem);
    Key key{PEM_read_bio_PrivateKey(key_reader.get(), nullptr, nullptr, nullptr)};
    const Owned<BIO> reader = open_text(pem);
    Owned<X509> certificate{PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)};
    const bool is_whole =
        key && certificate && X509_check_private_key(certificate.get(), key.get()) == 1;
    ERR_clear_error();
    if (!is_whole) return Complaint{"it is damaged"};
    return Authority{std::make_unique<Core>(std::move(key), std::move(certificate))};
}

SecretText Authority::pem() const {
    const Owned<BIO> out = open_output();
    const bool is_written =
        PEM_write_bio_PrivateKey(
            out.get(), core_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
        PEM_write_bio_X509(out.get(), core_->certificate.get()) == 1;
    SOTTO_ASSERT(is_written);
    return SecretText{text_in(out.get())};
}

std::string Authority::certificate_pem() const {
    const Owned<BIO> out = open_output();
    const bool is_written = PEM_write_bio_X509(out.get(), core_->certificate.get()) == 1;
    SOTTO_ASSERT(is_written);
    return std::string{text_in(out.get())};
}

Fingerprint Authority::fingerprint() const { return fingerprint_of(*core_->certificate); }

Result<SecretText, Complaint> Authority::issue(const std::vector<std::string>& hosts,
                                               Validity validity) const {
    SOTTO_ASSERT(!hosts.empty());
    const Key key = draw_key();
    if (!key) return failed();
    // RFC 5280 A.1: ub-common-name 64; the names that count are the alternative ones.
    const Owned<X509> certificate = begin_certificate(*key, hosts.front().substr(0, 64));
    if (!certificate ||
        !finish_server(*certificate, {*core_->certificate, *core_->key}, hosts, validity))
        return failed();
    const Owned<BIO> out = open_output();
    if (PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
            1 ||
        PEM_write_bio_X509(out.get(), certificate.get()) != 1 ||
        PEM_write_bio_X509(out.get(), core_->certificate.get()) != 1)
        return failed();
    return SecretText{text_in(out.get())};
}

}  // namespace sotto::ports
