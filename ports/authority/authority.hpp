// SPDX-License-Identifier: Apache-2.0
// A certificate authority of one's own, for a server at home that has no public name
// (docs/protocol/tls.md): a P-256 key, a certificate without end, and server certificates that it
// issues. Allocates; never blocks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ports/tls/certificate.hpp"

namespace sotto::ports {

// A text with a private key in it: wiped when it goes.
class SecretText {
  public:
    explicit SecretText(std::string_view text) : text_(text) {}
    SecretText(SecretText&& other) noexcept;
    SecretText& operator=(SecretText&&) = delete;
    ~SecretText();

    std::string_view expose() const { return text_; }

  private:
    std::string text_;
};

// Seconds since 1970, both inclusive.
struct Validity {
    std::int64_t from = 0;
    std::int64_t to = 0;
};

// What a certificate may be for: a name of DNS, without wildcard, or an address.
bool is_host(std::string_view text);

class Authority {
  public:
    // Draws a key from OpenSSL's generator. The certificate holds this name, for people. Complains
    // only if OpenSSL does.
    static Result<Authority, Complaint> create(const std::string& name);
    // From pem().
    static Result<Authority, Complaint> parse(std::string_view pem);

    Authority(Authority&&) noexcept;
    Authority& operator=(Authority&&) noexcept;
    ~Authority();

    // Key and certificate.
    SecretText pem() const;
    std::string certificate_pem() const;
    Fingerprint fingerprint() const;

    // A fresh key, a certificate for these hosts, and the authority's certificate, in PEM.
    // Precondition: is_host() of each, and there is one.
    Result<SecretText, Complaint> issue(const std::vector<std::string>& hosts,
                                        Validity validity) const;

  private:
    struct Core;

    explicit Authority(std::unique_ptr<Core> core);

    std::unique_ptr<Core> core_;
};

}  // namespace sotto::ports
