// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/tag_book.hpp"

#include <algorithm>

namespace sotto::gateway::relay {

void TagBook::take(const framing::uplink::Tags& tags, Instant now) {
    if (tags.is_first) ends_.clear();
    // [UPL-53] One period more: a device's clock may be behind.
    const std::int64_t end_s = (std::int64_t{tags.period} + 2) * framing::kTagPeriodSeconds;
    const Duration left = seconds(end_s - tags.unix_seconds);
    if (left <= Duration{} || left > kTagLifeMax) return;
    for (Bytes rest = tags.tags; !rest.empty(); rest = rest.subspan(framing::kDeviceTagSize)) {
        framing::Tag tag{};
        std::copy_n(rest.begin(), tag.size(), tag.begin());
        if (ends_.size() >= kTagsMax && !ends_.contains(tag)) return;
        ends_[tag] = now + left;
    }
}

bool TagBook::knows(const framing::Tag& tag, Instant now) const {
    const auto found = ends_.find(tag);
    return found != ends_.end() && now < found->second;
}

void TagBook::forget_ended(Instant now) {
    std::erase_if(ends_, [&](const auto& item) { return now >= item.second; });
}

}  // namespace sotto::gateway::relay
