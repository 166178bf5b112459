// SPDX-License-Identifier: Apache-2.0
#include "gateway/relay/hold_offs.hpp"

#include <algorithm>

namespace sotto::gateway::relay {

bool HoldOffs::is_held(const std::string& place, Instant now) const {
    const auto found = entries_.find(place);
    return found != entries_.end() && now < found->second.until;
}

void HoldOffs::hold(const std::string& place, Duration duration, Instant now) {
    Entry& held = entry(place);
    held.until = now + std::min(duration, kStayAwayMax);
    held.backoff.reset();
}

void HoldOffs::on_failed(const std::string& place, Instant now, Jitter jitter) {
    Entry& held = entry(place);
    held.until = now + held.backoff.next(jitter);
}

// When the table is full, whoever may be tried again first makes room.
HoldOffs::Entry& HoldOffs::entry(const std::string& place) {
    if (!entries_.contains(place) && entries_.size() >= kHoldsMax) {
        entries_.erase(
            std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
                return a.second.until < b.second.until;
            }));
    }
    return entries_[place];
}

}  // namespace sotto::gateway::relay
