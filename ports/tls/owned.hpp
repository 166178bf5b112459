// SPDX-License-Identifier: Apache-2.0
// Owners of OpenSSL's objects, and its texts. Allocates; never blocks.
#pragma once

#include <memory>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/base/assert.hpp"

namespace sotto::ports {

struct Free {
    void operator()(BIO* bio) const { BIO_free(bio); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
    void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// A reader over a text, which must outlive it.
inline Owned<BIO> open_text(std::string_view text) {
    Owned<BIO> bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
    SOTTO_ASSERT(bio);
    return bio;
}

}  // namespace sotto::ports
