// SPDX-License-Identifier: Apache-2.0
#include "core/framing/tag.hpp"

namespace sotto::framing {

namespace {
constexpr char kMark = kNoTagName.front();
constexpr std::string_view kDigits = "0123456789abcdef";
}  // namespace

TagName name_of(const Tag& tag) {
    TagName name{};
    auto* out = name.data();
    *out++ = kMark;
    for (const std::uint8_t byte : tag) {
        *out++ = kDigits[byte >> 4];
        *out++ = kDigits[byte & 15];
    }
    return name;
}

// Digits of one case alone, so that a tag is written in one way.
std::optional<Tag> tag_of(std::string_view name) {
    if (name.size() != kTagNameSize || name.front() != kMark) return std::nullopt;
    const char* digit = name.data() + 1;
    Tag tag{};
    for (std::uint8_t& byte : tag) {
        const std::size_t high = kDigits.find(*digit++);
        const std::size_t low = kDigits.find(*digit++);
        if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
        byte = static_cast<std::uint8_t>(high << 4 | low);
    }
    return tag;
}

}  // namespace sotto::framing
