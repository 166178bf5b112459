// SPDX-License-Identifier: Apache-2.0
#include "core/session/fields.hpp"

#include <algorithm>

namespace sotto::session {

Status read_key(cbor::Reader& in, std::uint8_t key) {
    SOTTO_TRY_ASSIGN(const std::uint64_t found, in.uint());
    if (found != key) return Error::Malformed;
    return {};
}

Status read_bytes(cbor::Reader& in, std::uint8_t key, MutBytes out) {
    SOTTO_TRY(read_key(in, key));
    SOTTO_TRY_ASSIGN(const Bytes bytes, in.bytes());
    if (bytes.size() != out.size()) return Error::Malformed;
    std::ranges::copy(bytes, out.begin());
    return {};
}

}  // namespace sotto::session
