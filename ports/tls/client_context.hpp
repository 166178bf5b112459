// SPDX-License-Identifier: Apache-2.0
// How a client speaks TLS. Allocates; reads the system's authorities from the disk.
#pragma once

#include <memory>

#include "ports/tls/peer_check.hpp"

namespace sotto::ports {

enum class TlsVersion : std::uint8_t { Tls12, Tls13 };  // or above

struct FreeContext {
    void operator()(SSL_CTX* context) const;
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

// Each connection made from it needs a PeerCheck, else every server is refused.
Result<TlsContext, Complaint> make_client_context(const Trust& trust, TlsVersion least);

// Whether an error that OpenSSL reported means that the other end does not speak TLS at all.
bool is_clear_text(unsigned long error);

}  // namespace sotto::ports
