// SPDX-License-Identifier: Apache-2.0
#include "core/cbor/utf8.hpp"

namespace sotto::cbor {
namespace {

struct Lead {
    std::size_t more;     // continuation bytes that follow
    std::uint32_t bits;   // the code point's bits in the lead byte
    std::uint32_t least;  // smaller code points have a shorter form
};

Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) return {0, byte, 0};
    if (byte >= 0xc0 && byte < 0xe0) return {1, byte & 0x1fU, 0x80};
    if (byte >= 0xe0 && byte < 0xf0) return {2, byte & 0x0fU, 0x800};
    if (byte >= 0xf0 && byte < 0xf8) return {3, byte & 0x07U, 0x1'0000};
    return {0, 0, 1};  // not a lead byte: below its own least
}

}  // namespace

bool is_utf8(Bytes text) {
    for (std::size_t at = 0; at < text.size();) {
        const Lead lead = lead_of(text[at++]);
        if (lead.more > text.size() - at) return false;
        std::uint32_t code_point = lead.bits;
        for (const std::uint8_t byte : text.subspan(at, lead.more)) {
            if ((byte & 0xc0) != 0x80) return false;
            code_point = code_point << 6 | (byte & 0x3fU);
        }
        at += lead.more;
        const bool is_surrogate = code_point >= 0xd800 && code_point < 0xe000;
        if (code_point < lead.least || is_surrogate || code_point > 0x10'ffff) return false;
    }
    return true;
}

}  // namespace sotto::cbor
