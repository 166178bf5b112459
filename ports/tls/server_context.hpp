// SPDX-License-Identifier: Apache-2.0
// How a server speaks TLS. Allocates; never blocks.
#pragma once

#include "ports/tls/client_context.hpp"

namespace sotto::ports {

// From PEM: the server's certificate with those of its authorities behind it, and its private key,
// both perhaps in one text. TLS 1.2 or above, without tickets. Says what is wrong with them.
Result<TlsContext, Complaint> make_server_context(std::string_view certificates,
                                                  std::string_view key);

}  // namespace sotto::ports
