// SPDX-License-Identifier: Apache-2.0
// The certificate that the cloud shows: from files, or of its own authority. Whoever connects after
// it was replaced sees the new one; nobody is disconnected. Allocates; blocks on the disk for as
// long as it takes to read a small file.
#pragma once

#include <optional>
#include <string>

#include "cloud/server/stream.hpp"
#include "ports/linux/failure.hpp"
#include "ports/tls/server_context.hpp"

namespace sotto::cloud::server {

// Where they come from. Without files: of the authority in the state folder.
struct CertificateSource {
    std::string state{};
    std::string certificate_file{};  // PEM, with those of its authorities behind it
    std::string key_file{};          // PEM
};

class Certificates {
  public:
    // Something happened that the operator wants to know.
    struct News {
        bool is_good = true;
        std::string text;
    };

    // Error::NotFound or StorageFailed for files that cannot be read, Error::Malformed for what is
    // no certificate or no key of it.
    static ports::Outcome<Certificates> open(CertificateSource source, std::int64_t now);

    SSL_CTX& context() const { return *context_; }
    const ports::CertificateFacts& facts() const { return facts_; }
    // One sentence about the certificate in use.
    std::string describe() const;

    // Renews a certificate of the own authority when it is time, and takes files that have changed,
    // or, if `is_asked_for`, whatever is there. What cannot be used is told, once; the old
    // certificate stays then.
    std::optional<News> look_again(std::int64_t now, bool is_asked_for = false);

  private:
    explicit Certificates(CertificateSource source) : source_(std::move(source)) {}

    bool is_own() const { return source_.certificate_file.empty(); }
    std::string certificate_path() const;
    std::string key_path() const;
    ports::Outcome<> load(std::int64_t now);
    std::optional<News> renew(std::int64_t now);

    CertificateSource source_;
    ports::TlsContext context_;
    ports::CertificateFacts facts_;
    std::string stamp_;  // of the files that were looked at last
    bool has_told_ = false;
};

// A stream in TLS if there are certificates, else in the clear.
Stream stream_of(Socket socket, const Certificates* certificates, ports::TlsVersion least);

}  // namespace sotto::cloud::server
