// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/log.hpp"

#include "core/base/hex.hpp"
#include "core/framing/text.hpp"

namespace sotto::device {

std::string quoted(std::string_view text) {
    if (!framing::is_printable_utf8(text)) return "hex " + to_hex<std::string>(as_bytes(text));
    return '"' + std::string{text} + '"';
}

}  // namespace sotto::device
