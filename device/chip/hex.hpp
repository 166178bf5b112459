// SPDX-License-Identifier: Apache-2.0
// Ids as people read them. Allocates.
#pragma once

#include <string>

#include "core/base/bytes.hpp"

namespace sotto::chip {

// Lower-case hex digits, two for each byte.
std::string to_hex(Bytes bytes);

}  // namespace sotto::chip
