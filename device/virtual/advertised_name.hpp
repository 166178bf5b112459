// SPDX-License-Identifier: Apache-2.0
// What a device calls itself on the air at a moment (docs/protocol/air.md, "Tags"). Allocates;
// pure.
#pragma once

#include <optional>
#include <string>

#include "core/session/tag_key.hpp"

namespace sotto::device {

// [AIR-70] [AIR-71] `own_name` without an owner; else nothing that stays. `token_key`: null without
// an owner.
inline std::string advertised_name(const std::string& own_name,
                                   const keystore::TokenKey* token_key,
                                   std::optional<std::uint32_t> unix_seconds) {
    if (token_key == nullptr) return own_name;
    if (!unix_seconds) return std::string{framing::kNoTagName};
    const framing::TagPeriod period = framing::tag_period_at(*unix_seconds);
    const framing::TagName name =
        framing::name_of(session::tag_of(session::tag_key(*token_key), period));
    return {name.begin(), name.end()};
}

}  // namespace sotto::device
