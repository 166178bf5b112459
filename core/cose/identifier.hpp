// SPDX-License-Identifier: Apache-2.0
// Byte strings that travel as integers where that is shorter: connection identifiers and compact
// kids (RFC 9528 §3.3.2, §3.5.3.2). No allocation; views into the caller's bytes.
#pragma once

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::cose {

// RFC 9528 §3.3.2: "The byte strings which coincide with a one-byte CBOR encoding of an integer
// MUST be represented by the CBOR encoding of that integer."
constexpr bool is_integer_identifier(Bytes identifier) {
    return identifier.size() == 1 && (identifier[0] & 0xdf) <= 0x17;
}

void write_identifier(cbor::Writer& out, Bytes identifier);

// The byte string. Fails with Error::Malformed if it is neither form, or a byte string that had to
// be an integer.
Bytes read_identifier(cbor::Reader& in);

}  // namespace sotto::cose
