// SPDX-License-Identifier: Apache-2.0
// The key of a device's tags, K_tag, which hangs from K_tok: device, owner, and whom the owner
// gives it to have it, and it ends with K_tok (docs/protocol/session.md, SES-120). No allocation.
#pragma once

#include "core/base/secret.hpp"
#include "core/framing/tag.hpp"
#include "core/keystore/records.hpp"

namespace sotto::session {

inline constexpr std::size_t kTagKeySize = 16;
using TagKey = Secret<kTagKeySize, struct TagKeyTag>;

// [SES-120]
TagKey tag_key(const keystore::TokenKey& token_key);
// [SES-121] The tag of one period.
framing::Tag tag_of(const TagKey& key, framing::TagPeriod period);
// Whether a tag is that of this moment, by clocks that differ by a period at most.
bool is_tag_of(const TagKey& key, std::uint32_t unix_seconds, const framing::Tag& tag);

}  // namespace sotto::session
