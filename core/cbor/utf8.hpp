// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629). No allocation.
#pragma once

#include "core/base/bytes.hpp"

namespace sotto::cbor {

// Whether the bytes are valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(Bytes text);

}  // namespace sotto::cbor
