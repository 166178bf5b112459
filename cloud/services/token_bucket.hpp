// SPDX-License-Identifier: Apache-2.0
// A rate limit: `burst` at once, then one in each interval. No allocation.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.hpp"

namespace sotto::cloud::services {

class TokenBucket {
  public:
    TokenBucket(std::uint32_t burst, Duration interval, Instant now)
        : burst_(burst), interval_(interval), tokens_(burst), filled_at_(now) {}

    // False if there is no token left. A clock that stands or goes back fills nothing.
    bool take(Instant now) {
        fill(now);
        if (tokens_ == 0) return false;
        tokens_--;
        return true;
    }

  private:
    void fill(Instant now) {
        const std::int64_t intervals = (now - filled_at_).ms / interval_.ms;
        if (intervals <= 0) return;
        filled_at_ = filled_at_ + Duration{intervals * interval_.ms};
        tokens_ = static_cast<std::uint32_t>(std::min<std::int64_t>(burst_, tokens_ + intervals));
    }

    std::uint32_t burst_;
    Duration interval_;
    std::uint32_t tokens_;
    Instant filled_at_;
};

}  // namespace sotto::cloud::services
