// SPDX-License-Identifier: Apache-2.0
// Which texts of a peer are taken. No allocation.
#pragma once

#include <string_view>

namespace sotto::framing {

// ASCII letters, digits and punctuation only: no space, no control character. True if empty.
bool is_visible_ascii(std::string_view text);

// Well-formed UTF-8 (RFC 3629) without control characters (U+0000 to U+001F, U+007F to U+009F), so
// that it can be logged and shown. True if empty.
bool is_printable_utf8(std::string_view text);

}  // namespace sotto::framing
