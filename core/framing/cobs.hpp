// SPDX-License-Identifier: Apache-2.0
// Consistent Overhead Byte Stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2),
// 1999): bytes become a code without 0x00, so that 0x00 can end it. No allocation.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/framing/limits.hpp"

namespace sotto::framing {

// The code of `bytes`, without the 0x00, at the front of `out`. Error::NoSpace if it does not fit;
// cobs_size_max(bytes.size()) is always enough. `out` and `bytes` must not overlap.
Result<Bytes> cobs_encode(MutBytes out, Bytes bytes);

// The bytes of a code (without its 0x00), at the front of `out`, which may be the same memory.
// Error::Malformed if it is none, Error::NoSpace if they do not fit.
Result<Bytes> cobs_decode(MutBytes out, Bytes code);

}  // namespace sotto::framing
