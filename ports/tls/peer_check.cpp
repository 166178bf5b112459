// SPDX-License-Identifier: Apache-2.0
#include "ports/tls/peer_check.hpp"

#include "ports/tls/owned.hpp"

namespace sotto::ports {
namespace {

int index_in_ssl() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

Distrust distrust_of(int error) {
    switch (error) {
        case X509_V_ERR_APPLICATION_VERIFICATION:
            return Distrust::OtherPin;
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return Distrust::Expired;
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return Distrust::NotYetValid;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
            return Distrust::OtherName;
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return Distrust::UnknownAuthority;
        default:
            return Distrust::Unfit;
    }
}

// The authority if it is there, else the server's own.
Fingerprint shown_by(X509_STORE_CTX& chain) {
    const X509* leaf = X509_STORE_CTX_get0_cert(&chain);
    const STACK_OF(X509)* all = X509_STORE_CTX_get0_untrusted(&chain);
    const int count = sk_X509_num(all);
    const X509* last = count > 0 ? sk_X509_value(all, count - 1) : leaf;
    const bool is_root =
        X509_NAME_cmp(X509_get_subject_name(last), X509_get_issuer_name(last)) == 0;
    return fingerprint_of(is_root ? *last : *leaf);
}

X509* find(X509_STORE_CTX& chain, const Fingerprint& pin) {
    X509* const leaf = X509_STORE_CTX_get0_cert(&chain);
    if (fingerprint_of(*leaf) == pin) return leaf;
    const STACK_OF(X509)* all = X509_STORE_CTX_get0_untrusted(&chain);
    for (int i = 0; i < sk_X509_num(all); ++i) {
        if (fingerprint_of(*sk_X509_value(all, i)) == pin) return sk_X509_value(all, i);
    }
    return nullptr;
}

}  // namespace

void PeerCheck::attach(SSL& ssl) {
    SSL_set_ex_data(&ssl, index_in_ssl(), this);
    X509_VERIFY_PARAM* const param = SSL_get0_param(&ssl);
    const bool is_address = X509_VERIFY_PARAM_set1_ip_asc(param, host_.c_str()) == 1;
    if (is_address) return;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(param, host_.data(), host_.size());
    // RFC 6066 §3: the name of the server; an address is not sent. SSL_ctrl() only reads it.
    SSL_ctrl(&ssl,
             SSL_CTRL_SET_TLSEXT_HOSTNAME,
             TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(host_.c_str()));
}

bool PeerCheck::verify(X509_STORE_CTX& chain) {
    presented_ = shown_by(chain);
    if (is_anybody_) return true;
    int error = X509_V_OK;
    if (pin_) {
        error = verify_pin(chain);
        X509_STORE_CTX_set_error(&chain, error);
    } else if (X509_verify_cert(&chain) != 1) {
        error = X509_STORE_CTX_get_error(&chain);
    }
    if (error == X509_V_OK) return true;
    distrust_ = distrust_of(error);
    detail_ = X509_verify_cert_error_string(error);
    return false;
}

// [TLS-10] The pinned certificate is the one and only anchor of a chain that must be right
// otherwise.
int PeerCheck::verify_pin(X509_STORE_CTX& chain) const {
    X509* const anchor = find(chain, *pin_);
    if (anchor == nullptr) return X509_V_ERR_APPLICATION_VERIFICATION;
    const Owned<X509_STORE> store{X509_STORE_new()};
    const Owned<X509_STORE_CTX> pinned{X509_STORE_CTX_new()};
    if (!store || !pinned || X509_STORE_add_cert(store.get(), anchor) != 1 ||
        X509_STORE_CTX_init(pinned.get(),
                            store.get(),
                            X509_STORE_CTX_get0_cert(&chain),
                            X509_STORE_CTX_get0_untrusted(&chain)) != 1)
        return X509_V_ERR_OUT_OF_MEM;
    X509_VERIFY_PARAM* const param = X509_STORE_CTX_get0_param(pinned.get());
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);  // it need not be a root
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER);
    if (X509_verify_cert(pinned.get()) == 1) return X509_V_OK;
    const int error = X509_STORE_CTX_get_error(pinned.get());
    return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

std::string PeerCheck::complaint() const {
    switch (distrust_) {
        case Distrust::None:
            return {};
        case Distrust::OtherPin:
            return "it is another one than the pin says; it shows the fingerprint " +
                   to_string(presented_);
        case Distrust::Expired:
            return "its certificate is valid no longer, or the clock of this machine is wrong";
        case Distrust::NotYetValid:
            return "its certificate is not valid yet, or the clock of one of the machines is wrong";
        case Distrust::UnknownAuthority:
            return "its certificate is from nobody whom this machine trusts; it shows the "
                   "fingerprint " +
                   to_string(presented_);
        case Distrust::OtherName:
            return "its certificate is for other names than " + host_ +
                   "; it shows the fingerprint " + to_string(presented_);
        case Distrust::Unfit:
            return "its certificate is of no use: " + detail_;
    }
    return {};
}

int verify_peer(X509_STORE_CTX* chain, void* /*unused*/) {
    void* const ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
    void* const check = SSL_get_ex_data(static_cast<SSL*>(ssl), index_in_ssl());
    if (check == nullptr) {  // nobody said whom to trust
        X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
        return 0;
    }
    return static_cast<PeerCheck*>(check)->verify(*chain) ? 1 : 0;
}

}  // namespace sotto::ports
