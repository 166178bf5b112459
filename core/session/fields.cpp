// SPDX-License-Identifier: Apache-2.0
#include "core/session/fields.hpp"

#include <algorithm>

namespace sotto::session {

void read_key(cbor::Reader& in, std::uint8_t key) { in.require(in.uint() == key); }

void read_bytes(cbor::Reader& in, std::uint8_t key, MutBytes out) {
    read_key(in, key);
    const Bytes bytes = in.bytes();
    in.require(bytes.size() == out.size());
    if (in.status()) std::ranges::copy(bytes, out.begin());
}

}  // namespace sotto::session
