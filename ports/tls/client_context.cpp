// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/client_context.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "ports/tls/owned.hpp"

namespace sotto::ports {
namespace {

bool add_authorities(X509_STORE& store, std::string_view pem) {
    const Owned<BIO> bio = open_text(pem);
    int count = 0;
    while (const Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
        if (X509_STORE_add_cert(&store, certificate.get()) != 1) return false;
        ++count;
    }
    ERR_clear_error();  // of the end of the text
    return count > 0;
}

}  // namespace

void FreeContext::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

Result<TlsContext, Complaint> make_client_context(const Trust& trust, TlsVersion least) {
    TlsContext context{SSL_CTX_new(TLS_client_method())};
    if (!context) return Complaint{"OpenSSL cannot be used here"};
    SSL_CTX_set_min_proto_version(context.get(),
                                  least == TlsVersion::Tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_mode(context.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), verify_peer, nullptr);
    if (trust.pin) return context;
    if (trust.authorities.empty()) {
        SSL_CTX_set_default_verify_paths(context.get());
    } else if (!add_authorities(*SSL_CTX_get_cert_store(context.get()), trust.authorities)) {
        return Complaint{"it holds no certificate in PEM"};
    }
    return context;
}

bool is_clear_text(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL &&
           (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ||
            ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST);
}

}  // namespace sotto::ports
