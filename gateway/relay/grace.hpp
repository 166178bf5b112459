// SPDX-License-Identifier: Apache-2.0
// Which devices were without an owner a moment ago: they are just being paired and don't name their
// cloud yet. Allocates, but for kGraceMax devices at most.
#pragma once

#include <algorithm>
#include <vector>

#include "core/base/time.hpp"
#include "core/framing/frame.hpp"
#include "gateway/relay/limits.hpp"

namespace sotto::gateway::relay {

class Grace {
  public:
    void give(const framing::DeviceId& device, Instant now) {
        std::erase_if(entries_, [&](const Entry& entry) {
            return entry.device == device || now >= entry.until;
        });
        if (entries_.size() >= kGraceMax) entries_.erase(entries_.begin());  // the oldest
        entries_.push_back({device, now + kGraceTime});
    }
    // Until when it lasts; before `now` if there is none.
    Instant until(const framing::DeviceId& device, Instant now) const {
        const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return entry.device == device;
        });
        return found == entries_.end() ? now - milliseconds(1) : found->until;
    }

  private:
    struct Entry {
        framing::DeviceId device;
        Instant until;
    };
    std::vector<Entry> entries_;
};

}  // namespace sotto::gateway::relay
