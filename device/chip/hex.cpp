// SPDX-License-Identifier: Apache-2.0
#include "device/chip/hex.hpp"

namespace sotto::chip {

std::string to_hex(Bytes bytes) {
    std::string hex;
    for (const std::uint8_t byte : bytes) {
        for (const int digit : {byte >> 4, byte & 15}) hex += "0123456789abcdef"[digit];
    }
    return hex;
}

}  // namespace sotto::chip
