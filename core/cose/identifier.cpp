// SPDX-License-Identifier: Apache-2.0
#include "core/cose/identifier.hpp"

namespace sotto::cose {

void write_identifier(cbor::Writer& out, Bytes identifier) {
    if (is_integer_identifier(identifier)) {
        out.raw(identifier);  // it is its own encoding
    } else {
        out.bytes(identifier);
    }
}

Result<Bytes> read_identifier(cbor::Reader& in) {
    const Bytes rest = in.rest();
    if (rest.empty()) return Error::Truncated;
    if (is_integer_identifier(rest.first(1))) {
        SOTTO_TRY(in.integer());
        return rest.first(1);
    }
    const cbor::Reader before = in;
    SOTTO_TRY_ASSIGN(const Bytes identifier, in.bytes());
    if (!is_integer_identifier(identifier)) return identifier;
    in = before;
    return Error::Malformed;
}

}  // namespace sotto::cose
