// SPDX-License-Identifier: Apache-2.0
// Whether the other end of a TLS connection is the cloud that is meant (docs/protocol/tls.md): by a
// pin, or by authorities and name. Allocates; never blocks.
#pragma once

#include <optional>
#include <string>

#include "ports/tls/certificate.hpp"

namespace sotto::ports {

// Whom a client believes.
struct Trust {
    // The chain must hold this certificate: that of an authority, or the server's own. Names are
    // not compared then, and no other authority counts.
    std::optional<Fingerprint> pin{};
    // PEM. Without a pin; empty: the authorities of the system.
    std::string authorities{};
    // Whoever it is: sealed on its way, and perhaps to the wrong one. For those who ask for it.
    bool is_anybody = false;
};

enum class Distrust : std::uint8_t {
    None,
    OtherPin,
    Expired,
    NotYetValid,
    UnknownAuthority,
    OtherName,
    Unfit,
};

class PeerCheck {
  public:
    // `host` as it was dialled: a name, or an address without brackets.
    PeerCheck(const Trust& trust, std::string host)
        : pin_(trust.pin), is_anybody_(trust.is_anybody), host_(std::move(host)) {}
    PeerCheck(const PeerCheck&) = delete;
    PeerCheck& operator=(const PeerCheck&) = delete;

    // To be called before the handshake; must outlive the connection. The context must be of
    // make_client_context(), without which nobody asks here.
    void attach(SSL& ssl);

    // After a handshake that failed: why, or None if that was not because of the certificate.
    Distrust distrust() const { return distrust_; }
    // What the other end has shown: the certificate of its authority if it sent it, else its own.
    const Fingerprint& presented() const { return presented_; }
    // In words, behind "the cloud at X is not trusted: ".
    std::string complaint() const;

    // Called by OpenSSL.
    bool verify(X509_STORE_CTX& chain);

  private:
    int verify_pin(X509_STORE_CTX& chain) const;

    std::optional<Fingerprint> pin_;
    bool is_anybody_;
    std::string host_;
    Distrust distrust_ = Distrust::None;
    Fingerprint presented_;
    std::string detail_;
};

// For OpenSSL: asks the PeerCheck of a connection.
int verify_peer(X509_STORE_CTX* chain, void* unused);

}  // namespace sotto::ports
