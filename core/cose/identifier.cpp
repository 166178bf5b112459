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

Bytes read_identifier(cbor::Reader& in) {
    const bool is_string = in.next_is(cbor::Kind::Bytes);
    const Bytes identifier = is_string ? in.bytes() : in.skip();
    in.require(is_string != is_integer_identifier(identifier));
    return identifier;
}

}  // namespace sotto::cose
