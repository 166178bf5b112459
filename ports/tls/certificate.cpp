// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/certificate.hpp"

#include <arpa/inet.h>
#include <array>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "ports/tls/owned.hpp"

namespace sotto::ports {
namespace {

std::int64_t unix_seconds(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    return ::timegm(&parts);
}

std::string_view text_of(const ASN1_STRING& string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&string)),
            static_cast<std::size_t>(ASN1_STRING_length(&string))};
}

std::string address_of(std::string_view bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && bytes.size() != 16) return {};
    return ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? ""
                                                                                  : text.data();
}

std::vector<std::string> names_of(const X509& certificate) {
    const Owned<GENERAL_NAMES> found{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::vector<std::string> names;
    const int count = found ? sk_GENERAL_NAME_num(found.get()) : 0;
    for (int i = 0; i < count; ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(found.get(), i);
        if (name->type == GEN_DNS) names.emplace_back(text_of(*name->d.dNSName));
        if (name->type == GEN_IPADD) names.push_back(address_of(text_of(*name->d.iPAddress)));
    }
    return names;
}

}  // namespace

Fingerprint fingerprint_of(const X509& certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    SOTTO_ASSERT(size > 0);
    Fingerprint fingerprint;
    SHA256(der, static_cast<std::size_t>(size), fingerprint.bytes.data());
    OPENSSL_free(der);
    return fingerprint;
}

Result<CertificateFacts, Complaint> read_certificate(std::string_view pem) {
    const Owned<BIO> bio = open_text(pem);
    const Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
    ERR_clear_error();
    if (!certificate) return Complaint{"it holds no certificate in PEM"};
    return CertificateFacts{.fingerprint = fingerprint_of(*certificate),
                            .names = names_of(*certificate),
                            .not_before = unix_seconds(X509_get0_notBefore(certificate.get())),
                            .not_after = unix_seconds(X509_get0_notAfter(certificate.get()))};
}

}  // namespace sotto::ports
