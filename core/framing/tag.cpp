// SPDX-License-Identifier: Apache-2.0
#include "core/framing/tag.hpp"

#include "core/base/hex.hpp"

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
    const std::string_view digits = name.substr(1);
    if (digits.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
    Tag tag{};
    if (!from_hex(digits, tag)) return std::nullopt;
    return tag;
}

}  // namespace sotto::framing
