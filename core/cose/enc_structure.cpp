// SPDX-License-Identifier: Apache-2.0
#include "core/cose/enc_structure.hpp"

#include <array>

namespace sotto::cose {

namespace {

// [ "Encrypt0", h'', ...: the heads of an array of three and of a text of eight, and an empty
// string
constexpr std::array<std::uint8_t, 11> kBegin{
    0x83, 0x68, 'E', 'n', 'c', 'r', 'y', 'p', 't', '0', 0x40};

}  // namespace

void begin_enc_structure(cbor::Writer& out, std::size_t external_aad_size) {
    out.raw(kBegin).head(cbor::Kind::Bytes, external_aad_size);
}

}  // namespace sotto::cose
