// SPDX-License-Identifier: Apache-2.0
// Whether a message is sealed by OSCORE, which the options in front of the ciphertext show. It is
// all that the relay looks at: what is not sealed belongs to a handshake, and is stored for no
// longer than one can last. No allocation.
#pragma once

#include "core/coap/message.hpp"

namespace sotto::cloud::services {

inline bool is_sealed(Bytes message) {
    const auto parsed = coap::parse_message(message);
    return parsed && parsed->options.find(coap::kOscore).has_value();
}

}  // namespace sotto::cloud::services
