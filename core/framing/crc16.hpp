// SPDX-License-Identifier: Apache-2.0
// CRC-16/CCITT-FALSE: polynomial 0x1021, initial value 0xffff, not reflected, no final XOR.
#pragma once

#include "core/base/bytes.hpp"

namespace sotto::framing {

std::uint16_t crc16(Bytes bytes);

}  // namespace sotto::framing
