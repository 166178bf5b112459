// SPDX-License-Identifier: Apache-2.0
// Random texts that can be recognised in a recording, whatever they are wrapped in.
#pragma once

#include <string>
#include <vector>

#include "tests/integration/tap.hpp"

namespace sotto::integration {

// 20 random letters and digits.
std::string draw_marker();

// The forms in which a text can stand in bytes: raw, hex in both cases, base64 in both alphabets
// and at each of the three offsets.
std::vector<std::string> forms_of(const std::string& marker);

// The first form of the marker that is in the bytes; empty if there is none.
std::string find_marker(const Recording& bytes, const std::string& marker);

}  // namespace sotto::integration
