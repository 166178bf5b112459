// SPDX-License-Identifier: Apache-2.0
// What a device with an owner advertises in the place of its name: a tag, which means something to
// those alone who have its key, or were given tags (docs/protocol/air.md, "Tags"). No allocation.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/framing/limits.hpp"

namespace sotto::framing {

using Tag = std::array<std::uint8_t, kDeviceTagSize>;

// A period has 15 minutes, and they count from 1970.
using TagPeriod = std::uint32_t;
inline constexpr std::uint32_t kTagPeriodSeconds = 900;
constexpr TagPeriod tag_period_at(std::uint32_t unix_seconds) {
    return unix_seconds / kTagPeriodSeconds;
}

// Of a device with an owner that does not know the time.
inline constexpr std::string_view kNoTagName = "~";
// A tag as it stands in an advertisement: "~" and its digits.
using TagName = std::array<char, kTagNameSize>;
TagName name_of(const Tag& tag);
// Nothing if it is kNoTagName, or the name of a device without owner.
std::optional<Tag> tag_of(std::string_view name);

}  // namespace sotto::framing
