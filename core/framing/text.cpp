// SPDX-License-Identifier: Apache-2.0
#include "core/framing/text.hpp"

#include <algorithm>

#include "core/base/reader.hpp"

namespace sotto::framing {

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

namespace {

// How many bytes follow a lead byte; Error::Malformed if it leads nothing.
Result<std::size_t> continuation_count(std::uint8_t lead) {
    if (lead < 0x80) return 0;
    if (lead >= 0xc2 && lead < 0xe0) return 1;
    if (lead >= 0xe0 && lead < 0xf0) return 2;
    if (lead >= 0xf0 && lead < 0xf5) return 3;
    return Error::Malformed;
}

Result<std::uint32_t> next_code_point(Reader& reader) {
    constexpr std::uint8_t kLeadMask[] = {0x7f, 0x1f, 0x0f, 0x07};
    SOTTO_TRY_ASSIGN(const std::uint8_t lead, reader.u8());
    SOTTO_TRY_ASSIGN(const std::size_t count, continuation_count(lead));
    SOTTO_TRY_ASSIGN(const Bytes continuation, reader.take(count));
    std::uint32_t code_point = lead & kLeadMask[count];
    for (const std::uint8_t byte : continuation) {
        if ((byte & 0xc0) != 0x80) return Error::Malformed;
        code_point = code_point << 6 | (byte & 0x3f);
    }
    // RFC 3629 section 3: overlong forms and surrogates are not UTF-8. Of two bytes none is left.
    if (count == 2 && code_point < 0x800) return Error::Malformed;
    if (count == 3 && code_point < 0x10000) return Error::Malformed;
    if (code_point > 0x10ffff) return Error::Malformed;
    if (code_point >= 0xd800 && code_point < 0xe000) return Error::Malformed;
    return code_point;
}

bool is_control(std::uint32_t code_point) {
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

}  // namespace

bool is_printable_utf8(std::string_view text) {
    Reader reader{as_bytes(text)};
    while (!reader.empty()) {
        const auto code_point = next_code_point(reader);
        if (!code_point || is_control(*code_point)) return false;
    }
    return true;
}

}  // namespace sotto::framing
