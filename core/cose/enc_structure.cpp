// SPDX-License-Identifier: Apache-2.0
#include "core/cose/enc_structure.hpp"

namespace sotto::cose {

Result<Bytes> encode_enc_structure(Bytes external_aad, MutBytes out) {
    return cbor::Writer{out}.array(3).text("Encrypt0").bytes({}).bytes(external_aad).finish();
}

}  // namespace sotto::cose
