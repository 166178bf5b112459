// SPDX-License-Identifier: Apache-2.0
// The maps that parts take: keys in order, each with one kind of value. No allocation.
#pragma once

#include "core/cbor/reader.hpp"

namespace sotto::session {

// The key that has to come next.
void read_key(cbor::Reader& in, std::uint8_t key);
// A key and a byte string of exactly this size.
void read_bytes(cbor::Reader& in, std::uint8_t key, MutBytes out);

}  // namespace sotto::session
