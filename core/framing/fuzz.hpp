// SPDX-License-Identifier: Apache-2.0
// What the fuzz targets of this folder share. Not part of the library.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::framing {

// Whatever a parser takes, the encoder gives back byte for byte: each thing has one form.
inline void expect_same(const Result<Bytes>& encoded, Bytes original) {
    SOTTO_ASSERT(encoded.has_value());
    SOTTO_ASSERT(equal(*encoded, original));
}

}  // namespace sotto::framing
