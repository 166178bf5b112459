// SPDX-License-Identifier: Apache-2.0
// A rate limit: so many at once, then one in each interval. No allocation, no clock.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.hpp"

namespace sotto {

struct Rate {
    std::uint32_t burst = 1;
    Duration refill = seconds(1);  // for one token
};

class TokenBucket {
  public:
    // Full at `start`.
    explicit TokenBucket(Rate rate, Instant start = {})
        : rate_(rate), tokens_(rate.burst), filled_at_(start) {}

    // Takes a token; false if there is none. A clock that stands or goes back fills nothing.
    bool take(Instant now) {
        fill(now);
        if (tokens_ == 0) return false;
        --tokens_;
        return true;
    }

  private:
    void fill(Instant now) {
        // One at a time, up to a burst: the division of 64-bit numbers would be code for nothing.
        while (tokens_ < rate_.burst && now - filled_at_ >= rate_.refill) {
            filled_at_ = filled_at_ + rate_.refill;
            ++tokens_;
        }
        if (tokens_ == rate_.burst) filled_at_ = std::max(filled_at_, now);  // saves up no time
    }

    Rate rate_;
    std::uint32_t tokens_;
    Instant filled_at_;
};

}  // namespace sotto
