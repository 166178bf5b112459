// SPDX-License-Identifier: Apache-2.0
// Two ends of one context, for the tests and fuzz targets of this folder. Not part of the library.
#pragma once

#include <cstdlib>
#include <vector>

#include "core/oscore/message.hpp"

namespace sotto::oscore {

using Buffer = std::vector<std::uint8_t>;

inline constexpr std::array<std::uint8_t, 16> kMasterSecret{
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10};

// The context of one end, and that of the other with the ids exchanged.
inline Context make_context(Bytes sender_id, Bytes recipient_id) {
    auto context = derive_context({.master_secret = kMasterSecret,
                                   .master_salt = {},
                                   .sender_id = sender_id,
                                   .recipient_id = recipient_id});
    SOTTO_ASSERT(context.has_value());
    return *std::move(context);
}

struct Peers {
    Buffer client_id;
    Buffer server_id;
    Context client = make_context(client_id, server_id);
    Context server = make_context(server_id, client_id);
};

}  // namespace sotto::oscore
