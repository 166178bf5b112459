// SPDX-License-Identifier: Apache-2.0
#include "core/cose/enc_structure.hpp"

namespace sotto::cose {

void begin_enc_structure(cbor::Writer& out, std::size_t external_aad_size) {
    out.array(3).text("Encrypt0").bytes({}).head(cbor::Kind::Bytes, external_aad_size);
}

}  // namespace sotto::cose
