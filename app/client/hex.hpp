// SPDX-License-Identifier: Apache-2.0
// Hex, as ids are shown to people. Allocates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"

namespace sotto::app {

std::string to_hex(Bytes bytes);
// Upper or lower case; nothing if it is no whole number of bytes in hex.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

}  // namespace sotto::app
