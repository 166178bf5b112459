// SPDX-License-Identifier: Apache-2.0
// The additional data of a COSE_Encrypt0 (RFC 9052 §5.3). No allocation.
#pragma once

#include "core/base/result.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::cose {

// What Enc_structure adds to external_aad when protected headers are empty.
inline constexpr std::size_t kEncStructureOverheadMax = 14;

// ["Encrypt0", h'', external_aad] up to the content of external_aad, which the caller writes next:
// OSCORE (RFC 8613 §5.4) and EDHOC (RFC 9528 C.3) protect no headers of their own.
void begin_enc_structure(cbor::Writer& out, std::size_t external_aad_size);

}  // namespace sotto::cose
