// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/server_context.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "ports/tls/owned.hpp"

namespace sotto::ports {
namespace {

// With forward secrecy and authenticated encryption only, where TLS 1.3 does not see to that.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

// OpenSSL asks for a password here; nobody is there to answer.
int no_password(char* /*out*/, int /*size*/, int /*writes*/, void* was_asked) {
    *static_cast<bool*>(was_asked) = true;
    return -1;
}

Result<void, Complaint> use_certificates(SSL_CTX& context, std::string_view pem) {
    const Owned<BIO> bio = open_text(pem);
    bool is_first = true;
    while (const Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
        const auto taken = is_first ? SSL_CTX_use_certificate(&context, certificate.get())
                                    : SSL_CTX_add1_chain_cert(&context, certificate.get());
        if (taken != 1) return Complaint{"a certificate in it cannot be used"};
        is_first = false;
    }
    const auto reason = ERR_GET_REASON(ERR_peek_last_error());
    if (is_first || reason != PEM_R_NO_START_LINE)
        return Complaint{is_first ? "it holds no certificate in PEM"
                                  : "a certificate in it is damaged"};
    return {};
}

Result<void, Complaint> use_key(SSL_CTX& context, std::string_view pem) {
    const Owned<BIO> bio = open_text(pem);
    bool was_asked = false;
    const std::unique_ptr<EVP_PKEY, FreeKey> key{
        PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &was_asked)};
    if (was_asked)
        return Complaint{"the key is encrypted: decrypt it with openssl pkey -in FILE -out PLAIN"};
    if (!key) return Complaint{"it holds no private key in PEM"};
    if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1 ||
        SSL_CTX_check_private_key(&context) != 1)
        return Complaint{"certificate and key do not belong together"};
    return {};
}

}  // namespace

Result<TlsContext, Complaint> make_server_context(std::string_view certificates,
                                                  std::string_view key) {
    TlsContext context{SSL_CTX_new(TLS_server_method())};
    if (!context) return Complaint{"OpenSSL cannot be used here"};
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context.get(), kCiphers);
    SSL_CTX_set_options(context.get(),
                        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                            SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_num_tickets(context.get(), 0);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    auto used = use_certificates(*context, certificates);
    if (used) used = use_key(*context, key);
    ERR_clear_error();
    if (!used) return used.error();
    return context;
}

}  // namespace sotto::ports
