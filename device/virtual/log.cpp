// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/log.hpp"

#include "core/framing/text.hpp"

namespace sotto::device {

std::string to_hex(Bytes bytes) {
    std::string hex;
    for (const std::uint8_t byte : bytes) {
        for (const int digit : {byte >> 4, byte & 15}) hex += "0123456789abcdef"[digit];
    }
    return hex;
}

std::string quoted(std::string_view text) {
    if (!framing::is_printable_utf8(text)) return "hex " + to_hex(as_bytes(text));
    return '"' + std::string{text} + '"';
}

}  // namespace sotto::device
